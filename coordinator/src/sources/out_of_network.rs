//! Source: posts of anybody that are near the viewer's interests in the space of content.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use covey_config::OutOfNetworkConfig;
use covey_pipeline::{ComponentError, Reply, RunContext, Source};
use covey_shared::ids::PostKey;
use covey_shared::score::Hit;
use covey_shared::wire::Candidate;

use crate::cluster::SearchAsk;
use crate::feed::candidate::{Channel, FeedCandidate};
use crate::feed::query::FeedQuery;
use crate::feed::shards::Shards;
use crate::sources::interests::{interest_vector, liked};

const NAME: &str = Channel::OutOfNetwork.as_str();
/// The space of the posts' own vectors, until there is a user tower.
const SPACE: &str = "content";
/// Most hits of one search.
const MAX_HITS: usize = 1000;

/// Off for a viewer who liked nothing yet.
pub(crate) struct OutOfNetwork {
    pub(crate) shards: Arc<dyn Shards>,
    /// `[feed.out_of_network]`.
    pub(crate) config: OutOfNetworkConfig,
}

impl Source<FeedQuery, FeedCandidate> for OutOfNetwork {
    fn enable(&self, query: &FeedQuery) -> bool {
        let enabled = self.config.enabled && !query.in_network_only;
        enabled && query.sequence.iter().any(|entry| entry.is_positive())
    }

    fn budget(&self) -> Duration {
        self.config.timeout
    }

    /// 1. The vectors of what the viewer liked; their mean.
    /// 2. The posts nearest to it, over all shards, with every condition that can be checked next to the data.
    /// 3. Their fixed-width fields.
    fn find<'a>(&'a self, run: &'a RunContext, query: &'a FeedQuery) -> Reply<'a, Vec<FeedCandidate>> {
        Box::pin(async move {
            let Some(vector) = self.interests(run, query).await? else {
                // All that the viewer liked is gone: expired, deleted, or without a vector.
                query.ledger.note(NAME, "no_vectors");
                return Ok(Vec::new());
            };
            let hits = self.search(run, query, vector).await?;
            let found = self.resolve(run, query, &hits).await?;
            Ok(FeedCandidate::ranked(found, Channel::OutOfNetwork))
        })
    }
}

impl OutOfNetwork {
    async fn interests(&self, run: &RunContext, query: &FeedQuery) -> Result<Option<Vec<f32>>, ComponentError> {
        let liked = liked(&query.sequence, self.config.history);
        let keys = liked.iter().map(|(key, _)| *key).collect();
        // A third each: a shard that does not answer must not use up the time of the steps after this one.
        let context = query.read_within(run, run.time_left() / 3);
        let answer = self.shards.vectors(keys, &context).await;
        let views = query.ledger.take(NAME, answer)?;
        let vectors = views
            .into_iter()
            .map(|view| (view.post.key, view.post.vector.to_f32()))
            .collect();
        Ok(interest_vector(&liked, &vectors, query.now, self.config.half_life))
    }

    async fn search(&self, run: &RunContext, query: &FeedQuery, vector: Vec<f32>) -> Result<Vec<Hit>, ComponentError> {
        let ask = SearchAsk {
            space: SPACE.to_owned(),
            vectors: vec![vector],
            k: self.config.max_posts.min(MAX_HITS),
            exact: false,
            recall_target: 0.0,
            filter: query.pushed_down(NAME),
        };
        let context = query.read_within(run, run.time_left() / 2);
        query.ledger.take(NAME, self.shards.search(ask, &context).await)
    }

    async fn resolve(
        &self,
        run: &RunContext,
        query: &FeedQuery,
        hits: &[Hit],
    ) -> Result<Vec<Candidate>, ComponentError> {
        if hits.is_empty() {
            return Ok(Vec::new());
        }
        let keys = hits.iter().map(|hit| hit.key).collect();
        let context = query.read_context(run);
        let answer = self.shards.candidates(keys, &context).await;
        let read = query.ledger.take(NAME, answer)?;
        let fields: BTreeMap<PostKey, Candidate> = read.into_iter().map(|core| (core.key, core)).collect();
        let scored = |hit: &Hit| {
            let core = fields.get(&hit.key)?;
            Some(Candidate {
                source_score: hit.score,
                ..*core
            })
        };
        Ok(hits.iter().filter_map(scored).collect())
    }
}

#[cfg(test)]
#[path = "out_of_network_test.rs"]
mod tests;
