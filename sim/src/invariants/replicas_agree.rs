//! Replicas at the same applied index hold the same content.

use std::collections::BTreeMap;

use covey_shared::ids::{LogIndex, NodeId, ShardId};

use crate::history::History;

/// Compares the logical hashes of all replicas.
pub(crate) fn replicas_agree(history: &mut History, hashes: &BTreeMap<(ShardId, LogIndex), Vec<(NodeId, u64)>>) {
    for ((shard, index), replicas) in hashes {
        if replicas.windows(2).any(|pair| pair[0].1 != pair[1].1) {
            history
                .violations
                .push(format!("{shard:?} at {index:?}: replicas differ: {replicas:?}"));
        }
    }
}
