//! Opens the replicas of a node.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Weak};

use covey_env::Monotonic;
use covey_shared::ids::{LogIndex, ReplicaId, ShardId};
use covey_store::log::{LogBatch, LogStore, Recovered};
use tokio::sync::Semaphore;

use super::found::Here;
use super::open::{Opened, Opening, open_one};
use super::{StartError, StartReport};
use crate::apply::Applier;
use crate::board::Board;
use crate::raft::GroupStart;
use crate::replicas::{ReplicaSet, Shared, StartShard};
use crate::snapshot::{LostReplica, Pulls, Want};

/// The replicas of this node, by shard.
pub(crate) struct Replicas {
    opened: BTreeMap<ShardId, Opened>,
    gone: BTreeSet<ReplicaId>,
    log: Option<Box<dyn LogStore>>,
    pulls: Arc<Pulls>,
}

impl Replicas {
    /// Opens every replica that is here. One of which the log knows nothing is new, or lost everything: it takes part in its
    /// group once the other members have been asked.
    pub(crate) fn open(
        opening: &Opening<'_>,
        mut log: Box<dyn LogStore>,
        recovered: Recovered,
        start: &mut StartReport,
    ) -> Result<Replicas, StartError> {
        if let Some(torn) = &recovered.torn {
            let (path, offset, bytes) = (torn.path.display(), torn.offset, torn.bytes);
            tracing::warn!(%path, offset, bytes, "the log ended in an unfinished write, never acknowledged: cut off");
        }
        let here = Here::look(&*opening.kv, opening.layout, opening.node, recovered.groups)?;
        let mut opened = BTreeMap::new();
        let (pulls, mut resets) = (Arc::new(Pulls::default()), LogBatch::new());
        let of = here.replicas.len();
        for (done, (shard, found)) in here.replicas.into_iter().enumerate() {
            let (one, report) = open_one(opening, found, &mut resets)?;
            start.add_replica(&report);
            if one.start.is_none() {
                pulls.want(shard, Want::Lost, Monotonic::default());
            } else if one.leftovers {
                pulls.clean_up(shard, Weak::new());
            }
            tracing::info!(shard = shard.0, done = done + 1, of, "replica open");
            opened.insert(shard, one);
        }
        for shard in here.leftovers {
            pulls.retire(shard, Weak::new());
        }
        if !resets.is_empty() {
            log.append(&resets)?;
            log.sync()?;
        }
        Ok(Replicas {
            opened,
            gone: here.gone,
            log: Some(log),
            pulls,
        })
    }

    /// The replicas that have to be fetched, or have leftovers to remove.
    pub(crate) fn pulls(&self) -> Arc<Pulls> {
        self.pulls.clone()
    }

    /// The replicas of which the log knows nothing.
    pub(crate) fn lost(&self) -> BTreeMap<ShardId, LostReplica> {
        let lost = |(shard, o): (&ShardId, &Opened)| {
            let applied = o.view.load().applied();
            let lost = LostReplica {
                me: o.me,
                descriptor: applied.descriptor(*shard),
                // One that knows no members has lost what it had, too.
                without_log: applied.index > LogIndex(0) || applied.members.voters.is_empty(),
                unseated: false,
            };
            (*shard, lost)
        };
        let all = self.opened.iter().filter(|(_, o)| o.start.is_none());
        all.map(lost).collect()
    }

    /// Replicas that were here, and must never be again.
    pub(crate) fn gone(&self) -> BTreeSet<ReplicaId> {
        self.gone.clone()
    }

    pub(crate) fn take_log(&mut self) -> Box<dyn LogStore> {
        self.log.take().expect("the log goes to one writer")
    }

    pub(crate) fn take_groups(&mut self) -> Vec<(ReplicaId, Option<GroupStart>)> {
        let group = |o: &mut Opened| (o.me, o.start.take());
        self.opened.values_mut().map(group).collect()
    }

    /// The writing sides of the shards that `belong` to one worker.
    pub(crate) fn appliers(&mut self, belong: impl Fn(ShardId) -> bool) -> BTreeMap<ShardId, Applier> {
        let mine = self.opened.iter_mut().filter(|(shard, _)| belong(**shard));
        mine.filter_map(|(shard, o)| Some((*shard, o.applier.take()?)))
            .collect()
    }

    /// Has reads find them.
    pub(crate) fn host(
        &self,
        opening: &Opening<'_>,
        board: &Arc<Board>,
        start: StartShard,
    ) -> Result<Arc<ReplicaSet>, StartError> {
        let set = ReplicaSet::new(Shared {
            env: opening.env.clone(),
            board: board.clone(),
            permits: Arc::new(Semaphore::new(opening.config.ann.search_permits)),
            mailbox: opening.config.coordinator.mailbox,
            start,
        });
        for o in self.opened.values() {
            if !set.has_room() {
                return Err(StartError::NoRoom(self.opened.len()));
            }
            set.host(o.me, o.view.clone(), o.applied.clone());
        }
        Ok(Arc::new(set))
    }
}

#[cfg(test)]
#[path = "replicas_test.rs"]
mod tests;
