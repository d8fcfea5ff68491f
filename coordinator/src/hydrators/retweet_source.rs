//! Hydrator: what a repost repeats, so that it can be ranked as its original.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use covey_pipeline::{Hydrator, Reply, Rows, RunContext};
use covey_shared::ids::PostKey;
use covey_shared::wire::Candidate;

use crate::feed::candidate::FeedCandidate;
use crate::feed::query::FeedQuery;
use crate::feed::shards::Shards;

/// Most originals that are read for one request.
const MAX_SOURCES: usize = 1000;

/// Reads only the originals that are not candidates themselves. A repost whose original cannot be read
/// keeps what it has, and nobody knows for whom that is: `IneligibleSubscription` removes it.
pub(crate) struct RetweetSource {
    pub(crate) shards: Arc<dyn Shards>,
    /// `feed.hydrate_timeout`.
    pub(crate) timeout: Duration,
}

impl Hydrator<FeedQuery, FeedCandidate> for RetweetSource {
    fn budget(&self) -> Duration {
        self.timeout
    }

    fn hydrate<'a>(
        &'a self,
        run: &'a RunContext,
        query: &'a FeedQuery,
        posts: &'a [FeedCandidate],
    ) -> Reply<'a, Rows<FeedCandidate>> {
        Box::pin(async move {
            let mut sources = here(posts);
            let wanted = posts.iter().map(|post| post.core.repost_of).filter(is_post);
            let mut missing: Vec<PostKey> = wanted.filter(|key| !sources.contains_key(key)).collect();
            missing.sort_unstable();
            missing.dedup();
            query
                .ledger
                .cut("RetweetSource", "too_many_reposts", &mut missing, MAX_SOURCES);
            if !missing.is_empty() {
                let context = query.read_context(run);
                let answer = self.shards.candidates(missing, &context).await;
                let read = query.ledger.take("RetweetSource", answer)?;
                sources.extend(read.into_iter().map(|core| (core.key, core)));
            }
            let row = |post: &FeedCandidate| sources.get(&post.core.repost_of).copied().map(Box::new);
            Ok(Rows::all(posts.iter().map(row).collect(), set))
        })
    }
}

/// Originals that are candidates themselves.
fn here(posts: &[FeedCandidate]) -> BTreeMap<PostKey, Candidate> {
    let own = posts.iter().filter(|post| !is_post(&post.core.repost_of));
    own.map(|post| (post.core.key, post.core)).collect()
}

fn is_post(key: &PostKey) -> bool {
    key.post.0 != 0
}

fn set(post: &mut FeedCandidate, source: Option<Box<Candidate>>) {
    if let Some(source) = &source
        && source.video_ms > 0
    {
        post.video_ms = Some(source.video_ms);
    }
    post.source = source;
}

#[cfg(test)]
#[path = "retweet_source_test.rs"]
mod tests;
