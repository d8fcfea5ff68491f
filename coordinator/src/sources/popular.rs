//! Source: posts with much engagement lately.

use std::sync::Arc;

use covey_config::PopularConfig;
use covey_pipeline::{Reply, RunContext, Source};

use crate::cluster::PopularAsk;
use crate::feed::candidate::{Channel, FeedCandidate};
use crate::feed::query::FeedQuery;
use crate::feed::shards::Shards;

const NAME: &str = Channel::Popular.as_str();

/// The shards keep the ranking up to date; it decays with time.
pub(crate) struct Popular {
    pub(crate) shards: Arc<dyn Shards>,
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
            let ask = PopularAsk {
                popular: self.config.max_posts,
                newest: 0,
                now: query.now,
                filter: query.pushed_down(NAME),
            };
            let context = query.read_context(run);
            let answer = self.shards.popular(ask, &context).await;
            let mut found = query.ledger.take(NAME, answer)?;
            found.truncate(self.config.max_posts);
            Ok(FeedCandidate::ranked(found, Channel::Popular))
        })
    }
}
