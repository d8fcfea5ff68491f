//! Query hydrator: everything kept about the viewer, in one round trip to the one shard that has it. The hydrators of
//! stage 1b take their fields out of it.

use std::sync::Arc;
use std::time::Duration;

use covey_pipeline::{ComponentError, QueryHydrator, QueryUpdate, Reply, RunContext};
use covey_shared::ids::UnixMillis;

use crate::feed::query::FeedQuery;
use crate::feed::shards::{Shards, ViewerAsk};

/// Most actions that a shard returns: the sequence is made of repeats merged, so more are read than it holds.
const MAX_ACTIONS: u32 = 4096;

/// Retry hint when the viewer's shard has no answer: about the time of an election.
const RETRY_AFTER: Duration = Duration::from_millis(500);

/// Required: without the viewer's blocks nothing can be served safely.
pub(crate) struct Viewer {
    pub(crate) shards: Arc<dyn Shards>,
    /// `feed.served_suppression`.
    pub(crate) served_suppression: Duration,
    /// `feed.hydrate_timeout`.
    pub(crate) timeout: Duration,
}

impl QueryHydrator<FeedQuery> for Viewer {
    fn required(&self) -> bool {
        true
    }

    fn budget(&self) -> Duration {
        self.timeout
    }

    fn hydrate<'a>(&'a self, run: &'a RunContext, query: &'a FeedQuery) -> Reply<'a, QueryUpdate<FeedQuery>> {
        Box::pin(async move {
            let ask = ViewerAsk {
                viewer: query.viewer,
                max_actions: MAX_ACTIONS,
                served_since: before(query.now, self.served_suppression),
            };
            let context = query.read_context(run);
            let answer = self.shards.viewer(ask, &context).await;
            let state = query.ledger.take("Viewer", answer);
            let state = Arc::new(state.map_err(|error| error.retry_after(RETRY_AFTER))?);
            Ok(QueryUpdate::new(move |query: &mut FeedQuery| query.state = Some(state)))
        })
    }
}

/// The moment `ago` before `now`.
pub(crate) fn before(now: UnixMillis, ago: Duration) -> UnixMillis {
    UnixMillis(now.0.saturating_sub(u64::try_from(ago.as_millis()).unwrap_or(u64::MAX)))
}

/// What a hydrator of stage 1b says when the viewer's state is not there: `Viewer` is required, so the run has ended.
pub(crate) fn no_state() -> ComponentError {
    ComponentError::new("no_viewer_state")
}
