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

/// What stands on one page, by cap and key. Posts are positions in a list.
pub(crate) struct Counts<'a> {
    caps: &'a [Cap],
    /// What each post counts as: the cap and its key, in the order of the caps.
    keys: Vec<Vec<(usize, u64)>>,
    placed: BTreeMap<(usize, u64), usize>,
}

impl<'a> Counts<'a> {
    pub(crate) fn new(caps: &'a [Cap], posts: &[FeedCandidate]) -> Counts<'a> {
        let of = |post| {
            let by_cap = caps.iter().enumerate();
            by_cap
                .flat_map(|(i, cap)| cap.keys(post).into_iter().map(move |key| (i, key)))
                .collect()
        };
        Counts {
            caps,
            keys: posts.iter().map(of).collect(),
            placed: BTreeMap::new(),
        }
    }

    /// The first cap that leaves no room for the post. What has no room now has none later.
    pub(crate) fn full_for(&self, post: usize) -> Option<&'a Cap> {
        let count = |key| self.placed.get(key).copied().unwrap_or(0);
        let mut keys = self.keys[post].iter();
        let (cap, _) = keys.find(|key| count(*key) >= self.caps[key.0].most)?;
        self.caps.get(*cap)
    }

    pub(crate) fn place(&mut self, post: usize) {
        for key in &self.keys[post] {
            *self.placed.entry(*key).or_default() += 1;
        }
    }
}
