//! Filter: a post that cannot be shown, because nobody wrote it or there is nothing in it.

use covey_pipeline::{Filter, Reply, RunContext, Verdict, ready};
use covey_shared::wire::CandidateFlags;

use crate::feed::candidate::FeedCandidate;
use crate::feed::query::FeedQuery;

/// Author and text or media must be there; a repost shows what it repeats.
pub(crate) struct CoreData;

impl Filter<FeedQuery, FeedCandidate> for CoreData {
    fn filter<'a>(
        &'a self,
        _: &'a RunContext,
        _: &'a FeedQuery,
        posts: &'a mut [FeedCandidate],
    ) -> Reply<'a, Vec<Verdict>> {
        ready(posts.iter().map(judge).collect())
    }
}

fn judge(post: &FeedCandidate) -> Verdict {
    let core = &post.core;
    if core.key.author.0 == 0 {
        return Verdict::Remove("no_author");
    }
    let has_content = core.flags.has(CandidateFlags::HAS_CONTENT) || core.repost_of.post.0 != 0;
    Verdict::remove_if(!has_content, "no_content")
}

#[cfg(test)]
#[path = "core_data_test.rs"]
mod tests;
