//! Source: the newest posts of users to whom the viewer subscribes without following them.

use std::sync::Arc;
use std::time::Duration;

use covey_config::SubscribedConfig;
use covey_pipeline::{Reply, RunContext, Source};
use covey_shared::ids::UserId;

use crate::feed::candidate::{Channel, FeedCandidate};
use crate::feed::query::FeedQuery;
use crate::feed::shards::Shards;
use crate::sources::in_network::newest_of;

/// Posts of those who are followed too come by [`InNetwork`](crate::sources::in_network::InNetwork).
pub(crate) struct Subscribed {
    pub(crate) shards: Arc<dyn Shards>,
    /// `[feed.subscribed]`.
    pub(crate) config: SubscribedConfig,
}

impl Source<FeedQuery, FeedCandidate> for Subscribed {
    fn enable(&self, query: &FeedQuery) -> bool {
        self.config.enabled && !query.in_network_only && authors(query).next().is_some()
    }

    fn budget(&self) -> Duration {
        self.config.timeout
    }

    fn find<'a>(&'a self, run: &'a RunContext, query: &'a FeedQuery) -> Reply<'a, Vec<FeedCandidate>> {
        let wanted = (Channel::Subscribed, authors(query).collect(), self.config.max_posts);
        Box::pin(newest_of(self.shards.as_ref(), run, query, wanted))
    }
}

fn authors(query: &FeedQuery) -> impl Iterator<Item = UserId> {
    let features = query.features.as_ref();
    let subscriptions = features.into_iter().flat_map(|features| &features.subscriptions);
    subscriptions
        .copied()
        .filter(move |user| features.is_some_and(|features| !features.follows(*user)))
}

#[cfg(test)]
#[path = "subscribed_test.rs"]
mod tests;
