//! Source: posts of anybody that are near single posts which the viewer acted on lately: where interests are several, their mean lies
//! between them, near none.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use covey_config::SimilarToRecentConfig;
use covey_pipeline::{ComponentError, Reply, RunContext, Source};
use covey_shared::ids::PostId;
use covey_shared::score::{Hit, Score};
use futures::future::join_all;

use crate::feed::candidate::{Channel, FeedCandidate};
use crate::feed::query::{FeedQuery, MAX_LIST};
use crate::feed::shards::Shards;
use crate::sources::interests::{liked, single_interests};
use crate::sources::nearest::Nearest;
use crate::sources::turns::once_in_turns;

const NAME: &str = Channel::SimilarToRecent.as_str();

/// Off for a viewer who liked nothing yet.
pub(crate) struct SimilarToRecent {
    pub(crate) shards: Arc<dyn Shards>,
    /// `[feed.similar_to_recent]`.
    pub(crate) config: SimilarToRecentConfig,
    /// Liked posts that are read, for all sources.
    pub(crate) reads: usize,
}

impl Source<FeedQuery, FeedCandidate> for SimilarToRecent {
    fn enable(&self, query: &FeedQuery) -> bool {
        self.config.enabled && query.wants_what_is_near_likes()
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
            let nearest = Nearest {
                name: NAME,
                shards: self.shards.as_ref(),
                run,
                query,
                reads: self.reads,
            };
            let mut filter = query.pushed_down(&[NAME]);
            filter.not_posts.splice(..0, liked.iter().map(|(key, _)| key.post));
            filter.not_posts.truncate(MAX_LIST);
            let medoids = single_interests(query, nearest.liked().await?, &self.config);
            if medoids.is_empty() {
                query.ledger.note(NAME, "no_vectors");
            }
            let k = self.config.posts_per_medoid;
            // A search each: the hits of one for all would be those of the densest neighbourhood.
            let searches = medoids
                .into_iter()
                .map(|medoid| nearest.hits(medoid, k, filter.clone()));
            let (lists, failed) = what_came(join_all(searches).await)?;
            if failed {
                query.ledger.note(NAME, "search_failed");
            }
            let mut hits = in_turns(lists);
            hits.truncate(MAX_LIST);
            let found = nearest.candidates(&hits).await?;
            Ok(FeedCandidate::ranked(found, Channel::SimilarToRecent))
        })
    }
}

/// The answers, and whether there are fewer than there were searches; an error if there are none.
fn what_came(answers: Vec<Result<Vec<Hit>, ComponentError>>) -> Result<(Vec<Vec<Hit>>, bool), ComponentError> {
    let (mut lists, mut failed) = (Vec::new(), None);
    for answer in answers {
        match answer {
            Ok(list) => lists.push(list),
            Err(error) => failed = Some(error),
        }
    }
    match failed {
        Some(error) if lists.is_empty() => Err(error),
        failed => Ok((lists, failed.is_some())),
    }
}

/// The first of each list, then the second of each; every post once, with its best score.
fn in_turns(lists: Vec<Vec<Hit>>) -> Vec<Hit> {
    let mut best: BTreeMap<PostId, Score> = BTreeMap::new();
    for hit in lists.iter().flatten() {
        let score = best.entry(hit.key.post).or_insert(hit.score);
        *score = hit.score.max(*score);
    }
    let once = once_in_turns(&lists, |hit| hit.key.post);
    let scored = once.map(|hit| Hit {
        score: best.get(&hit.key.post).copied().unwrap_or(hit.score),
        ..*hit
    });
    scored.collect()
}

#[cfg(test)]
#[path = "similar_to_recent_test.rs"]
mod tests;
