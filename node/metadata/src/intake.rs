//! What is taken in of what was seen. What makes no sense, or would be too much, is ignored, by all replicas alike.

use std::ops::Range;

use covey_shared::ids::{ReplicaId, ShardId};
use covey_shared::members::{MAX_MEMBERS, ShardDescriptor};
use covey_shared::slots::SLOTS;

use crate::roster::NODES;
use crate::state::Metadata;

/// Shards that are kept.
const MAX_SHARDS: usize = 65_536;
/// Versions of members, as a [`ReplicaId`] has room for them.
const VERSIONS: Range<u64> = 0..1 << 22;

impl Metadata {
    /// Whether a shard as a member says is new to it, and can be taken in.
    pub fn lacks(&self, descriptor: &ShardDescriptor) -> bool {
        let news = match self.shards.get(&descriptor.shard) {
            Some(known) => descriptor.epoch > known.epoch,
            None => self.shards.len() < MAX_SHARDS,
        };
        news && makes_sense(descriptor)
    }

    /// Whether each slot, and the metadata itself, belongs to a shard that is known.
    pub(crate) fn knows_all_shards(&self) -> bool {
        let slots = self.shards.values().map(|known| u64::from(known.slots.count()));
        self.shards.contains_key(&ShardId::METADATA) && slots.sum::<u64>() == u64::from(SLOTS)
    }

    pub(crate) fn observe(&mut self, descriptors: &[ShardDescriptor]) {
        for new in descriptors {
            if self.lacks(new) {
                self.shards.insert(new.shard, new.clone());
            }
        }
    }
}

fn makes_sense(descriptor: &ShardDescriptor) -> bool {
    let members = &descriptor.members;
    let lists = [
        &members.voters,
        &members.outgoing,
        &members.learners,
        &members.learners_next,
    ];
    let belongs = |id: &ReplicaId| id.shard() == descriptor.shard && NODES.contains(&id.node().0);
    let few = lists.iter().all(|list| list.len() <= MAX_MEMBERS) && members.all().len() <= MAX_MEMBERS;
    let version = VERSIONS.contains(&descriptor.epoch.conf_ver);
    few && version && !members.voters.is_empty() && lists.into_iter().flatten().all(belongs)
}

#[cfg(test)]
#[path = "intake_test.rs"]
mod tests;
