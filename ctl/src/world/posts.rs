//! Posts: who writes what when, and what it answers. Post `index` is a function of (seed, index) and, for a reply, repost
//! or quote, of the earlier post that it refers to; chains are at most three deep by construction.

use covey_api::v1::{Label, Media, MediaKind, Post, PostKey};

use super::dice::{Dice, Stream};
use super::people::{Person, draw_topic, main_topic};
use super::topics::TOPICS;
use super::{World, words};

/// Levels of reference: 0 = originals, 3 = answers to answers to answers.
pub const LEVELS: u8 = 4;

/// What a post is to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Stands for itself.
    Original,
    /// Answers another post.
    Reply,
    /// Repeats another post.
    Repost,
    /// Comments on another post.
    Quote,
}

/// What can be said of a post without looking at any other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sketch {
    /// 0-based index of the author.
    pub(crate) author: u64,
    pub(crate) level: u8,
    shape: Shape,
    pub(crate) created_ms: u64,
}

/// What the simulation knows of a post.
#[derive(Clone, Debug)]
pub struct PostFacts {
    /// 0-based; the id is one more. Ascending in time.
    pub index: u64,
    /// 0-based index of the author.
    pub author: u64,
    /// When it was written, in milliseconds since the Unix epoch.
    pub created_ms: u64,
    /// What it is to `parent`.
    pub shape: Shape,
    /// The post that it refers to.
    pub parent: Option<u64>,
    /// The post that its conversation began with; itself unless it is a reply.
    pub root: u64,
    /// What it is about; a repost is about what its original is about.
    pub topic: u8,
    /// What it is about besides.
    pub side_topic: u8,
    /// Factor on its utility, whoever sees it; the median is 1.
    pub quality: f64,
    /// Language of the text.
    pub language: &'static str,
    /// Has a photo.
    pub photo: bool,
    /// Length of its video in milliseconds; 0 without one.
    pub video_ms: u32,
    /// Advertises.
    pub spam: bool,
    /// Says nothing about its topic.
    pub small_talk: bool,
}

impl PostFacts {
    /// No label keeps it from being shown to strangers.
    pub(crate) fn recommendable(&self) -> bool {
        !self.spam && !self.not_safe()
    }

    /// One in two hundred.
    fn not_safe(&self) -> bool {
        self.index % 200 == 77
    }
}

impl World {
    /// Index of the post that a repost shows; the post itself for all others.
    pub fn shown(&self, facts: &PostFacts) -> u64 {
        match (facts.shape, facts.parent) {
            (Shape::Repost, Some(parent)) => parent,
            _ => facts.index,
        }
    }

    pub(crate) fn sketch(&self, index: u64) -> Sketch {
        let mut dice = Dice::new(self.spec.seed, Stream::Post, index);
        let created_ms = self.moment(index, self.spec.posts, dice.unit());
        // Half of all posts come from the famous in proportion, half from talkative people of any fame.
        let rank = dice.rank(self.spec.users, 0.7, 20.0);
        let author = if dice.chance(0.5) { rank } else { self.scrambled(rank) };
        let level = match dice.below(100) {
            0..62 => 0,
            62..87 => 1,
            87..96 => 2,
            _ => LEVELS - 1,
        };
        let shape = match (level, dice.below(100)) {
            (0, _) => Shape::Original,
            (_, 0..55) => Shape::Reply,
            (_, 55..80) => Shape::Repost,
            _ => Shape::Quote,
        };
        Sketch {
            author,
            level,
            shape,
            created_ms,
        }
    }

    /// Everything about one post.
    pub fn facts(&self, index: u64) -> PostFacts {
        let sketch = self.sketch(index);
        let author = self.person(sketch.author);
        let parent = (sketch.level > 0)
            .then(|| self.parent_of(index, &sketch, &author))
            .flatten();
        match parent {
            None => self.own_facts(index, &sketch, &author, Shape::Original),
            Some(parent) => self.referring_facts(index, &sketch, &author, parent),
        }
    }

    fn own_facts(&self, index: u64, sketch: &Sketch, author: &Person, shape: Shape) -> PostFacts {
        let mut dice = Dice::new(self.spec.seed, Stream::Words, index);
        let interest = author.interest_at(self.elapsed(sketch.created_ms));
        let topic = draw_topic(&interest, &mut dice);
        let side_topic = if dice.chance(0.25) {
            dice.below(TOPICS as u64) as u8
        } else {
            topic
        };
        let quality = author.craft * (0.5 * dice.normal()).exp();
        // People who write to others write English.
        let own_language = shape == Shape::Original && dice.chance(0.9);
        let language = if own_language { author.language } else { "en" };
        let media = dice.unit();
        PostFacts {
            index,
            author: sketch.author,
            created_ms: sketch.created_ms,
            shape,
            parent: None,
            root: index,
            topic,
            side_topic,
            quality,
            language,
            photo: media < 0.25,
            video_ms: if media > 0.88 { video_length(&mut dice) } else { 0 },
            spam: author.bot && dice.chance(0.2),
            small_talk: dice.chance(0.2),
        }
    }

    fn referring_facts(&self, index: u64, sketch: &Sketch, author: &Person, parent: u64) -> PostFacts {
        let own = self.own_facts(index, sketch, author, sketch.shape);
        let other = self.facts(parent);
        let linked = PostFacts {
            parent: Some(parent),
            topic: other.topic,
            side_topic: own.topic,
            ..own
        };
        match sketch.shape {
            Shape::Repost => PostFacts {
                side_topic: other.side_topic,
                quality: other.quality,
                language: other.language,
                photo: other.photo,
                video_ms: other.video_ms,
                spam: other.spam,
                small_talk: other.small_talk,
                ..linked
            },
            Shape::Reply => PostFacts {
                root: other.root,
                photo: linked.photo && index.is_multiple_of(4),
                video_ms: 0,
                ..linked
            },
            Shape::Quote | Shape::Original => linked,
        }
    }

    /// The earlier post of the level above that interests the author most, out of a few recent ones.
    fn parent_of(&self, index: u64, sketch: &Sketch, author: &Person) -> Option<u64> {
        let mut dice = Dice::new(self.spec.seed, Stream::Parent, index);
        let per_hour = self.spec.posts as f64 / self.spec.hours as f64;
        let mut best: Option<(f32, u64)> = None;
        for _ in 0..24 {
            // Most answers come within hours.
            let back = 1 + (-(1.0 - dice.unit()).ln() * 3.0 * per_hour) as u64;
            let noise = 0.1 * dice.unit() as f32;
            let Some(other) = index.checked_sub(back) else { continue };
            let candidate = self.sketch(other);
            if candidate.level + 1 != sketch.level || candidate.shape == Shape::Repost {
                continue;
            }
            let liking = author.early[usize::from(main_topic(candidate.author))] + noise;
            if candidate.author != sketch.author && best.is_none_or(|(most, _)| liking > most) {
                best = Some((liking, other));
            }
        }
        best.map(|(_, other)| other)
    }

    /// The post as a client would write it.
    pub fn post(&self, index: u64) -> Post {
        let facts = self.facts(index);
        let key = |other: u64| PostKey {
            author_id: self.sketch(other).author + 1,
            post_id: other + 1,
        };
        let link = |shape: Shape| facts.parent.filter(|_| facts.shape == shape).map(key);
        let repost = facts.shape == Shape::Repost;
        Post {
            post_id: index + 1,
            author_id: facts.author + 1,
            text: if repost {
                String::new()
            } else {
                words::text(self.spec.seed, &facts)
            },
            language: facts.language.to_owned(),
            media: if repost { Vec::new() } else { media(&facts) },
            reply_to: link(Shape::Reply),
            repost_of: link(Shape::Repost),
            quote_of: link(Shape::Quote),
            conversation_id: if facts.shape == Shape::Reply { facts.root + 1 } else { 0 },
            labels: labels(&facts),
            created_at_ms: facts.created_ms,
            version: 0,
            vector: Vec::new(),
            subscribers_only: false,
            // Topic 0 is no topic.
            topics: [facts.topic, facts.side_topic].map(|topic| u32::from(topic) + 1).into(),
        }
    }

    /// Level of reference of a post: one that refers to nothing has 0, others one more than what they refer to.
    pub fn level(&self, index: u64) -> u8 {
        self.sketch(index).level
    }
}

impl Person {
    /// Interest after `elapsed` of the window (0 ..= 1).
    pub(crate) fn interest_at(&self, elapsed: f32) -> super::people::Interest {
        std::array::from_fn(|t| (1.0 - elapsed) * self.early[t] + elapsed * self.late[t])
    }
}

fn video_length(dice: &mut Dice) -> u32 {
    (20_000.0 * (0.9 * dice.normal()).exp()).clamp(2_000.0, 600_000.0) as u32
}

fn media(facts: &PostFacts) -> Vec<Media> {
    let id = facts.index + 1;
    let mut list = Vec::new();
    if facts.photo {
        list.push(Media {
            kind: MediaKind::Photo.into(),
            url: format!("https://media.example/{id}.jpg"),
            duration_ms: 0,
        });
    }
    if facts.video_ms > 0 {
        list.push(Media {
            kind: MediaKind::Video.into(),
            url: format!("https://media.example/{id}.mp4"),
            duration_ms: facts.video_ms,
        });
    }
    list
}

fn labels(facts: &PostFacts) -> Vec<i32> {
    let mut list = Vec::new();
    if facts.spam {
        list.push(Label::Spam.into());
    }
    if facts.not_safe() {
        list.push(Label::Nsfw.into());
    }
    // One in three hundred.
    if facts.index % 300 == 41 {
        list.push(Label::Graphic.into());
    }
    list
}
