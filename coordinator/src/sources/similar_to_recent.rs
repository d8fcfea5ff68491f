//! Source: posts of anybody that are near single posts which the viewer acted on lately: where interests are several, their mean lies
//! between them, near none.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use covey_config::SimilarToRecentConfig;
use covey_pipeline::{ComponentError, Reply, RunContext, Source};
use covey_shared::ids::{PostId, PostKey};
use covey_shared::score::{Hit, Score};
use futures::future::join_all;

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
            // A search each: the hits of one for all would be those of the densest neighbourhood.
            let searches = medoids
                .into_iter()
                .map(|medoid| nearest.hits(medoid, k, filter.clone()));
            let mut hits = in_turns(what_came(join_all(searches).await)?);
            hits.truncate(MAX_LIST);
            let found = nearest.candidates(&hits).await?;
            Ok(FeedCandidate::ranked(found, Channel::SimilarToRecent))
        })
    }
}

/// The answers; an error if all failed.
fn what_came(answers: Vec<Result<Vec<Hit>, ComponentError>>) -> Result<Vec<Vec<Hit>>, ComponentError> {
    let (mut lists, mut failed) = (Vec::new(), None);
    for answer in answers {
        match answer {
            Ok(list) => lists.push(list),
            Err(error) => failed = Some(error),
        }
    }
    failed.filter(|_| lists.is_empty()).map_or(Ok(lists), Err)
}

/// The first of each list, then the second of each; every post once, with its best score.
fn in_turns(lists: Vec<Vec<Hit>>) -> Vec<Hit> {
    let mut best: BTreeMap<PostId, Score> = BTreeMap::new();
    for hit in lists.iter().flatten() {
        let score = best.entry(hit.key.post).or_insert(hit.score);
        *score = hit.score.max(*score);
    }
    let longest = lists.iter().map(Vec::len).max().unwrap_or(0);
    let turns = (0..longest).flat_map(|turn| lists.iter().filter_map(move |list| list.get(turn)));
    let once = turns.filter_map(|hit| best.remove(&hit.key.post).map(|score| Hit { score, ..*hit }));
    once.collect()
}

#[cfg(test)]
#[path = "similar_to_recent_test.rs"]
mod tests;
