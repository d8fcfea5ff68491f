//! Source: the newest posts of the users whom the viewer follows.

use std::sync::Arc;

use covey_config::InNetworkConfig;
use covey_pipeline::{Reply, RunContext, Source};
use covey_shared::ids::UnixMillis;

use crate::cluster::InNetworkAsk;
use crate::feed::candidate::{Channel, FeedCandidate};
use crate::feed::query::{FeedQuery, MAX_LIST};
use crate::feed::shards::Shards;

const NAME: &str = Channel::InNetwork.as_str();

/// Asks the shards of the followed authors; which of an author's posts count is decided there.
pub(crate) struct InNetwork {
    pub(crate) shards: Arc<dyn Shards>,
    /// `[feed.in_network]`.
    pub(crate) config: InNetworkConfig,
}

impl Source<FeedQuery, FeedCandidate> for InNetwork {
    fn enable(&self, query: &FeedQuery) -> bool {
        self.config.enabled
            && query
                .features
                .as_ref()
                .is_some_and(|features| !features.follows.is_empty())
    }

    fn budget(&self) -> std::time::Duration {
        self.config.timeout
    }

    fn find<'a>(&'a self, run: &'a RunContext, query: &'a FeedQuery) -> Reply<'a, Vec<FeedCandidate>> {
        Box::pin(async move {
            let features = query.features.as_ref();
            let mut authors: Vec<_> = features.map(|features| features.follows.clone()).unwrap_or_default();
            // Nothing of theirs would pass the filters.
            authors.retain(|author| !features.is_some_and(|f| f.blocks(*author) || f.mutes(*author)));
            query.ledger.cut(&[NAME], "followed_list_cut", &mut authors, MAX_LIST);
            let most = if query.video_only {
                self.config.max_videos
            } else {
                self.config.max_posts
            };
            let ask = InNetworkAsk {
                viewer: query.viewer,
                followed: authors.clone(),
                authors,
                exclude: query.exclude(&[NAME]),
                video_only: query.video_only,
                max_results: most,
                created_from: query.oldest.unwrap_or(UnixMillis(0)),
                ..InNetworkAsk::default()
            };
            let context = query.read_context(run);
            let answer = self.shards.in_network(ask, &context).await;
            let mut found = query.ledger.take(NAME, answer)?;
            found.truncate(most);
            Ok(FeedCandidate::ranked(found, Channel::InNetwork))
        })
    }
}

#[cfg(test)]
#[path = "in_network_test.rs"]
mod tests;
