//! Business rules (`[[feed.rule]]`): what operators want of a feed, whatever the viewer would like. One kind per file; how a page is
//! made under all of them is in [`page_rules`], and the scorer of factors in `scorers/rule_factors.rs`.

use std::fmt;
use std::sync::Arc;

pub(crate) mod cap;
pub(crate) mod factor;
pub(crate) mod inject;
mod matching;
pub(crate) mod page_rules;
pub(crate) mod pin;
#[cfg(test)]
pub(crate) mod testing;

/// What a rule did to a post.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RuleEffect {
    /// Its name.
    pub(crate) rule: Arc<str>,
    pub(crate) effect: Effect,
}

/// Slots count from 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Effect {
    /// Its score was multiplied.
    Factor(f64),
    /// It was pinned to this slot, as far as there are posts above.
    Pinned(usize),
    /// It was put at this slot before its turn.
    Injected(usize),
    /// Its turn came, but the page has enough like it.
    HeldBack,
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Effect::Factor(factor) => write!(f, "× {factor:.3}"),
            Effect::Pinned(slot) => write!(f, "pinned to slot {slot}"),
            Effect::Injected(slot) => write!(f, "put at slot {slot}"),
            Effect::HeldBack => f.write_str("held back: this page has enough like it"),
        }
    }
}
