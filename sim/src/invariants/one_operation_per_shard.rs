//! No two operations work on one shard at the same time.

use std::collections::BTreeMap;

use covey_shared::metadata::ClusterView;

use crate::history::History;

/// Checks what the leader of the metadata says.
pub(crate) fn one_operation_per_shard(history: &mut History, view: &ClusterView) {
    let mut running = BTreeMap::new();
    for record in view.operations.iter().map(|operation| &operation.record) {
        let Some(shard) = record.what.shard().filter(|_| record.runs()) else {
            continue;
        };
        if let Some(other) = running.insert(shard, record.id) {
            let broken = format!("{other:?} and {:?} both work on {shard:?}", record.id);
            history.violations.push(broken);
        }
    }
}
