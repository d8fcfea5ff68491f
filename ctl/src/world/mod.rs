//! The generated world: a seeded simulation of users, posts and actions with known latent interests (`docs/world.md`).
//!
//! Every fact is a function of (seed, what, index), so any part can be computed on its own and nothing has to be kept:
//! a world of millions streams in bounded memory, and the oracle can judge any viewer and post.
//! The same spec gives the same bytes.

pub(crate) mod dice;
mod people;
mod posts;
mod sessions;
mod taste;
mod topics;
mod words;

pub use people::{BOT_SHARE, Interest, Person};
pub use posts::{LEVELS, PostFacts, Shape};
pub use sessions::{Sessions, Visit, examined};
pub use taste::{HEADS, Viewer};
pub use topics::TOPICS;

use thiserror::Error;

/// Milliseconds of an hour.
pub(crate) const HOUR_MS: u64 = 3_600_000;

/// Size and seed of a world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorldSpec {
    /// Users, 20 ..= 1 000 000 000.
    pub users: u64,
    /// Posts, 0 ..= 4 000 000 000.
    pub posts: u64,
    /// Visits of viewers, each of which leaves a few dozen actions.
    pub sessions: u64,
    /// Another seed is another world.
    pub seed: u64,
    /// The window that the posts cover, 1 ..= 8760 hours.
    pub hours: u64,
    /// End of the window, in milliseconds since the Unix epoch: the present of the world.
    pub now_ms: u64,
}

/// A spec outside its ranges.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum SpecError {
    /// Too few or too many.
    #[error("a world has {range} {what}, not {given}")]
    OutOfRange {
        /// Of what.
        what: &'static str,
        /// The allowed range in words.
        range: &'static str,
        /// What was asked for.
        given: u64,
    },
    /// The window would begin before 1970.
    #[error("the window of {hours} h would begin before 1970; give a later end")]
    TooEarly {
        /// Length of the window.
        hours: u64,
    },
}

/// One generated world. Holds nothing but its spec.
#[derive(Clone, Debug)]
pub struct World {
    spec: WorldSpec,
}

impl World {
    /// Checks the spec.
    pub fn new(spec: WorldSpec) -> Result<World, SpecError> {
        let checks = [
            ("users", "20 to 1000000000", 20..=1_000_000_000, spec.users),
            ("posts", "at most 4000000000", 0..=4_000_000_000, spec.posts),
            ("hours", "1 to 8760", 1..=8760, spec.hours),
        ];
        for (what, range, allowed, given) in checks {
            if !allowed.contains(&given) {
                return Err(SpecError::OutOfRange { what, range, given });
            }
        }
        if spec.now_ms < spec.hours * HOUR_MS {
            return Err(SpecError::TooEarly { hours: spec.hours });
        }
        Ok(World { spec })
    }

    /// What it was made from.
    pub fn spec(&self) -> &WorldSpec {
        &self.spec
    }

    /// Start of the window, in milliseconds since the Unix epoch.
    pub(crate) fn start_ms(&self) -> u64 {
        self.spec.now_ms - self.spec.hours * HOUR_MS
    }

    /// Share of the window that has passed at a time.
    pub(crate) fn elapsed(&self, at_ms: u64) -> f32 {
        let passed = at_ms.saturating_sub(self.start_ms()) as f64;
        (passed / (self.spec.hours * HOUR_MS) as f64).min(1.0) as f32
    }

    /// When the `index`-th of `total` events happens, ascending in `index`: people sleep, so that the rate goes up and
    /// down by half once a day. `jitter` is uniform in 0 .. 1.
    pub(crate) fn moment(&self, index: u64, total: u64, jitter: f64) -> u64 {
        let x = (index as f64 + jitter) / total as f64;
        let days = self.spec.hours as f64 / 24.0;
        let turn = std::f64::consts::TAU * days;
        let shaped = x + 0.5 * (turn * x).sin() / turn;
        // Whole days end where they began; other windows are stretched so that the last event is just before the end.
        let end = 1.0 + 0.5 * turn.sin() / turn;
        self.start_ms() + (shaped / end * (self.spec.hours * HOUR_MS) as f64) as u64
    }

    /// A permutation of the users, so that talkative and frequent users are not the famous ones.
    pub(crate) fn scrambled(&self, rank: u64) -> u64 {
        // A prime larger than any number of users has no factor in common with it.
        const PRIME: u128 = 2_654_435_761;
        let shifted = u128::from(rank) + u128::from(dice::mix(self.spec.seed));
        (shifted * PRIME % u128::from(self.spec.users)) as u64
    }
}

#[cfg(test)]
#[path = "mod_test.rs"]
mod tests;
