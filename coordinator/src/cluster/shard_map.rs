//! Which shard owns a slot, where its replicas are, and who leads it as far as is known.

use std::collections::BTreeMap;

use covey_config::Config;
use covey_shared::ids::{NodeId, ShardId, UserId};
use covey_shared::layout::{Layout, ShardPlan};
use covey_shared::slots::{Slot, SlotRange};
use parking_lot::Mutex;

/// The static map of a cluster; it never changes while the process runs.
#[derive(Clone, Debug)]
pub(crate) struct ShardMap {
    version: u64,
    layout: Layout,
}

impl ShardMap {
    pub(crate) fn from_config(config: &Config) -> ShardMap {
        ShardMap::new(1, config.layout())
    }

    pub(crate) fn new(version: u64, layout: Layout) -> ShardMap {
        ShardMap { version, layout }
    }

    /// Grows with every change of the map.
    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    pub(crate) fn shards(&self) -> &[ShardPlan] {
        &self.layout.shards
    }

    pub(crate) fn owner(&self, user: UserId) -> &ShardPlan {
        self.layout.owner(Slot::of(user))
    }

    pub(crate) fn shard(&self, id: ShardId) -> Option<&ShardPlan> {
        self.layout.shard(id)
    }

    pub(crate) fn slots(&self, id: ShardId) -> Option<SlotRange> {
        self.shard(id).map(|s| s.slots)
    }
}

/// Who led each shard when it was last heard of. A wrong guess costs one more call.
#[derive(Debug, Default)]
pub(crate) struct Leaders {
    known: Mutex<BTreeMap<ShardId, NodeId>>,
}

impl Leaders {
    pub(crate) fn learn(&self, shard: ShardId, node: NodeId) {
        self.known.lock().insert(shard, node);
    }

    /// The last known leader, else the preferred one.
    pub(crate) fn of(&self, plan: &ShardPlan) -> Option<NodeId> {
        let known = self.known.lock().get(&plan.shard).copied();
        known.or_else(|| plan.voters.first().map(|v| v.node))
    }

    /// `node` said that it does not lead `shard`, or does not answer.
    pub(crate) fn forget(&self, shard: ShardId, node: NodeId) {
        let mut known = self.known.lock();
        if known.get(&shard) == Some(&node) {
            known.remove(&shard);
        }
    }
}

#[cfg(test)]
#[path = "shard_map_test.rs"]
mod tests;
