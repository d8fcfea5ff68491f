//! Which shard owns a slot, where its replicas are, and who leads it as far as is known.

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use covey_config::Config;
use covey_shared::ids::{NodeId, ReplicaId, ShardId, UserId};
use covey_shared::layout::{Layout, Place, ShardPlan};
use covey_shared::members::ShardDescriptor;
use covey_shared::slots::{Slot, SlotRange};
use parking_lot::Mutex;

/// The map of a cluster at one moment.
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

    /// Those that own slots; the metadata is none of them.
    pub(crate) fn shards(&self) -> &[ShardPlan] {
        &self.layout.shards
    }

    pub(crate) fn owner(&self, user: UserId) -> &ShardPlan {
        self.layout.owner(Slot::of(user))
    }

    /// The metadata and those that own slots.
    pub(crate) fn groups(&self) -> impl Iterator<Item = &ShardPlan> {
        self.layout.groups()
    }

    pub(crate) fn shard(&self, id: ShardId) -> Option<&ShardPlan> {
        self.layout.shard(id)
    }

    pub(crate) fn slots(&self, id: ShardId) -> Option<SlotRange> {
        self.shard(id).map(|s| s.slots)
    }

    /// Whether a replica on `node` that knows its shard like this may lead it: it is a member, or knows better than this map.
    pub(crate) fn may_lead(&self, descriptor: &ShardDescriptor, node: NodeId) -> bool {
        let plan = self.layout.shard(descriptor.shard);
        plan.is_none_or(|plan| descriptor.epoch > plan.epoch || plan.voters.iter().any(|voter| voter.node == node))
    }

    /// With what is newer in `descriptor`; `None` if nothing is.
    fn with(&self, descriptor: &ShardDescriptor) -> Option<ShardMap> {
        let plan = self.layout.shard(descriptor.shard)?;
        let newer = descriptor.epoch.range_ver == plan.epoch.range_ver && descriptor.epoch > plan.epoch;
        if !newer || descriptor.slots != plan.slots || descriptor.members.voters.is_empty() {
            return None;
        }
        let place = |replica: &ReplicaId| Place {
            replica: *replica,
            node: replica.node(),
        };
        let mut map = self.clone();
        map.version += 1;
        let mut groups = std::iter::once(&mut map.layout.metadata).chain(&mut map.layout.shards);
        let plan = groups.find(|plan| plan.shard == descriptor.shard)?;
        plan.epoch = descriptor.epoch;
        plan.voters = descriptor.members.voters.iter().map(place).collect();
        Some(map)
    }
}

/// The map as far as is known. It begins with the founding layout of the configuration; each answer about the state of a node brings what
/// has changed since. An old one costs detours: no read or write depends on it being right.
#[derive(Debug)]
pub(crate) struct MapCell(ArcSwap<ShardMap>);

impl MapCell {
    pub(crate) fn new(map: ShardMap) -> MapCell {
        MapCell(ArcSwap::new(Arc::new(map)))
    }

    /// As of now; whoever decides twice by one map takes it once.
    pub(crate) fn load(&self) -> Arc<ShardMap> {
        self.0.load_full()
    }

    /// A replica says that its shard is so.
    pub(crate) fn learn(&self, descriptor: &ShardDescriptor) {
        // Nearly always nothing is new.
        if self.0.load().with(descriptor).is_some() {
            self.0
                .rcu(|map| map.with(descriptor).map_or_else(|| map.clone(), Arc::new));
        }
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
        // One that a newer plan does not name has been left behind.
        let votes = |node: &NodeId| plan.voters.iter().any(|voter| voter.node == *node);
        let known = self.known.lock().get(&plan.shard).copied().filter(votes);
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
