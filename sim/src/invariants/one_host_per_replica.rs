//! A replica id is used by one host, once.

use covey_shared::ids::NodeId;
use covey_shared::wire::ShardReport;

use crate::history::{Heard, History};

/// Checks one report of a host against others; what was heard `before` it was asked for must not be newer.
pub(crate) fn one_host_per_replica(history: &mut History, before: &Heard, host: NodeId, report: &ShardReport) {
    let replica = report.replica;
    let first = *history.hosts.entry(replica).or_insert(host);
    if first != host || replica.node() != host || replica.shard() != report.descriptor.shard {
        let broken = format!(
            "{replica:?} of {:?} is on {host:?}, first seen on {first:?}",
            replica.node()
        );
        history.violations.push(broken);
    }
    // One that is gone never comes back, so the births on a host only rise.
    let born = (host, replica.shard());
    if let Some(newest) = before.births.get(&born).filter(|newest| replica < **newest) {
        let broken = format!("{host:?} has {replica:?} again, after {newest:?}");
        history.violations.push(broken);
    }
    let newest = history.heard.births.entry(born).or_insert(replica);
    *newest = replica.max(*newest);
}
