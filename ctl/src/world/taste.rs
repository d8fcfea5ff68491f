//! What viewers want: the utility of a post for a viewer, and from it the probability of each action. This is the truth
//! that a recommender tries to guess, so it is also the oracle that rankings are measured against.

use std::f64::consts::LN_2;

use super::dice::{Dice, Stream};
use super::people::{Interest, Person};
use super::posts::PostFacts;
use super::{HOUR_MS, World};

/// Number of predictions: the discrete actions and dwell time, in the order of the ranking model's outputs.
pub const HEADS: usize = 19;

/// Longest dwell time that counts, in seconds.
const MAX_DWELL: f64 = 30.0;

/// Index of the action "watched a good part of the video".
const VQV: usize = 6;
/// Index of dwell time among the outputs.
pub(crate) const DWELL_TIME: usize = 18;

/// Base log-odds, and slope in the logarithm of the utility, of each discrete action.
const ACTIONS: [(f64, f64); 18] = [
    (-3.0, 1.2),  // favorite
    (-5.0, 1.0),  // reply
    (-4.6, 1.1),  // repost
    (-2.2, 0.6),  // photo_expand
    (-2.5, 0.8),  // click
    (-4.2, 0.5),  // profile_click
    (-1.5, 1.0),  // vqv
    (-5.2, 0.9),  // share
    (-5.8, 0.9),  // share_via_dm
    (-6.2, 0.9),  // share_via_copy_link
    (-1.0, 0.9),  // dwell
    (-5.6, 1.0),  // quote
    (-2.8, 0.7),  // quoted_click
    (-5.5, 1.2),  // follow_author
    (-6.5, -0.9), // not_interested
    (-8.5, -1.0), // block_author
    (-8.2, -1.0), // mute_author
    (-9.5, -0.9), // report
];

/// A viewer with everything that its choices depend on.
#[derive(Clone, Debug)]
pub struct Viewer {
    /// Who.
    pub person: Person,
    /// 0-based indexes of the followed users, ascending.
    pub follows: Vec<u64>,
    interest: Interest,
    at_ms: u64,
}

impl World {
    /// The viewer as it is at a time.
    pub fn viewer(&self, index: u64, at_ms: u64) -> Viewer {
        let person = self.person(index);
        Viewer {
            interest: person.interest_at(self.elapsed(at_ms)),
            follows: self.follows(index),
            person,
            at_ms,
        }
    }

    /// ln(interest match × author affinity × freshness × quality), and less for a language that the viewer lacks.
    pub fn log_utility(&self, viewer: &Viewer, post: &PostFacts) -> f64 {
        let about = |topic: u8| f64::from(viewer.interest[usize::from(topic)]);
        let fit = 0.1 + 2.6 * (0.8 * about(post.topic) + 0.2 * about(post.side_topic));
        let pair = viewer.person.index.wrapping_mul(0x1_0000_0001) ^ post.author.rotate_left(20);
        let chemistry = 0.35 * Dice::new(self.spec.seed, Stream::Affinity, pair).normal();
        let followed = viewer.follows.binary_search(&post.author).is_ok();
        let affinity = chemistry + if followed { 0.6 } else { 0.0 };
        let age = viewer.at_ms.saturating_sub(post.created_ms) as f64;
        let freshness = -LN_2 * age / (10.0 * HOUR_MS as f64);
        let understood = post.language == "en" || post.language == viewer.person.language;
        let language = if understood { 0.0 } else { -1.5 };
        fit.ln() + affinity + freshness + post.quality.ln() + language
    }

    /// True probability of each action given that the viewer looks at the post; the last is the expected dwell time over
    /// 30 s, capped. A repost is judged as the post that it shows: pass that.
    pub fn predict(&self, viewer: &Viewer, post: &PostFacts, log_utility: f64) -> [f64; HEADS] {
        if viewer.person.bot {
            return bot_habits();
        }
        let mut p = [0.0; HEADS];
        for (head, (base, slope)) in ACTIONS.iter().enumerate() {
            let annoyed = if head == 17 && post.spam { 2.5 } else { 0.0 };
            p[head] = sigmoid(base + slope * log_utility + viewer.person.habits[head] + annoyed);
        }
        let followed = viewer.follows.binary_search(&post.author).is_ok();
        let possible = [
            (3, post.photo),
            (VQV, post.video_ms > 0),
            (12, post.shape == super::posts::Shape::Quote),
            (13, !followed),
        ];
        for (head, can) in possible {
            if !can {
                p[head] = 0.0;
            }
        }
        let mean = mean_dwell(viewer, post, log_utility);
        p[DWELL_TIME] = mean * (1.0 - (-MAX_DWELL / mean).exp()) / MAX_DWELL;
        p
    }

    /// The oracle: Σ weight × true probability of a post for a viewer, before any diversity rule. Dwell time counts in
    /// seconds; a video counts as watched only if longer than `min_video_ms`.
    pub fn true_score(&self, viewer: &Viewer, post: &PostFacts, weights: &[f64; HEADS], min_video_ms: u32) -> f64 {
        let p = self.predict(viewer, post, self.log_utility(viewer, post));
        let worth = |head: usize| match head {
            DWELL_TIME => weights[head] * p[head] * MAX_DWELL,
            VQV if post.video_ms <= min_video_ms => 0.0,
            _ => weights[head] * p[head],
        };
        (0..HEADS).map(worth).sum()
    }
}

/// Mean of the exponentially distributed dwell time, in seconds.
pub(crate) fn mean_dwell(viewer: &Viewer, post: &PostFacts, log_utility: f64) -> f64 {
    let wanted = sigmoid(log_utility);
    let film = if post.video_ms > 0 { 8.0 } else { 0.0 };
    (1.0 + (6.0 + film) * wanted) * (0.5 * viewer.person.habits[DWELL_TIME]).exp()
}

/// Bots press buttons whatever they see, and do not read.
fn bot_habits() -> [f64; HEADS] {
    let mut p = [0.0; HEADS];
    p[0] = 0.35;
    p[2] = 0.2;
    p[13] = 0.1;
    p[DWELL_TIME] = 0.3 / MAX_DWELL;
    p
}

pub(crate) fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}
