//! A write is acknowledged only once somebody has applied it: who acknowledges it has.

use covey_shared::ids::{LogIndex, ShardId};

use crate::history::History;

/// Checks an acknowledgement at the moment at which it comes.
pub(crate) fn acknowledged_is_applied(history: &mut History, shard: ShardId, index: LogIndex) {
    if !history.entries.contains_key(&(shard, index.0)) {
        let broken = format!("{shard:?} {index:?} was acknowledged, and nobody has applied it");
        history.violations.push(broken);
    }
}
