//! Source: posts that are being talked about.

use std::sync::Arc;

use covey_config::ActiveConfig;
use covey_pipeline::{Reply, RunContext, Source};

use crate::feed::candidate::{Channel, FeedCandidate};
use crate::feed::query::FeedQuery;
use crate::sources::lists::Lists;

/// Ranked by replies and quotes; the shards keep the ranking up to date, and it decays with time.
pub(crate) struct Active {
    pub(crate) lists: Arc<Lists>,
    /// `[feed.active]`.
    pub(crate) config: ActiveConfig,
}

impl Source<FeedQuery, FeedCandidate> for Active {
    fn enable(&self, query: &FeedQuery) -> bool {
        self.config.enabled && !query.in_network_only
    }

    fn budget(&self) -> std::time::Duration {
        self.config.timeout
    }

    fn find<'a>(&'a self, run: &'a RunContext, query: &'a FeedQuery) -> Reply<'a, Vec<FeedCandidate>> {
        Box::pin(async move {
            let found = self.lists.of(Channel::Active, run, query).await?;
            Ok(FeedCandidate::ranked(found, Channel::Active))
        })
    }
}
