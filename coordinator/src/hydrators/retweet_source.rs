//! Hydrator: what a repost repeats, so that it can be ranked as its original.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use covey_pipeline::{Hydrator, Reply, Rows, RunContext};
use covey_shared::ids::PostKey;

use crate::feed::candidate::{FeedCandidate, Repeated};
use crate::feed::query::{FeedQuery, MAX_LIST};
use crate::feed::shards::Shards;

/// Reads only the originals that are not candidates themselves. A repost whose original cannot be read
/// keeps what it has, and nobody knows for whom that is: `IneligibleSubscription` removes it. What the shards do not have, though
/// all of them answered, is gone.
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
                .cut(&["RetweetSource"], "too_many_reposts", &mut missing, MAX_LIST);
            if !missing.is_empty() {
                let context = query.read_context(run);
                let answer = self.shards.candidates(missing.clone(), &context).await;
                let unread = match &answer {
                    Ok(read) if read.report.is_whole() => Repeated::Gone,
                    _ => Repeated::Unknown,
                };
                sources.extend(missing.into_iter().map(|key| (key, unread.clone())));
                let read = query.ledger.take("RetweetSource", answer)?;
                sources.extend(read.into_iter().map(|core| (core.key, core.into())));
            }
            let row = |post: &FeedCandidate| sources.get(&post.core.repost_of).cloned().unwrap_or_default();
            Ok(Rows::all(posts.iter().map(row).collect(), set))
        })
    }
}

/// Originals that are candidates themselves.
fn here(posts: &[FeedCandidate]) -> BTreeMap<PostKey, Repeated> {
    let own = posts.iter().filter(|post| !is_post(&post.core.repost_of));
    own.map(|post| (post.core.key, post.core.into())).collect()
}

fn is_post(key: &PostKey) -> bool {
    key.post.0 != 0
}

fn set(post: &mut FeedCandidate, source: Repeated) {
    if let Repeated::Found(core) = &source
        && core.video_ms > 0
    {
        post.video_ms = Some(core.video_ms);
    }
    post.source = source;
}

#[cfg(test)]
#[path = "retweet_source_test.rs"]
mod tests;
