//! Filter: posts whose video is longer than feed.max_video.

use std::time::Duration;

use covey_pipeline::{RowFilter, Verdict};

use crate::feed::candidate::FeedCandidate;
use crate::feed::query::FeedQuery;

/// Off without a limit. A repost shows the video of what it repeats; where that could not be read, nobody knows its length.
pub(crate) struct LongVideo {
    /// `feed.max_video`.
    pub(crate) longest: Option<Duration>,
}

impl RowFilter<FeedQuery, FeedCandidate> for LongVideo {
    fn enable(&self, _: &FeedQuery) -> bool {
        self.longest.is_some()
    }

    fn judge(&self, _: &FeedQuery, post: &FeedCandidate) -> Verdict {
        if post.source_unknown() {
            return Verdict::Unjudged("source_unknown");
        }
        let length = Duration::from_millis(u64::from(post.ranked_as().video_ms));
        Verdict::remove_if(self.longest.is_some_and(|longest| length > longest), "long_video")
    }
}

#[cfg(test)]
#[path = "long_video_test.rs"]
mod tests;
