//! Time-decayed sums of what viewers do with a post, in arithmetic that gives the same bits on every machine.
//!
//! Forward decay (Cormode et al. 2009): an action of weight w at time t counts w·2^((t − now)/half-life) now. The order of
//! two posts then does not depend on now, so it is kept as one number per post ([`Heat::rank`]).

use bincode::{Decode, Encode};
use covey_shared::ids::UnixMillis;
use covey_shared::model::{ActionKind, HEADS};

/// What an action adds to the engagement of the post, by [`ActionKind::index`]. Being shown or opened by chance says
/// little; what costs the viewer an effort says more; what viewers reject sinks.
const ENGAGEMENT: [f64; HEADS + 1] = {
    let mut w = [0.0; HEADS + 1];
    w[ActionKind::Favorite as usize] = 1.0;
    w[ActionKind::Reply as usize] = 2.0;
    w[ActionKind::Repost as usize] = 2.0;
    w[ActionKind::Quote as usize] = 2.0;
    w[ActionKind::Share as usize] = 1.5;
    w[ActionKind::ShareViaDm as usize] = 1.5;
    w[ActionKind::ShareViaCopyLink as usize] = 1.5;
    w[ActionKind::FollowAuthor as usize] = 2.0;
    w[ActionKind::PhotoExpand as usize] = 0.1;
    w[ActionKind::Click as usize] = 0.2;
    w[ActionKind::Vqv as usize] = 0.5;
    w[ActionKind::QuotedClick as usize] = 0.1;
    w[ActionKind::ProfileClick as usize] = 0.2;
    w[ActionKind::NotInterested as usize] = -2.0;
    w[ActionKind::BlockAuthor as usize] = -4.0;
    w[ActionKind::MuteAuthor as usize] = -4.0;
    w[ActionKind::Report as usize] = -8.0;
    w
};

/// What an action adds to the talk about the post: what is written about it, and nothing else.
const TALK: [f64; HEADS + 1] = {
    let mut w = [0.0; HEADS + 1];
    w[ActionKind::Reply as usize] = 1.0;
    w[ActionKind::Quote as usize] = 1.0;
    w
};

/// After how many milliseconds an action counts half, for each sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HalfLives {
    pub(crate) engagement: u64,
    pub(crate) talk: u64,
}

/// The sums of a post: each ranks it in a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Encode, Decode)]
pub(crate) struct Heats {
    pub(crate) engagement: Heat,
    pub(crate) talk: Heat,
}

impl Heats {
    /// Adds an action of kind number `kind` at `at`. `own`: by the author, who talks to nobody by it.
    pub(crate) fn add(&mut self, kind: usize, own: bool, at: UnixMillis, half_lives: HalfLives) {
        self.engagement.add(ENGAGEMENT[kind], at, half_lives.engagement);
        if !own {
            self.talk.add(TALK[kind], at, half_lives.talk);
        }
    }

    /// The sums as words of a row.
    pub(crate) fn words(self) -> [u64; 4] {
        let Heats { engagement, talk } = self;
        [
            engagement.mass.to_bits(),
            engagement.at.0,
            talk.mass.to_bits(),
            talk.at.0,
        ]
    }

    /// The sums of [`Heats::words`].
    pub(crate) fn of_words([engagement, engaged_at, talk, talked_at]: [u64; 4]) -> Heats {
        let heat = |mass, at| Heat {
            mass: f64::from_bits(mass),
            at: UnixMillis(at),
        };
        Heats {
            engagement: heat(engagement, engaged_at),
            talk: heat(talk, talked_at),
        }
    }
}

/// Fraction bits of [`Heat::rank`] and [`halvings`].
const FRACTION: u32 = 16;

/// A sum as of a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Encode, Decode)]
pub(crate) struct Heat {
    /// Weighted actions, decayed to `at`; ≥ 0.
    pub(crate) mass: f64,
    /// Time of the latest action.
    pub(crate) at: UnixMillis,
}

impl Heat {
    /// Adds an action that weighs so much at `at`. Never falls below 0.
    fn add(&mut self, weight: f64, at: UnixMillis, half_life_ms: u64) {
        if weight == 0.0 {
            return;
        }
        if at >= self.at {
            self.mass = self.mass * decay(at.since(self.at), half_life_ms) + weight;
            self.at = at;
        } else {
            self.mass += weight * decay(self.at.since(at), half_life_ms);
        }
        self.mass = self.mass.max(0.0);
    }

    /// The sum as it counts at `now`.
    pub(crate) fn value(&self, now: UnixMillis, half_life_ms: u64) -> f64 {
        self.mass * decay(now.since(self.at), half_life_ms)
    }

    /// log2 of the sum decayed to the epoch, in 1/65 536: its order is the order at every moment. `None` where nothing has
    /// been added.
    pub(crate) fn rank(&self, half_life_ms: u64) -> Option<i64> {
        // Below this an action is forgotten; it also keeps subnormal numbers out of log2.
        if self.mass < 1e-6 {
            return None;
        }
        Some(halvings(self.at, half_life_ms) + log2_fixed(self.mass))
    }
}

/// Half-lives from the epoch to `at`, in 1/65 536: what a [`Heat::rank`] loses by then.
pub(crate) fn halvings(at: UnixMillis, half_life_ms: u64) -> i64 {
    let halvings = (u128::from(at.0) << FRACTION) / u128::from(half_life_ms.max(1));
    i64::try_from(halvings).unwrap_or(i64::MAX).min(i64::MAX / 2)
}

/// 2^(−ms / half_life).
fn decay(ms: u64, half_life_ms: u64) -> f64 {
    let half_life = half_life_ms.max(1);
    let (halvings, rest) = (ms / half_life, ms % half_life);
    if halvings > 1000 {
        return 0.0;
    }
    let x = -(rest as f64 / half_life as f64) * std::f64::consts::LN_2;
    // e^x by Horner's rule; |x| < 0.7, so that 14 terms are exact to the last bits.
    let mut e = 1.0;
    for term in (1..=14).rev() {
        e = 1.0 + x / f64::from(term) * e;
    }
    e * f64::from_bits((1023 - halvings) << 52)
}

/// floor(log2(x)·2^16) for a normal positive x: the exponent, then one bit per squaring of the mantissa.
fn log2_fixed(x: f64) -> i64 {
    let bits = x.to_bits();
    let exponent = (bits >> 52) as i64 - 1023;
    let mut mantissa = f64::from_bits(bits & ((1 << 52) - 1) | 1023 << 52);
    let mut log = exponent;
    for _ in 0..FRACTION {
        mantissa *= mantissa;
        let bit = i64::from(mantissa >= 2.0);
        if bit == 1 {
            mantissa /= 2.0;
        }
        log = log << 1 | bit;
    }
    log
}

#[cfg(test)]
#[path = "heat_test.rs"]
mod tests;
