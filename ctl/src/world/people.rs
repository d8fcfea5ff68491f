//! Users: interests, fame, activity, profile, follows, blocks and mutes. Everything is a function of (seed, index).
//!
//! A user's index is its rank of fame: 0 is followed most. Its main topic follows from the index, so that "the famous
//! users of a topic" can be drawn without a table.

use covey_api::v1::{EdgeKind, EdgeUpdate, MutedKeywords, Profile, UserUpdate};

use super::dice::{Dice, Stream, mix};
use super::topics::{ALL, ROUND, ROUND_TOPICS, TOPIC_PLACES, TOPICS};
use super::{HOUR_MS, World};

/// Most users that one user follows.
const MAX_FOLLOWS: u64 = 2000;

/// Share of users that are bots.
pub const BOT_SHARE: f64 = 0.05;

/// Shares of the topics in somebody's interest; they sum to 1.
pub type Interest = [f32; TOPICS];

/// What the simulation knows of a user and the cluster does not.
#[derive(Clone, Debug)]
pub struct Person {
    /// 0-based; the id is one more.
    pub index: u64,
    /// Acts at random, whatever it sees.
    pub bot: bool,
    /// The topic that it mostly writes about.
    pub topic: u8,
    /// Factor on the quality of all its posts; the median is 1.
    pub craft: f64,
    /// Two letters.
    pub language: &'static str,
    /// Two letters.
    pub country: &'static str,
    /// Interest at the start of the window.
    pub early: Interest,
    /// Interest at its end: tastes drift.
    pub late: Interest,
    /// Offset of the log-odds of each of the 19 actions: some share, some only read.
    pub habits: [f64; 19],
}

const PLACES: [(&str, &str, u64); 9] = [
    ("en", "US", 40),
    ("en", "GB", 14),
    ("en", "CA", 8),
    ("en", "AU", 6),
    ("en", "IN", 7),
    ("es", "ES", 8),
    ("de", "DE", 7),
    ("fr", "FR", 5),
    ("pt", "BR", 5),
];

impl World {
    /// The person with this 0-based index.
    pub fn person(&self, index: u64) -> Person {
        let mut dice = Dice::new(self.spec.seed, Stream::Person, index);
        let bot = dice.chance(BOT_SHARE);
        let (language, country) = place(&mut dice);
        let topic = main_topic(index);
        let craft = (0.4 * dice.normal()).exp();
        let early = interest(&mut dice, topic);
        // Three in ten have found something new two days later; the others have moved a little.
        let drift = if dice.chance(0.3) { 0.6 } else { 0.1 };
        let fresh_topic = dice.below(TOPICS as u64) as u8;
        let fresh = interest(&mut dice, fresh_topic);
        let late = std::array::from_fn(|t| (1.0 - drift) * early[t] + drift * fresh[t]);
        let habits = std::array::from_fn(|_| 0.5 * dice.normal());
        Person {
            index,
            bot,
            topic,
            craft,
            language,
            country,
            early,
            late,
            habits,
        }
    }

    /// 0-based indexes of the users that `index` follows, ascending. Seven in ten share an interest with it.
    pub fn follows(&self, index: u64) -> Vec<u64> {
        let users = self.spec.users;
        let person = self.person(index);
        let mut dice = Dice::new(self.spec.seed, Stream::Follows, index);
        let wanted = (25.0 * (1.1 * dice.normal()).exp()) as u64 + 3;
        let wanted = wanted.min(MAX_FOLLOWS).min(users / 4);
        let mut list: Vec<u64> = (0..wanted)
            .map(|_| {
                if dice.chance(0.7) {
                    let topic = draw_topic(&person.early, &mut dice);
                    self.famous_in(topic, &mut dice)
                } else {
                    dice.rank(users, 0.9, 3.0)
                }
            })
            .filter(|other| *other != index)
            .collect();
        list.sort_unstable();
        list.dedup();
        list
    }

    /// A user whose main topic is `topic`, the famous ones first.
    fn famous_in(&self, topic: u8, dice: &mut Dice) -> u64 {
        let users = self.spec.users;
        let places = &TOPIC_PLACES[usize::from(topic)];
        let round = ROUND as u64;
        let members =
            places.iter().filter(|place| **place < users % round).count() as u64 + users / round * places.len() as u64;
        if members == 0 {
            return dice.rank(users, 0.9, 3.0);
        }
        let rank = dice.rank(members, 0.9, 1.0);
        rank / places.len() as u64 * round + places[(rank % places.len() as u64) as usize]
    }

    /// The user as the cluster gets to know it: profile, follows, blocks, mutes, muted keywords, followed topics.
    pub fn user(&self, index: u64) -> UserUpdate {
        let person = self.person(index);
        let mut dice = Dice::new(self.spec.seed, Stream::Edges, index);
        let edge = |kind: EdgeKind, target: u64| EdgeUpdate {
            kind: kind.into(),
            target_id: target + 1,
            remove: false,
        };
        let follows = self.follows(index);
        let mut unwanted = Vec::new();
        for (kind, share) in [(EdgeKind::Block, 0.25), (EdgeKind::Mute, 0.3)] {
            while dice.chance(share) {
                let other = dice.rank(self.spec.users, 0.5, 10.0);
                let known = |list: &[EdgeUpdate]| list.iter().any(|e| e.target_id == other + 1);
                if other != index && follows.binary_search(&other).is_err() && !known(&unwanted) {
                    unwanted.push(edge(kind, other));
                }
            }
        }
        let account_age = 24 * HOUR_MS * (30 + dice.rank(4000, 0.5, 100.0));
        let muted_keywords = dice.chance(0.1).then(|| MutedKeywords {
            words: vec![muted_word(&person, &mut dice)],
        });
        // Three in ten say what they are interested in.
        let topic = dice
            .chance(0.3)
            .then(|| edge(EdgeKind::FollowTopic, u64::from(person.topic)));
        UserUpdate {
            user_id: index + 1,
            version: self.start_ms(),
            profile: Some(Profile {
                screen_name: screen_name(self.spec.seed, index),
                language: person.language.to_owned(),
                country: person.country.to_owned(),
                created_at_ms: self.start_ms().saturating_sub(account_age),
            }),
            edges: follows
                .iter()
                .map(|other| edge(EdgeKind::Follow, *other))
                .chain(unwanted)
                .chain(topic)
                .collect(),
            muted_keywords,
        }
    }
}

/// The main topic of a user.
pub(crate) fn main_topic(index: u64) -> u8 {
    ROUND_TOPICS[(index % ROUND as u64) as usize]
}

/// A topic drawn by interest.
pub(crate) fn draw_topic(interest: &Interest, dice: &mut Dice) -> u8 {
    let mut left = dice.unit() as f32;
    for (topic, share) in interest.iter().enumerate() {
        left -= share;
        if left < 0.0 {
            return topic as u8;
        }
    }
    (TOPICS - 1) as u8
}

/// Half on the main topic, the rest on two to four others, and a trace of curiosity everywhere.
fn interest(dice: &mut Dice, main: u8) -> Interest {
    const CURIOSITY: f32 = 0.06;
    let mut shares = [CURIOSITY / TOPICS as f32; TOPICS];
    let others = 2 + dice.below(3);
    let main_share = 0.4 + 0.25 * dice.unit() as f32;
    shares[usize::from(main)] += main_share;
    for _ in 0..others {
        let topic = dice.below(TOPICS as u64) as usize;
        shares[topic] += (1.0 - CURIOSITY - main_share) / others as f32;
    }
    shares
}

fn place(dice: &mut Dice) -> (&'static str, &'static str) {
    let mut left = dice.below(PLACES.iter().map(|(_, _, share)| share).sum());
    for (language, country, share) in PLACES {
        if left < share {
            return (language, country);
        }
        left -= share;
    }
    ("en", "US")
}

/// A word of a topic that the person does not care for.
fn muted_word(person: &Person, dice: &mut Dice) -> String {
    let mut topic = dice.below(TOPICS as u64) as usize;
    while person.early[topic] > 0.05 {
        topic = (topic + 1) % TOPICS;
    }
    ALL[topic].tag.to_owned()
}

#[rustfmt::skip]
const FIRST: [&str; 64] = [
    "amber", "arlo", "astrid", "basil", "bea", "bruno", "calla", "cedar", "cleo", "dario", "delia", "dov", "edda", "elio",
    "esme", "fern", "fio", "gale", "greta", "hana", "hugo", "ida", "ilya", "inga", "iris", "jonah", "juno", "kaia", "kit",
    "lars", "lena", "lior", "luca", "mads", "maren", "milo", "mira", "nadia", "nell", "nico", "noor", "odile", "olin",
    "oona", "otis", "pax", "petra", "quill", "rafa", "remy", "rosa", "rune", "sable", "selma", "silas", "sunny", "tariq",
    "tess", "una", "vera", "wren", "yara", "yuri", "zadie",
];

#[rustfmt::skip]
const SECOND: [&str; 64] = [
    "anchor", "atlas", "bay", "beacon", "birch", "bramble", "brook", "canyon", "cinder", "cove", "crane", "dell", "drift",
    "dune", "ember", "fable", "fen", "field", "fjord", "flint", "gale", "garnet", "glade", "grove", "harbor", "hazel",
    "heath", "hollow", "inlet", "ivy", "juniper", "kestrel", "lantern", "larch", "ledge", "linden", "marsh", "meadow",
    "mesa", "mill", "moor", "moss", "north", "oak", "orchard", "otter", "pebble", "pine", "quarry", "reed", "ridge",
    "river", "rowan", "sage", "shore", "slate", "sparrow", "stone", "thicket", "thistle", "vale", "willow", "winter",
    "yarrow",
];

/// A readable handle, unique in its world: two words, and a number once all pairs are taken.
fn screen_name(seed: u64, index: u64) -> String {
    let pairs = (FIRST.len() * SECOND.len()) as u64;
    // An odd factor permutes a power of two.
    let pair = (index.wrapping_mul(2_654_435_761).wrapping_add(mix(seed))) % pairs;
    let (first, second) = (FIRST[(pair % 64) as usize], SECOND[(pair / 64) as usize]);
    match index / pairs {
        0 => format!("{first}_{second}"),
        round => format!("{first}_{second}{}", round + 1),
    }
}
