//! When all is quiet no operation runs any more, and each that was acknowledged stands in the audit log.

use std::collections::BTreeSet;

use covey_shared::ids::OperationId;
use covey_shared::metadata::ClusterView;

use crate::history::History;

/// Checks what the metadata says in the end.
pub(crate) fn operations_end(history: &mut History, view: &ClusterView) {
    let running = view.operations.iter().filter(|operation| operation.record.runs());
    let broken: Vec<String> = running.map(|operation| format!("{operation:?} never ends")).collect();
    history.violations.extend(broken);
    let audited: BTreeSet<OperationId> = view
        .audit
        .iter()
        .filter_map(|line| line.outcome.clone().ok().flatten())
        .collect();
    let lost: Vec<OperationId> = history.started.difference(&audited).copied().collect();
    if !lost.is_empty() {
        let broken = format!("{lost:?} were acknowledged, and the audit log does not know them");
        history.violations.push(broken);
    }
}
