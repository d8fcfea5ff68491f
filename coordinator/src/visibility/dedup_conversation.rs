//! Post-selection filter: one post per conversation.

use std::collections::BTreeSet;

use covey_pipeline::{Filter, Reply, RunContext, Verdict, ready};
use covey_shared::ids::PostId;

use crate::feed::candidate::FeedCandidate;
use crate::feed::query::FeedQuery;

/// The slate is in descending order, so the first post of a conversation has its highest score and stays.
pub(crate) struct DedupConversation;

impl Filter<FeedQuery, FeedCandidate> for DedupConversation {
    fn filter<'a>(
        &'a self,
        _: &'a RunContext,
        _: &'a FeedQuery,
        posts: &'a mut [FeedCandidate],
    ) -> Reply<'a, Vec<Verdict>> {
        let mut seen = BTreeSet::new();
        let verdicts = posts
            .iter()
            .map(|post| Verdict::remove_if(!seen.insert(conversation(post)), "conversation"));
        ready(verdicts.collect())
    }
}

/// The least of the ids above the post, or its own: the post that started it, as ids grow with time.
fn conversation(post: &FeedCandidate) -> PostId {
    let above = post
        .facts
        .iter()
        .flat_map(|facts| &facts.ancestors)
        .map(|verdict| verdict.key.post);
    let named = [post.core.conversation, post.core.reply_to.post];
    above.chain(named).filter(|id| id.0 != 0).min().unwrap_or(post.post())
}

#[cfg(test)]
#[path = "dedup_conversation_test.rs"]
mod tests;
