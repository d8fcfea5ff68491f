//! Side effect: what was served is remembered, so that it is not served again for a while.

use std::sync::Arc;
use std::time::Duration;

use covey_env::Monotonic;
use covey_pipeline::{ComponentError, Reply, RunContext, SideEffect, SideEffectInput};
use covey_shared::command::Served;
use covey_shared::ids::PostId;
use futures::future;

use crate::feed::candidate::FeedCandidate;
use crate::feed::query::FeedQuery;
use crate::feed::shards::Shards;

/// How long a record may wait for others of its shard and for the write; then it is shed.
const WRITE_WITHIN: Duration = Duration::from_secs(10);

/// Best effort and the first to be shed: ingest gathers the records of a second into one entry per shard.
pub(crate) struct ServedHistory {
    pub(crate) shards: Arc<dyn Shards>,
}

impl SideEffect<FeedQuery, FeedCandidate> for ServedHistory {
    fn enable(&self, query: &FeedQuery) -> bool {
        query.record
    }

    fn run<'a>(&'a self, run: &'a RunContext, input: &'a SideEffectInput<FeedQuery, FeedCandidate>) -> Reply<'a, ()> {
        let served = Served {
            viewer: input.query.viewer,
            at: input.query.now,
            posts: served_ids(&input.selected),
        };
        let deadline = Monotonic(run.now()).plus(WRITE_WITHIN);
        let done = served.posts.is_empty() || self.shards.record_served(served, deadline);
        let result = if done { Ok(()) } else { Err(ComponentError::new("shed")) };
        Box::pin(future::ready(result))
    }
}

/// The posts, and what they repeat: a repost has shown its original.
pub(crate) fn served_ids(posts: &[FeedCandidate]) -> Vec<PostId> {
    let ids = posts.iter().flat_map(|post| [post.post(), post.core.repost_of.post]);
    ids.filter(|id| id.0 != 0).collect()
}
