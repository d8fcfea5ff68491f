//! The best posts of the lists that all shards keep ranked.

use covey_shared::ids::UnixMillis;
use covey_shared::wire::{Candidate, ListAsk, ListsQuery, RankedPost, ReplyBody, RequestBody, SearchFilter};

use crate::cluster::Cluster;
use crate::cluster::reads::{MAX_ROWS, ReadError, opener};
use crate::cluster::report::{Gathered, ReadContext};
use crate::cluster::rounds::Best;

/// Lists, all under the same conditions.
#[derive(Clone, Debug, Default)]
pub struct ListsAsk {
    /// At most [`MAX_LISTS`](covey_shared::wire::MAX_LISTS), with how many posts of all shards together. Of each shard come at most 1000.
    pub lists: Vec<ListAsk>,
    /// Now, for the decay.
    pub now: UnixMillis,
    /// Conditions.
    pub filter: SearchFilter,
}

impl Cluster {
    /// The best posts of each list, in the order in which they are asked for, best first, each once: the same as one big shard
    /// would return. One fan-out reads them all. The report is partial if a shard may hold more of a list than the 1000 posts that one
    /// may be asked for.
    ///
    /// # Errors
    /// No shard answered, or too much is asked for.
    pub async fn lists(
        &self,
        ask: ListsAsk,
        context: &ReadContext,
    ) -> Result<Gathered<Vec<Vec<Candidate>>>, ReadError> {
        let wanted: Vec<usize> = ask.lists.iter().map(|list| list.posts as usize).collect();
        let body = |shards, asked: &[u32]| {
            let lists = ask.lists.iter().zip(asked);
            let lists = lists.map(|(list, &posts)| ListAsk { posts, ..*list });
            RequestBody::Lists(ListsQuery {
                shards,
                lists: lists.collect(),
                now: ask.now,
                filter: ask.filter.clone(),
            })
        };
        let read = Best {
            shards: self.all_shards(),
            wanted: &wanted,
            most: MAX_ROWS,
            body: &body,
            open: opener!(Lists),
        };
        let found = self.best(read, context).await?;
        let posts = |list: Vec<RankedPost>| list.into_iter().map(|ranked| ranked.post).collect();
        Ok(found.map(|lists| lists.into_iter().map(posts).collect()))
    }
}

#[cfg(test)]
#[path = "lists_test.rs"]
mod tests;
