//! Rules `boost` and `demote`: the score is multiplied.

use std::sync::Arc;

use covey_config::{RuleAction, RuleConfig, RuleMatch};

use crate::feed::candidate::FeedCandidate;
use crate::rules::matching::is_match;
use crate::rules::{Effect, RuleEffect};

/// Between 0 and 100.
#[derive(Clone, Debug)]
pub(crate) struct Factor {
    name: Arc<str>,
    factor: f64,
    matches: RuleMatch,
}

impl Factor {
    pub(crate) fn of(rule: &RuleConfig) -> Option<Factor> {
        let (RuleAction::Boost { factor } | RuleAction::Demote { factor }) = rule.action else {
            return None;
        };
        Some(Factor {
            name: rule.name.as_str().into(),
            factor,
            matches: rule.matches,
        })
    }

    /// What it does to the post, if it is about it.
    pub(crate) fn on(&self, post: &FeedCandidate) -> Option<RuleEffect> {
        is_match(&self.matches, post).then(|| RuleEffect {
            rule: self.name.clone(),
            effect: Effect::Factor(self.factor),
        })
    }
}
