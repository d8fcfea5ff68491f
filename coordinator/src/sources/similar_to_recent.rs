//! Source: posts of anybody that are near single posts which the viewer acted on lately: where interests are several, their mean lies
//! between them, near none.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use covey_config::SimilarToRecentConfig;
use covey_pipeline::{Reply, RunContext, Source};
use covey_shared::ids::PostKey;
use covey_shared::score::Hit;
use futures::future::try_join_all;

use crate::feed::candidate::{Channel, FeedCandidate};
use crate::feed::query::{FeedQuery, MAX_LIST};
use crate::feed::shards::Shards;
use crate::sources::interests::{liked, medoids};
use crate::sources::nearest::Nearest;

const NAME: &str = Channel::SimilarToRecent.as_str();

/// Off for a viewer who liked nothing yet.
pub(crate) struct SimilarToRecent {
    pub(crate) shards: Arc<dyn Shards>,
    /// `[feed.similar_to_recent]`.
    pub(crate) config: SimilarToRecentConfig,
}

impl Source<FeedQuery, FeedCandidate> for SimilarToRecent {
    fn enable(&self, query: &FeedQuery) -> bool {
        let enabled = self.config.enabled && !query.in_network_only;
        enabled && query.sequence.iter().any(|entry| entry.is_positive())
    }

    fn budget(&self) -> Duration {
        self.config.timeout
    }

    /// 1. The vectors of what the viewer liked last; the few that stand for all of them.
    /// 2. The posts nearest to each, without those themselves.
    /// 3. The fixed-width fields of the best of each, then the second best, and so on.
    fn find<'a>(&'a self, run: &'a RunContext, query: &'a FeedQuery) -> Reply<'a, Vec<FeedCandidate>> {
        Box::pin(async move {
            let liked = liked(&query.sequence, self.config.history);
            let keys: Vec<PostKey> = liked.iter().map(|(key, _)| *key).collect();
            let nearest = Nearest {
                name: NAME,
                shards: self.shards.as_ref(),
                run,
                query,
            };
            let mut filter = query.pushed_down(NAME);
            filter.not_posts.splice(..0, keys.iter().map(|key| key.post));
            filter.not_posts.truncate(MAX_LIST);
            let medoids = medoids(&liked, &nearest.vectors(keys).await?, self.config.medoids);
            if medoids.is_empty() {
                query.ledger.note(NAME, "no_vectors");
            }
            let k = self.config.posts_per_medoid;
            let searches = medoids
                .into_iter()
                .map(|medoid| nearest.hits(medoid, k, filter.clone()));
            let hits = in_turns(try_join_all(searches).await?);
            let found = nearest.candidates(&hits).await?;
            Ok(FeedCandidate::ranked(found, Channel::SimilarToRecent))
        })
    }
}

/// The first of each list, then the second of each; every post once.
fn in_turns(lists: Vec<Vec<Hit>>) -> Vec<Hit> {
    let longest = lists.iter().map(Vec::len).max().unwrap_or(0);
    let turns = (0..longest).flat_map(|turn| lists.iter().filter_map(move |list| list.get(turn)));
    let mut seen = BTreeSet::new();
    turns.filter(|hit| seen.insert(hit.key.post)).copied().collect()
}

#[cfg(test)]
#[path = "similar_to_recent_test.rs"]
mod tests;
