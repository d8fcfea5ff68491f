//! Rule `pin`: on the first page of a session the best match stands at a slot.

use std::sync::Arc;

use covey_config::{RuleAction, RuleConfig, RuleMatch};

use crate::rules::{Effect, RuleEffect};

/// Of two pins to one slot the first that has a match wins.
#[derive(Clone, Debug)]
pub(crate) struct Pin {
    name: Arc<str>,
    /// From 1.
    pub(crate) slot: usize,
    pub(crate) matches: RuleMatch,
}

impl Pin {
    pub(crate) fn of(rule: &RuleConfig) -> Option<Pin> {
        let RuleAction::Pin { slot } = rule.action else {
            return None;
        };
        Some(Pin {
            name: rule.name.as_str().into(),
            slot,
            matches: rule.matches,
        })
    }

    pub(crate) fn effect(&self) -> RuleEffect {
        RuleEffect {
            rule: self.name.clone(),
            effect: Effect::Pinned(self.slot),
        }
    }
}
