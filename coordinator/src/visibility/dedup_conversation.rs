//! Post-selection filter: one post per conversation.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use covey_pipeline::{Filter, Reply, RunContext, Verdict, ready};
use covey_shared::ids::PostId;

use crate::feed::candidate::FeedCandidate;
use crate::feed::query::FeedQuery;

/// The post with the highest score of a conversation stays; of equal ones the first.
pub(crate) struct DedupConversation;

impl Filter<FeedQuery, FeedCandidate> for DedupConversation {
    fn filter<'a>(
        &'a self,
        _: &'a RunContext,
        _: &'a FeedQuery,
        posts: &'a mut [FeedCandidate],
    ) -> Reply<'a, Vec<Verdict>> {
        // Rules and backfill append to the slate, so it need not be in order.
        let mut order: Vec<usize> = (0..posts.len()).collect();
        order.sort_by_key(|i| Reverse(posts[*i].score));
        let mut seen = BTreeSet::new();
        let mut verdicts = vec![Verdict::Keep; posts.len()];
        for i in order {
            verdicts[i] = Verdict::remove_if(!seen.insert(conversation(&posts[i])), "conversation");
        }
        ready(verdicts)
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
