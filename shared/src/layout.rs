//! The layout of a cluster with static membership: which slots a shard owns and where its replicas live.
//!
//! A pure function of the configuration, so that nodes and coordinators agree without talking.

use crate::ids::{NodeId, ReplicaId, ShardEpoch, ShardId};
use crate::slots::{Slot, SlotRange};

/// Epoch of a shard that was neither split nor moved.
pub const FIRST_EPOCH: ShardEpoch = ShardEpoch {
    range_ver: 1,
    conf_ver: 1,
};

/// One replica and its machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The replica.
    pub replica: ReplicaId,
    /// Its machine.
    pub node: NodeId,
}

/// One shard of the layout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShardPlan {
    /// The shard.
    pub shard: ShardId,
    /// Slots that it owns.
    pub slots: SlotRange,
    /// Its epoch.
    pub epoch: ShardEpoch,
    /// Its voters; the first is the preferred leader.
    pub voters: Vec<Place>,
}

impl ShardPlan {
    fn founding(shard: ShardId, slots: SlotRange, voters: impl Iterator<Item = NodeId>) -> ShardPlan {
        let place = |node| Place {
            replica: ReplicaId::new(0, shard, node),
            node,
        };
        ShardPlan {
            shard,
            slots,
            epoch: FIRST_EPOCH,
            voters: voters.map(place).collect(),
        }
    }

    /// The replica on `node`, if there is one.
    pub fn on(&self, node: NodeId) -> Option<Place> {
        self.voters.iter().find(|p| p.node == node).copied()
    }

    /// The node of the voter after the one on `node`, in turn.
    pub fn next_after(&self, node: NodeId) -> NodeId {
        let at = self.voters.iter().position(|voter| voter.node == node).unwrap_or(0);
        self.voters[(at + 1) % self.voters.len()].node
    }
}

fn metadata_on(nodes: &[NodeId]) -> ShardPlan {
    ShardPlan::founding(ShardId::METADATA, SlotRange::NONE, nodes.iter().copied())
}

/// All shards of a cluster, ascending; their slots tile the slot space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The group of the metadata, which owns no slots.
    pub metadata: ShardPlan,
    /// Shards by id.
    pub shards: Vec<ShardPlan>,
}

impl Layout {
    /// `shards` shards with `replication` voters each on `nodes` (ascending), by rotation, so that every node leads and
    /// follows about equally many. `shards ≥ 1`, `1 ≤ replication ≤ nodes.len()`. The metadata lives on the first three, or on
    /// one if there are fewer.
    pub fn fixed(shards: u16, replication: usize, nodes: &[NodeId]) -> Layout {
        let plan = |i: u16| {
            let voters = (0..replication.min(nodes.len())).map(|k| nodes[(usize::from(i) + k) % nodes.len()]);
            ShardPlan::founding(ShardId(u64::from(i) + 1), SlotRange::tile(i, shards), voters)
        };
        Layout {
            metadata: metadata_on(nodes.get(..3).unwrap_or(&nodes[..1])),
            shards: (0..shards).map(plan).collect(),
        }
    }

    /// The same with the metadata on these nodes.
    #[must_use]
    pub fn with_metadata_on(self, nodes: &[NodeId]) -> Layout {
        Layout {
            metadata: metadata_on(nodes),
            ..self
        }
    }

    /// The shard that owns `slot`.
    pub fn owner(&self, slot: Slot) -> &ShardPlan {
        let at = self.shards.partition_point(|s| s.slots.end <= slot.0);
        self.shards
            .get(at)
            .filter(|s| s.slots.contains(slot))
            .expect("the shards of a layout tile the slots")
    }

    /// The group of the metadata, then the shards.
    pub fn groups(&self) -> impl Iterator<Item = &ShardPlan> {
        std::iter::once(&self.metadata).chain(&self.shards)
    }

    /// The shard with this id, or the group of the metadata.
    pub fn shard(&self, id: ShardId) -> Option<&ShardPlan> {
        if id == ShardId::METADATA {
            return Some(&self.metadata);
        }
        self.shards
            .binary_search_by_key(&id, |s| s.shard)
            .ok()
            .map(|i| &self.shards[i])
    }
}

#[cfg(test)]
#[path = "layout_test.rs"]
mod tests;
