//! Source of the Following feed: all that the viewer and the followed users wrote, back in time.

use std::sync::Arc;
use std::time::Duration;

use covey_pipeline::{Reply, RunContext, Source};
use covey_shared::ids::UnixMillis;

use crate::cluster::InNetworkAsk;
use crate::feed::candidate::{Channel, FeedCandidate};
use crate::feed::following::{Section, Span};
use crate::feed::query::{FeedQuery, MAX_LIST};
use crate::feed::shards::Shards;

const NAME: &str = "Following";

/// Required: a page without it would look like the end of the list.
pub(crate) struct Following {
    pub(crate) shards: Arc<dyn Shards>,
    /// `feed.in_network.timeout`.
    pub(crate) timeout: Duration,
}

impl Source<FeedQuery, FeedCandidate> for Following {
    fn required(&self) -> bool {
        true
    }

    fn budget(&self) -> Duration {
        self.timeout
    }

    fn find<'a>(&'a self, run: &'a RunContext, query: &'a FeedQuery) -> Reply<'a, Vec<FeedCandidate>> {
        Box::pin(async move {
            let Some(Section { span, most }) = query.following else {
                return Ok(Vec::new());
            };
            let features = query.features.as_ref();
            let mut authors: Vec<_> = features.map(|features| features.follows.clone()).unwrap_or_default();
            // Nothing of theirs would pass the filters.
            authors.retain(|author| !features.is_some_and(|f| f.blocks(*author) || f.mutes(*author)));
            // The viewer's own posts are the last to be left out of a list that is too long.
            authors.insert(0, query.viewer);
            query.ledger.cut(&[NAME], "followed_list_cut", &mut authors, MAX_LIST);
            authors.sort_unstable();
            authors.dedup();
            let (start, created_from) = match span {
                Span::Newest => (None, UnixMillis(0)),
                Span::From(place) => (Some(place), UnixMillis(0)),
                Span::Since(read) => (None, read.top.created_at),
            };
            let ask = InNetworkAsk {
                viewer: query.viewer,
                authors,
                video_only: query.video_only,
                max_results: most,
                created_from,
                complete: true,
                start,
                ..InNetworkAsk::default()
            };
            let context = query.read_context(run);
            let answer = self.shards.in_network(ask, &context).await;
            let mut found = query.ledger.take(NAME, answer)?;
            found.truncate(most);
            Ok(FeedCandidate::ranked(found, Channel::InNetwork))
        })
    }
}
