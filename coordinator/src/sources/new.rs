//! Source: fresh posts, those of authors with few followers first, so that they get a chance at all.

use std::cmp::Reverse;
use std::sync::Arc;

use covey_config::NewConfig;
use covey_pipeline::{Reply, RunContext, Source};
use covey_shared::wire::{Candidate, CandidateFlags};

use crate::feed::candidate::{Channel, FeedCandidate};
use crate::feed::query::FeedQuery;
use crate::sources::lists::Lists;

/// Newest posts read per post wanted, so that there are enough of small authors among them.
pub(super) const READ_PER_POST: usize = 3;

/// Exploration. Posts of larger authors fill up what small ones leave, so that a new cluster has a feed.
pub(crate) struct New {
    pub(crate) lists: Arc<Lists>,
    /// `[feed.new]`.
    pub(crate) config: NewConfig,
}

impl Source<FeedQuery, FeedCandidate> for New {
    fn enable(&self, query: &FeedQuery) -> bool {
        self.config.enabled && !query.in_network_only
    }

    fn budget(&self) -> std::time::Duration {
        self.config.timeout
    }

    fn find<'a>(&'a self, run: &'a RunContext, query: &'a FeedQuery) -> Reply<'a, Vec<FeedCandidate>> {
        Box::pin(async move {
            let found = self.lists.of(Channel::New, run, query).await?;
            Ok(FeedCandidate::ranked(
                small_authors_first(found, self.config.max_posts),
                Channel::New,
            ))
        })
    }
}

/// At most `most`: posts of small authors, newest first, then the others, newest first.
fn small_authors_first(mut found: Vec<Candidate>, most: usize) -> Vec<Candidate> {
    let large = |post: &Candidate| !post.flags.has(CandidateFlags::SMALL_AUTHOR);
    found.sort_by_key(|post| (large(post), Reverse(post.created_at), post.key.post));
    found.truncate(most);
    found
}

#[cfg(test)]
#[path = "new_test.rs"]
mod tests;
