//! Source: posts of anybody that are near the viewer's interests in the space of content.

use std::sync::Arc;
use std::time::Duration;

use covey_config::OutOfNetworkConfig;
use covey_pipeline::{Reply, RunContext, Source};

use crate::feed::candidate::{Channel, FeedCandidate};
use crate::feed::query::FeedQuery;
use crate::feed::shards::Shards;
use crate::sources::interests::mean_interest;
use crate::sources::nearest::Nearest;

const NAME: &str = Channel::OutOfNetwork.as_str();

/// Off for a viewer who liked nothing yet.
pub(crate) struct OutOfNetwork {
    pub(crate) shards: Arc<dyn Shards>,
    /// `[feed.out_of_network]`.
    pub(crate) config: OutOfNetworkConfig,
    /// Liked posts that are read, for all sources.
    pub(crate) reads: usize,
}

impl Source<FeedQuery, FeedCandidate> for OutOfNetwork {
    fn enable(&self, query: &FeedQuery) -> bool {
        self.config.enabled && query.wants_what_is_near_likes()
    }

    fn budget(&self) -> Duration {
        self.config.timeout
    }

    /// 1. The vectors of what the viewer liked; their mean.
    /// 2. The posts nearest to it, over all shards, with every condition that can be checked next to the data.
    /// 3. Their fixed-width fields.
    fn find<'a>(&'a self, run: &'a RunContext, query: &'a FeedQuery) -> Reply<'a, Vec<FeedCandidate>> {
        Box::pin(async move {
            let nearest = Nearest {
                name: NAME,
                shards: self.shards.as_ref(),
                run,
                query,
                reads: self.reads,
            };
            let vectors = nearest.liked().await?;
            let Some(vector) = mean_interest(query, vectors, &self.config) else {
                // All that the viewer liked is gone: expired, deleted, or without a vector.
                query.ledger.note(NAME, "no_vectors");
                return Ok(Vec::new());
            };
            let hits = nearest
                .hits(vector, self.config.max_posts, query.pushed_down(&[NAME]))
                .await?;
            let found = nearest.candidates(&hits).await?;
            Ok(FeedCandidate::ranked(found, Channel::OutOfNetwork))
        })
    }
}

#[cfg(test)]
#[path = "out_of_network_test.rs"]
mod tests;
