//! The replicas that a node has, as its calls and timers see them. They come and go while it runs, so who works on all of them
//! asks anew each round.

use std::collections::BTreeMap;
use std::sync::Arc;

use actix::Addr;
use arc_swap::ArcSwap;
use covey_env::{Env, watch};
use covey_shard::{Applied, ShardView};
use covey_shared::ids::{LogIndex, ReplicaId, ShardId};
use parking_lot::RwLock;
use tokio::sync::Semaphore;

use crate::apply::MAX_REPLICAS;
use crate::board::Board;
use crate::shard::{ReplicaDeps, ShardActor};

/// Starts an actor that answers reads, from any thread.
pub(crate) type StartShard = Box<dyn Fn(ShardActor) -> Addr<ShardActor> + Send + Sync>;

/// One replica.
pub(crate) struct Replica {
    pub(crate) shard: ShardId,
    pub(crate) me: ReplicaId,
    pub(crate) actor: Addr<ShardActor>,
    view: Arc<ArcSwap<ShardView>>,
}

impl Replica {
    /// What it holds now. A snapshot may put another one in its place.
    pub(crate) fn view(&self) -> Arc<ShardView> {
        self.view.load_full()
    }

    /// What it has applied: its epoch, slots and members are those of the shard as far as it knows.
    pub(crate) fn applied(&self) -> Arc<Applied> {
        self.view.load().applied()
    }
}

/// What the replicas of a node share.
pub(crate) struct Shared {
    pub(crate) env: Env,
    pub(crate) board: Arc<Board>,
    /// How many reads run or wait for the pool.
    pub(crate) permits: Arc<Semaphore>,
    pub(crate) mailbox: usize,
    pub(crate) start: StartShard,
}

/// All of them, by shard.
pub(crate) struct ReplicaSet {
    by_shard: RwLock<BTreeMap<ShardId, Arc<Replica>>>,
    shared: Shared,
}

impl ReplicaSet {
    /// None yet.
    pub(crate) fn new(shared: Shared) -> ReplicaSet {
        let by_shard = RwLock::default();
        ReplicaSet { by_shard, shared }
    }

    pub(crate) fn get(&self, shard: ShardId) -> Option<Arc<Replica>> {
        self.by_shard.read().get(&shard).cloned()
    }

    /// As of now, ascending.
    pub(crate) fn all(&self) -> Vec<Arc<Replica>> {
        self.by_shard.read().values().cloned().collect()
    }

    /// Whether the node may take one more, of which there are [`MAX_REPLICAS`] at most.
    pub(crate) fn has_room(&self) -> bool {
        self.by_shard.read().len() < MAX_REPLICAS
    }

    /// From now on reads find it; `view` and `applied` are kept up to date by its apply worker. If there was another one of its
    /// shard, it takes its place.
    pub(crate) fn host(&self, me: ReplicaId, view: Arc<ArcSwap<ShardView>>, applied: watch::Receiver<LogIndex>) {
        let (shard, shared) = (me.shard(), &self.shared);
        let actor = (shared.start)(ShardActor::new(ReplicaDeps {
            env: shared.env.clone(),
            me,
            view: view.clone(),
            applied,
            board: shared.board.clone(),
            permits: shared.permits.clone(),
            mailbox: shared.mailbox,
        }));
        let replica = Arc::new(Replica { shard, me, actor, view });
        self.by_shard.write().insert(shard, replica);
    }

    /// Reads do not find it any more; those that run come to their end. Its actor ends with the last of them.
    pub(crate) fn remove(&self, shard: ShardId) {
        self.by_shard.write().remove(&shard);
    }
}

#[cfg(test)]
#[path = "replicas_test.rs"]
mod tests;
