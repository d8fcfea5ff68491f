//! Nearest neighbours over all shards.

use covey_shared::score::Hit;
use covey_shared::wire::{ReplyBody, RequestBody, SearchQuery};

use crate::cluster::Cluster;
use crate::cluster::reads::{MAX_ROWS, ReadError, SearchAsk};
use crate::cluster::report::{Gathered, ReadContext};
use crate::cluster::rounds::Best;

impl Cluster {
    /// The `ask.k` nearest posts, best first, ties by lower post id, each once: the same as one big shard would return.
    ///
    /// # Errors
    /// No shard answered, or the vectors do not fit the space.
    pub async fn search(&self, ask: SearchAsk, context: &ReadContext) -> Result<Gathered<Vec<Hit>>, ReadError> {
        let body = |shards, asked: &[u32]| {
            RequestBody::Search(SearchQuery {
                shards,
                space: ask.space.clone(),
                model_epoch: context.model_epoch,
                vectors: ask.vectors.clone(),
                k: asked[0],
                exact: ask.exact,
                recall_target: ask.recall_target,
                filter: ask.filter.clone(),
            })
        };
        let open = |reply| match reply {
            ReplyBody::Search(replies) => {
                let one_list = replies.into_iter().map(|reply| reply.map(|hits| vec![hits]));
                Some(one_list.collect())
            }
            _ => None,
        };
        let read = Best {
            shards: self.all_shards(),
            wanted: &[ask.k],
            most: MAX_ROWS,
            body: &body,
            open,
        };
        let found = self.best(read, context).await?;
        Ok(found.map(|mut lists| lists.pop().unwrap_or_default()))
    }
}
