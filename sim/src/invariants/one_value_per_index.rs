//! All replicas apply the same entry at the same position.

use covey_shared::ids::{NodeId, ShardId};

use crate::history::History;

/// Checks one applied entry (index, term, hash of its payload) against what others applied there.
pub(crate) fn one_value_per_index(history: &mut History, shard: ShardId, entry: (u64, u64, u64), node: NodeId) {
    let (index, term, hash) = entry;
    let first = *history.entries.entry((shard, index)).or_insert((term, hash));
    if first != (term, hash) {
        history.violations.push(format!(
            "{shard:?} index {index}: {node:?} applied another entry than the first replica"
        ));
    }
}
