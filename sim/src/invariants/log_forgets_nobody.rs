//! Who takes part in a group is in the log of its host, and stays there: in the end as one that is gone.

use std::collections::BTreeSet;

use covey_shared::ids::{NodeId, ReplicaId};

use crate::history::History;

/// Checks what the log of a host has at a start against who was seen there, unless the disk is a new one.
pub(crate) fn log_forgets_nobody(history: &mut History, host: NodeId, log: &BTreeSet<ReplicaId>, new_disk: bool) {
    if new_disk {
        history.hosts.retain(|_, seen| *seen != host);
    }
    let seen = history.hosts.iter().filter(|(_, seen)| **seen == host);
    let forgotten: Vec<ReplicaId> = seen.map(|(replica, _)| *replica).filter(|r| !log.contains(r)).collect();
    if !forgotten.is_empty() {
        let broken = format!("the log of {host:?} knows nothing of {forgotten:?}, which took part");
        history.violations.push(broken);
    }
}
