//! Rule `inject`: at a slot of each page, or above, stands a match.

use std::sync::Arc;

use covey_config::{RuleAction, RuleConfig, RuleMatch};

use crate::rules::{Effect, RuleEffect};

/// If no match got there by itself, the best one is put there; at the next slot, if that one is taken.
#[derive(Clone, Debug)]
pub(crate) struct Inject {
    name: Arc<str>,
    /// From 1.
    pub(crate) slot: usize,
    pub(crate) matches: RuleMatch,
}

impl Inject {
    pub(crate) fn of(rule: &RuleConfig) -> Option<Inject> {
        let RuleAction::Inject { slot } = rule.action else {
            return None;
        };
        Some(Inject {
            name: rule.name.as_str().into(),
            slot,
            matches: rule.matches,
        })
    }

    pub(crate) fn effect(&self, slot: usize) -> RuleEffect {
        RuleEffect {
            rule: self.name.clone(),
            effect: Effect::Injected(slot),
        }
    }
}
