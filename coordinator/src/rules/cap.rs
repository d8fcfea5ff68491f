//! Rule `cap`: at most so many matches per topic, author or channel on a page.

use std::collections::{BTreeMap, BTreeSet};

use covey_config::CapPer;

use crate::feed::candidate::FeedCandidate;
use crate::rules::Rule;

/// A post counts once for each of its topics, authors or channels, and for none without any.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cap {
    pub(crate) per: CapPer,
    pub(crate) most: usize,
}

impl Rule<Cap> {
    /// What the post counts as. Of a repost the topics of its original, and both authors.
    fn keys(&self, post: &FeedCandidate) -> BTreeSet<u64> {
        if !self.is_match(post) {
            return BTreeSet::new();
        }
        match self.with.per {
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
    caps: &'a [Rule<Cap>],
    /// What each post counts as: the cap and its key, in the order of the caps.
    keys: Vec<Vec<(usize, u64)>>,
    placed: BTreeMap<(usize, u64), usize>,
}

impl<'a> Counts<'a> {
    pub(crate) fn new(caps: &'a [Rule<Cap>], posts: &[FeedCandidate]) -> Counts<'a> {
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
    pub(crate) fn full_for(&self, post: usize) -> Option<&'a Rule<Cap>> {
        let count = |key| self.placed.get(key).copied().unwrap_or(0);
        let mut keys = self.keys[post].iter();
        let (cap, _) = keys.find(|key| count(*key) >= self.caps[key.0].with.most)?;
        self.caps.get(*cap)
    }

    pub(crate) fn place(&mut self, post: usize) {
        for key in &self.keys[post] {
            *self.placed.entry(*key).or_default() += 1;
        }
    }
}
