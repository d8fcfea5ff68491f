//! Reads: one message per shard of the call, gathered in the order in which they were asked for.

use std::sync::Arc;

use covey_env::Monotonic;
use covey_shard::{Read as ViewRead, ShardStoreError, ShardView};
use covey_shared::ids::{LogIndex, PostId, ShardEpoch, ShardId};
use covey_shared::model::F16Vector;
use covey_shared::score::Hit;
use covey_shared::slots::SlotRange;
use covey_shared::wire::{
    About, AuthorInfo, AuthorsQuery, Candidate, CandidatesQuery, GetPostsQuery, InNetworkQuery, ListsQuery, NotReady,
    PostView, RankedPost, SearchQuery, ShardError, ShardRead, ShardReply, TextMatch, TextQuery, Verdict, VerdictQuery,
    ViewerQuery, ViewerState,
};
use futures::future::join_all;

use super::calls::NodeHandle;
use crate::shard::Read;

type Outcome<T> = Result<ViewRead<T>, ShardStoreError>;

impl NodeHandle {
    pub(super) async fn get_posts(&self, query: GetPostsQuery, deadline: Monotonic) -> Vec<ShardReply<Vec<PostView>>> {
        self.each(&query.shards.clone(), deadline, Arc::new(query), |view, query, _| {
            view.get_posts(query)
        })
        .await
    }

    pub(super) async fn search(&self, query: SearchQuery, deadline: Monotonic) -> Vec<ShardReply<Vec<Hit>>> {
        self.each(&query.shards.clone(), deadline, Arc::new(query), |view, query, stop| {
            view.search(query, stop)
        })
        .await
    }

    pub(super) async fn viewer(&self, query: ViewerQuery, deadline: Monotonic) -> ShardReply<ViewerState> {
        let shard = query.shard;
        self.one(shard, deadline, Arc::new(query), |view, query, _| view.viewer(query))
            .await
    }

    pub(super) async fn in_network(
        &self,
        query: InNetworkQuery,
        deadline: Monotonic,
    ) -> Vec<ShardReply<Vec<Candidate>>> {
        let shards = query.shards.clone();
        self.each(&shards, deadline, Arc::new(query), |view, query, stop| {
            view.in_network(query, stop)
        })
        .await
    }

    pub(super) async fn lists(&self, query: ListsQuery, deadline: Monotonic) -> Vec<ShardReply<Vec<Vec<RankedPost>>>> {
        self.each(&query.shards.clone(), deadline, Arc::new(query), |view, query, stop| {
            view.lists(query, stop)
        })
        .await
    }

    pub(super) async fn verdicts(&self, query: VerdictQuery, deadline: Monotonic) -> Vec<ShardReply<Vec<Verdict>>> {
        self.each(&query.shards.clone(), deadline, Arc::new(query), |view, query, _| {
            view.verdicts(query)
        })
        .await
    }

    pub(super) async fn authors(&self, query: AuthorsQuery, deadline: Monotonic) -> Vec<ShardReply<Vec<AuthorInfo>>> {
        self.each(&query.shards.clone(), deadline, Arc::new(query), |view, query, _| {
            view.authors(query)
        })
        .await
    }

    pub(super) async fn candidates(
        &self,
        query: CandidatesQuery,
        deadline: Monotonic,
    ) -> Vec<ShardReply<Vec<Candidate>>> {
        self.each(&query.shards.clone(), deadline, Arc::new(query), |view, query, _| {
            view.candidates(query)
        })
        .await
    }

    pub(super) async fn match_texts(&self, query: TextQuery, deadline: Monotonic) -> Vec<ShardReply<Vec<TextMatch>>> {
        self.each(&query.shards.clone(), deadline, Arc::new(query), |view, query, stop| {
            view.match_texts(query, stop)
        })
        .await
    }

    pub(super) async fn logical_hash(&self, shards: Vec<ShardId>, deadline: Monotonic) -> Vec<ShardReply<u64>> {
        let asked = if shards.is_empty() {
            self.replicas.all().iter().map(|replica| replica.shard).collect()
        } else {
            shards
        };
        let mut hashes = Vec::new();
        // One after the other: each scans its whole shard on the pool that serves feeds.
        for shard in asked {
            let read = self.any_state(shard);
            let hash = self.one(read, deadline, Arc::new(()), |view, (), stop| {
                Ok(ViewRead {
                    value: view.logical_hash(stop)?,
                    visited: 0,
                    partial: false,
                    damaged: 0,
                })
            });
            hashes.push(at_its_index(hash.await));
        }
        hashes
    }

    /// Rows of vectors, for a replica in which they are damaged.
    pub(super) async fn vectors(
        &self,
        shard: ShardId,
        posts: Vec<PostId>,
        deadline: Monotonic,
    ) -> Result<Vec<Option<F16Vector>>, ShardError> {
        let read = self.any_state(shard);
        let rows = self.one(read, deadline, Arc::new(posts), |view, posts, _| view.rows_of(posts));
        rows.await.result
    }

    fn any_state(&self, shard: ShardId) -> ShardRead {
        let range_ver = self.replicas.get(shard).map_or(0, |r| r.applied().epoch.range_ver);
        ShardRead::of(shard, range_ver)
    }

    async fn each<Q, T>(
        &self,
        shards: &[ShardRead],
        deadline: Monotonic,
        query: Arc<Q>,
        work: fn(&ShardView, &Q, &dyn Fn() -> bool) -> Outcome<T>,
    ) -> Vec<ShardReply<T>>
    where
        Q: Send + Sync + 'static,
        T: Send + 'static,
    {
        join_all(
            shards
                .iter()
                .map(|shard| self.one(*shard, deadline, query.clone(), work)),
        )
        .await
    }

    async fn one<Q, T>(
        &self,
        accept: ShardRead,
        deadline: Monotonic,
        query: Arc<Q>,
        work: fn(&ShardView, &Q, &dyn Fn() -> bool) -> Outcome<T>,
    ) -> ShardReply<T>
    where
        Q: Send + Sync + 'static,
        T: Send + 'static,
    {
        let Some(replica) = self.replicas.get(accept.shard) else {
            return refused(accept.shard, ShardError::NotHere(accept.shard));
        };
        let span = tracing::info_span!(
            "shard.read",
            shard = accept.shard.0,
            visited = tracing::field::Empty,
            queue_us = tracing::field::Empty,
            work_us = tracing::field::Empty,
        );
        let work = Box::new(move |view: &ShardView, stop: &dyn Fn() -> bool| work(view, &query, stop));
        let read = Read {
            accept,
            deadline,
            work,
            span: span.clone(),
        };
        match replica.actor.send(read).await {
            Ok(reply) => {
                span.record("visited", reply.about.visited);
                span.record("queue_us", reply.about.queue_us);
                span.record("work_us", reply.about.work_us);
                reply
            }
            // The actor is gone: the node shuts down.
            Err(_) => refused(accept.shard, ShardError::NotReady(NotReady::Starting)),
        }
    }
}

/// A hash is only worth something with the very index that it covers.
fn at_its_index(reply: ShardReply<Option<(LogIndex, u64)>>) -> ShardReply<u64> {
    let hash = reply
        .result
        .and_then(|hash| hash.ok_or(ShardError::Overloaded { retry_after_ms: 100 }));
    let applied = hash.as_ref().map_or(reply.about.applied, |(index, _)| *index);
    ShardReply {
        about: About { applied, ..reply.about },
        result: hash.map(|(_, hash)| hash),
        damaged: reply.damaged,
    }
}

fn refused<T>(shard: ShardId, error: ShardError) -> ShardReply<T> {
    ShardReply {
        about: About {
            shard,
            epoch: ShardEpoch::default(),
            slots: SlotRange::NONE,
            applied: LogIndex(0),
            staleness_ms: u32::MAX,
            partial: false,
            visited: 0,
            queue_us: 0,
            work_us: 0,
        },
        result: Err(error),
        damaged: 0,
    }
}
