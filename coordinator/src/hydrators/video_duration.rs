//! Hydrator: how long the video of a post is.

use covey_pipeline::{Hydrator, Reply, Rows, RunContext, ready};

use crate::feed::candidate::FeedCandidate;
use crate::feed::query::FeedQuery;

/// Needs no read: the length is one of the fixed-width fields that come with a candidate. A repost has none of its own;
/// [`RetweetSource`](crate::hydrators::retweet_source::RetweetSource) fills it in.
pub(crate) struct VideoDuration;

impl Hydrator<FeedQuery, FeedCandidate> for VideoDuration {
    fn hydrate<'a>(
        &'a self,
        _: &'a RunContext,
        _: &'a FeedQuery,
        posts: &'a [FeedCandidate],
    ) -> Reply<'a, Rows<FeedCandidate>> {
        let length = |post: &FeedCandidate| (post.core.video_ms > 0).then_some(post.core.video_ms);
        let values = posts.iter().map(length).collect();
        ready(Rows::all(values, |post: &mut FeedCandidate, length| {
            post.video_ms = length
        }))
    }
}
