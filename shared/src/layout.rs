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
    /// The replica on `node`, if there is one.
    pub fn on(&self, node: NodeId) -> Option<Place> {
        self.voters.iter().find(|p| p.node == node).copied()
    }
}

/// All shards of a cluster, ascending; their slots tile the slot space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Shards by id.
    pub shards: Vec<ShardPlan>,
}

impl Layout {
    /// `shards` shards with `replication` voters each on `nodes` (ascending), by rotation, so that every node leads and
    /// follows about equally many. `shards ≥ 1`, `1 ≤ replication ≤ nodes.len()`.
    pub fn fixed(shards: u16, replication: usize, nodes: &[NodeId]) -> Layout {
        let plan = |i: u16| {
            let shard = ShardId(u64::from(i) + 1);
            let voters = (0..replication.min(nodes.len()))
                .map(|k| nodes[(usize::from(i) + k) % nodes.len()])
                .map(|node| Place {
                    replica: ReplicaId(shard.0 << 16 | node.0),
                    node,
                })
                .collect();
            ShardPlan {
                shard,
                slots: SlotRange::tile(i, shards),
                epoch: FIRST_EPOCH,
                voters,
            }
        };
        Layout {
            shards: (0..shards).map(plan).collect(),
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

    /// The shard with this id.
    pub fn shard(&self, id: ShardId) -> Option<&ShardPlan> {
        self.shards
            .binary_search_by_key(&id, |s| s.shard)
            .ok()
            .map(|i| &self.shards[i])
    }
}

#[cfg(test)]
#[path = "layout_test.rs"]
mod tests;
