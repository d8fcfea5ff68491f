//! Filter: a post that cannot be shown, because nobody wrote it or there is nothing in it.

use covey_pipeline::{RowFilter, Verdict};
use covey_shared::wire::CandidateFlags;

use crate::feed::candidate::{FeedCandidate, Repeated};
use crate::feed::query::FeedQuery;

/// Author and text or media must be there; a repost shows what it repeats, as long as that exists.
pub(crate) struct CoreData;

impl RowFilter<FeedQuery, FeedCandidate> for CoreData {
    fn judge(&self, _: &FeedQuery, post: &FeedCandidate) -> Verdict {
        let core = &post.core;
        if core.key.author.0 == 0 {
            return Verdict::Remove("no_author");
        }
        if post.source == Repeated::Gone {
            return Verdict::Remove("source_gone");
        }
        let has_content = core.flags.has(CandidateFlags::HAS_CONTENT) || core.repost_of.post.0 != 0;
        Verdict::remove_if(!has_content, "no_content")
    }
}

#[cfg(test)]
#[path = "core_data_test.rs"]
mod tests;
