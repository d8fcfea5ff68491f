//! Business rules (`[[feed.rule]]`): what operators want of a feed, whatever the viewer would like. How a page is made under them
//! is in [`page_rules`], what a cap counts in [`cap`], and the scorer of factors in `scorers/rule_factors.rs`.

use std::fmt;

use covey_config::{MOST_RULES, RuleAction, RuleConfig, RuleMatch};

use crate::feed::candidate::FeedCandidate;

pub(crate) mod cap;
mod matching;
pub(crate) mod page_rules;
#[cfg(test)]
pub(crate) mod testing;

// Each rule has a bit of `RuleMarks::factors`.
const _: () = assert!(MOST_RULES <= u64::BITS as usize);

/// A rule of one kind.
#[derive(Clone, Debug)]
pub(crate) struct Rule<T> {
    /// Its place in `feed.rule`, from 0, below [`MOST_RULES`].
    number: usize,
    matches: RuleMatch,
    /// What rules of this kind need besides.
    pub(crate) with: T,
}

impl<T> Rule<T> {
    /// The rules of one kind, in their order; `kind` answers `None` for all others.
    pub(crate) fn of(rules: &[RuleConfig], kind: impl Fn(RuleAction) -> Option<T>) -> Vec<Rule<T>> {
        let one = |(number, rule): (usize, &RuleConfig)| {
            Some(Rule {
                number,
                matches: rule.matches,
                with: kind(rule.action)?,
            })
        };
        rules.iter().enumerate().filter_map(one).collect()
    }

    /// Whether the rule is about this post.
    pub(crate) fn is_match(&self, post: &FeedCandidate) -> bool {
        matching::is_match(&self.matches, post)
    }

    /// Its bit in [`RuleMarks::factors`].
    pub(crate) fn bit(&self) -> u64 {
        1 << self.number
    }

    /// That this rule did so.
    fn placed(&self, how: Placing) -> Option<(usize, Placing)> {
        Some((self.number, how))
    }
}

/// What business rules did to a post. Rules are known by their place in `feed.rule`, as every candidate has one of these; their names
/// are for `feed/explain.rs`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct RuleMarks {
    /// The rules that multiplied its score, a bit for each.
    pub(crate) factors: u64,
    /// What was done to its place, and by which rule.
    pub(crate) placed: Option<(usize, Placing)>,
}

impl RuleMarks {
    /// Whether the rule at this place multiplied the score.
    pub(crate) fn is_multiplied_by(self, rule: usize) -> bool {
        self.factors & (1 << rule) != 0
    }

    /// Whether the rule at this place did anything.
    pub(crate) fn is_touched_by(self, rule: usize) -> bool {
        self.is_multiplied_by(rule) || self.placed.is_some_and(|(by, _)| by == rule)
    }

    /// Whether a rule put it where it stands.
    pub(crate) fn is_placed(self) -> bool {
        matches!(self.placed, Some((_, Placing::Pinned(_) | Placing::Injected(_))))
    }

    /// What does not depend on the page: each page places anew, and what was removed has no place.
    pub(crate) fn unplaced(self) -> RuleMarks {
        RuleMarks { placed: None, ..self }
    }
}

/// What a rule did to the place of a post. Slots count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Placing {
    /// It was pinned to this slot, as far as there are posts above.
    Pinned(usize),
    /// It was put at this slot before its turn.
    Injected(usize),
    /// Its turn came, but the page has enough like it.
    HeldBack,
}

impl fmt::Display for Placing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Placing::Pinned(slot) => write!(f, "pinned to slot {slot}"),
            Placing::Injected(slot) => write!(f, "put at slot {slot}"),
            Placing::HeldBack => f.write_str("held back: this page has enough like it"),
        }
    }
}
