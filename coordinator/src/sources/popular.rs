//! Source: posts with much engagement lately.

use std::sync::Arc;

use covey_config::PopularConfig;
use covey_pipeline::{Reply, RunContext, Source};

use crate::feed::candidate::{Channel, FeedCandidate};
use crate::feed::query::FeedQuery;
use crate::sources::lists::Lists;

/// The shards keep the ranking up to date; it decays with time.
pub(crate) struct Popular {
    pub(crate) lists: Arc<Lists>,
    /// `[feed.popular]`.
    pub(crate) config: PopularConfig,
}

impl Source<FeedQuery, FeedCandidate> for Popular {
    fn enable(&self, query: &FeedQuery) -> bool {
        self.config.enabled && !query.in_network_only
    }

    fn budget(&self) -> std::time::Duration {
        self.config.timeout
    }

    fn find<'a>(&'a self, run: &'a RunContext, query: &'a FeedQuery) -> Reply<'a, Vec<FeedCandidate>> {
        Box::pin(async move {
            let found = self.lists.of(Channel::Popular, run, query).await?;
            Ok(FeedCandidate::ranked(found, Channel::Popular))
        })
    }
}
