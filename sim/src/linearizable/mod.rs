//! Whether what clients were told of one object could come from one that does a call at a time (Herlihy and Wing, 1990).
//!
//! The search is that of Wing and Gong (1993) with Lowe's memory (2017): it puts the operations in order one by one, never one before
//! another that had ended when it began, and does not visit the same set of operations with the same state of the object twice.

mod post;
mod search;

pub(crate) use post::{HotPost, PostAnswer, PostCall};
pub(crate) use search::{Verdict, check};

use std::fmt::Debug;
use std::hash::Hash;

/// What an object does when it is used by one client at a time.
pub(crate) trait Specification {
    /// What the object is.
    type State: Clone + Debug + Default + Eq + Hash;
    /// What a client asks for.
    type Call: Debug;
    /// What it is told.
    type Answer: Debug;

    /// The state after `call`, if it can have that answer in `state`. Without an answer any is possible.
    fn step(state: &Self::State, call: &Self::Call, answer: Option<&Self::Answer>) -> Option<Self::State>;
}

/// One operation of a client. Moments are numbers that only grow, and no two events have the same one. An operation of which it is
/// certain that it had no effect is not part of a history.
#[derive(Clone, Debug)]
pub(crate) struct Operation<S: Specification> {
    /// When it was asked for.
    pub(crate) begun: u64,
    /// What was asked for.
    pub(crate) call: S::Call,
    /// When it ended, and with what. Without: it happened at any time after it was asked for, or never.
    pub(crate) answer: Option<(u64, S::Answer)>,
}

#[cfg(test)]
#[path = "published_test.rs"]
mod published_tests;
