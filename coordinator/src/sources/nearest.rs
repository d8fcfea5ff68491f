//! The steps of a source that searches the space of content: vectors of posts, their neighbours, and what is known of those.

use std::collections::BTreeMap;

use covey_pipeline::{ComponentError, RunContext};
use covey_shared::ids::PostKey;
use covey_shared::score::Hit;
use covey_shared::wire::{Candidate, PostView, SearchFilter};

use crate::cluster::SearchAsk;
use crate::feed::query::FeedQuery;
use crate::feed::shards::Shards;
use crate::sources::interests::liked;

/// The space of the posts' own vectors, until there is a user tower.
const SPACE: &str = "content";
/// Most hits of one search.
const MAX_HITS: usize = 1000;

/// One request of one source. Each step has its share of what is left of the source's time, since a shard that does not answer must not
/// use up that of the steps after it.
pub(super) struct Nearest<'a> {
    pub(super) name: &'static str,
    pub(super) shards: &'a dyn Shards,
    pub(super) run: &'a RunContext,
    pub(super) query: &'a FeedQuery,
    /// How many liked posts are read, for all sources: the longest history of any.
    pub(super) reads: usize,
}

impl Nearest<'_> {
    /// The vectors of what the viewer liked last; those of posts that are gone are missing.
    pub(super) async fn liked(&self) -> Result<&BTreeMap<PostKey, Vec<f32>>, ComponentError> {
        let read = || {
            self.vectors(
                liked(&self.query.sequence, self.reads)
                    .into_iter()
                    .map(|(key, _)| key)
                    .collect(),
            )
        };
        self.query.liked.get_or_try_init(read).await
    }

    async fn vectors(&self, keys: Vec<PostKey>) -> Result<BTreeMap<PostKey, Vec<f32>>, ComponentError> {
        let context = self.query.read_within(self.run, self.run.time_left() / 3);
        let answer = self.shards.vectors(keys, &context).await;
        let views = self.query.ledger.take(self.name, answer)?;
        let vector = |view: PostView| (view.post.key, view.post.vector.to_f32());
        Ok(views.into_iter().map(vector).collect())
    }

    /// The posts nearest to a vector, best first.
    pub(super) async fn hits(
        &self,
        vector: Vec<f32>,
        k: usize,
        filter: SearchFilter,
    ) -> Result<Vec<Hit>, ComponentError> {
        let ask = SearchAsk {
            space: SPACE.to_owned(),
            vectors: vec![vector],
            k: k.min(MAX_HITS),
            exact: false,
            recall_target: 0.0,
            filter,
        };
        let context = self.query.read_within(self.run, self.run.time_left() / 2);
        self.query
            .ledger
            .take(self.name, self.shards.search(ask, &context).await)
    }

    /// Their fixed-width fields, in the order of the hits; posts that are gone by now are left out.
    pub(super) async fn candidates(&self, hits: &[Hit]) -> Result<Vec<Candidate>, ComponentError> {
        if hits.is_empty() {
            return Ok(Vec::new());
        }
        let keys = hits.iter().map(|hit| hit.key).collect();
        let context = self.query.read_context(self.run);
        let answer = self.shards.candidates(keys, &context).await;
        let read = self.query.ledger.take(self.name, answer)?;
        let fields: BTreeMap<PostKey, Candidate> = read.into_iter().map(|core| (core.key, core)).collect();
        let scored = |hit: &Hit| {
            let core = fields.get(&hit.key)?;
            Some(Candidate {
                source_score: hit.score,
                ..*core
            })
        };
        Ok(hits.iter().filter_map(scored).collect())
    }
}
