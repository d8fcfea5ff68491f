//! Source: the newest posts of the users whom the viewer follows.

use std::sync::Arc;

use covey_config::InNetworkConfig;
use covey_pipeline::{ComponentError, Reply, RunContext, Source};
use covey_shared::ids::{UnixMillis, UserId};

use crate::cluster::InNetworkAsk;
use crate::feed::candidate::{Channel, FeedCandidate};
use crate::feed::query::{FeedQuery, MAX_LIST};
use crate::feed::shards::Shards;

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
            let most = if query.video_only {
                self.config.max_videos
            } else {
                self.config.max_posts
            };
            let features = query.features.as_ref();
            let followed = features.map_or(Vec::new(), |features| features.follows.clone());
            newest_of(self.shards.as_ref(), run, query, (Channel::InNetwork, followed, most)).await
        })
    }
}

/// The newest posts of some authors, as a channel finds them: at most so many.
pub(super) async fn newest_of(
    shards: &dyn Shards,
    run: &RunContext,
    query: &FeedQuery,
    (channel, mut authors, most): (Channel, Vec<UserId>, usize),
) -> Result<Vec<FeedCandidate>, ComponentError> {
    let components = &[channel.as_str()];
    let features = query.features.as_ref();
    let mut followed = features.map_or(Vec::new(), |features| features.follows.clone());
    for list in [&mut authors, &mut followed] {
        // Nothing of theirs would pass the filters.
        list.retain(|author| !features.is_some_and(|f| f.blocks(*author) || f.mutes(*author)));
        query.ledger.cut(components, "followed_list_cut", list, MAX_LIST);
    }
    let ask = InNetworkAsk {
        viewer: query.viewer,
        authors,
        followed,
        exclude: query.exclude(components),
        video_only: query.video_only,
        max_results: most,
        created_from: query.oldest.unwrap_or(UnixMillis(0)),
        ..InNetworkAsk::default()
    };
    let context = query.read_context(run);
    let answer = shards.in_network(ask, &context).await;
    let mut found = query.ledger.take(channel.as_str(), answer)?;
    found.truncate(most);
    Ok(FeedCandidate::ranked(found, channel))
}

#[cfg(test)]
#[path = "in_network_test.rs"]
mod tests;
