//! Filter: posts whose text, or that of what they repeat or quote, holds a muted keyword.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use covey_pipeline::{Filter, Reply, RunContext, Verdict, ready};
use covey_shared::ids::PostKey;

use crate::feed::candidate::FeedCandidate;
use crate::feed::query::{FeedQuery, MAX_LIST};
use crate::feed::shards::Shards;

/// Required: a text that nobody has looked at is not shown. Candidates come without their texts, so the shards that own them look; only
/// for viewers who mute words.
pub(crate) struct MutedKeyword {
    pub(crate) shards: Arc<dyn Shards>,
    /// `feed.hydrate_timeout`.
    pub(crate) timeout: Duration,
}

impl Filter<FeedQuery, FeedCandidate> for MutedKeyword {
    fn enable(&self, query: &FeedQuery) -> bool {
        let features = query.features.as_ref();
        features.is_none_or(|features| !features.muted_keywords.is_empty())
    }

    fn required(&self) -> bool {
        true
    }

    fn budget(&self) -> Duration {
        self.timeout
    }

    fn filter<'a>(
        &'a self,
        run: &'a RunContext,
        query: &'a FeedQuery,
        posts: &'a mut [FeedCandidate],
    ) -> Reply<'a, Vec<Verdict>> {
        let Some(features) = &query.features else {
            return ready(vec![Verdict::Unjudged("lists_unknown"); posts.len()]);
        };
        Box::pin(async move {
            let mut keys: Vec<PostKey> = posts.iter().flat_map(texts).collect();
            keys.sort_unstable();
            keys.dedup();
            query
                .ledger
                .cut(&["MutedKeyword"], "too_many_texts", &mut keys, MAX_LIST);
            if keys.is_empty() {
                return Ok(vec![Verdict::Keep; posts.len()]);
            }
            let context = query.read_context(run);
            let answer = self.shards.match_texts(keys, &features.muted_keywords, &context).await;
            let found = query.ledger.take("MutedKeyword", answer)?;
            let muted = found.into_iter().map(|text| (text.key, text.phrase.is_some()));
            let muted: BTreeMap<PostKey, bool> = muted.collect();
            Ok(posts.iter().map(|post| judge(post, &muted)).collect())
        })
    }
}

fn judge(post: &FeedCandidate, muted: &BTreeMap<PostKey, bool>) -> Verdict {
    let said = || texts(post).map(|key| muted.get(&key).copied());
    if said().any(|muted| muted == Some(true)) {
        Verdict::Remove("muted_keyword")
    } else if post.source_unknown() {
        // It may quote something.
        Verdict::Unjudged("source_unknown")
    } else if said().any(|muted| muted.is_none()) {
        Verdict::Unjudged("text_unknown")
    } else {
        Verdict::Keep
    }
}

/// The posts whose texts are shown with it: a repost has none of its own.
fn texts(post: &FeedCandidate) -> impl Iterator<Item = PostKey> + use<> {
    [post.shown(), post.ranked_as().quote_of]
        .into_iter()
        .filter(|key| key.post.0 != 0)
}

#[cfg(test)]
#[path = "muted_keyword_test.rs"]
mod tests;
