//! Rule `cap`: at most so many matches per topic, author or channel on a page.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use covey_config::{CapPer, RuleAction, RuleConfig, RuleMatch};

use crate::feed::candidate::FeedCandidate;
use crate::rules::matching::is_match;
use crate::rules::{Effect, RuleEffect};

/// A post counts once for each of its topics, authors or channels, and for none without any.
#[derive(Clone, Debug)]
pub(crate) struct Cap {
    name: Arc<str>,
    per: CapPer,
    most: usize,
    matches: RuleMatch,
}

impl Cap {
    pub(crate) fn of(rule: &RuleConfig) -> Option<Cap> {
        let RuleAction::Cap { per, most } = rule.action else {
            return None;
        };
        Some(Cap {
            name: rule.name.as_str().into(),
            per,
            most,
            matches: rule.matches,
        })
    }

    pub(crate) fn effect(&self) -> RuleEffect {
        RuleEffect {
            rule: self.name.clone(),
            effect: Effect::HeldBack,
        }
    }

    /// What the post counts as. Of a repost the topics of its original, and both authors.
    fn keys(&self, post: &FeedCandidate) -> BTreeSet<u64> {
        if !is_match(&self.matches, post) {
            return BTreeSet::new();
        }
        match self.per {
            CapPer::Topic => post.ranked_as().topics.iter().map(u64::from).collect(),
            CapPer::Author => {
                let authors = [post.core.key.author, post.core.repost_of.author];
                authors.into_iter().map(|user| user.0).filter(|id| *id != 0).collect()
            }
            CapPer::Channel => post.channels.iter().map(|hit| hit.channel as u64).collect(),
        }
    }
}

/// What stands on one page, by cap and key.
pub(crate) struct Counts<'a> {
    caps: &'a [Cap],
    placed: BTreeMap<(usize, u64), usize>,
}

impl<'a> Counts<'a> {
    pub(crate) fn new(caps: &'a [Cap]) -> Counts<'a> {
        let placed = BTreeMap::new();
        Counts { caps, placed }
    }

    /// The first cap that leaves no room for the post. What has no room now has none later.
    pub(crate) fn full_for(&self, post: &FeedCandidate) -> Option<&'a Cap> {
        let full = |(i, cap): &(usize, &Cap)| {
            let mut keys = cap.keys(post).into_iter();
            keys.any(|key| self.placed.get(&(*i, key)).is_some_and(|count| *count >= cap.most))
        };
        self.caps.iter().enumerate().find(full).map(|(_, cap)| cap)
    }

    pub(crate) fn place(&mut self, post: &FeedCandidate) {
        for (i, cap) in self.caps.iter().enumerate() {
            for key in cap.keys(post) {
                *self.placed.entry((i, key)).or_default() += 1;
            }
        }
    }
}
