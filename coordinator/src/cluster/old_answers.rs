//! Who answered with old data a moment ago: a replica that has fallen far behind is quick, and would be asked first each time.

use std::collections::BTreeMap;
use std::time::Duration;

use covey_env::Monotonic;
use covey_shared::ids::{NodeId, ShardId};
use parking_lot::Mutex;

/// After so long it may try again, at the price of a second call.
const REMEMBERED: Duration = Duration::from_secs(1);

/// By shard and node, until when.
#[derive(Debug, Default)]
pub(crate) struct OldAnswers {
    until: Mutex<BTreeMap<(ShardId, NodeId), Monotonic>>,
}

impl OldAnswers {
    /// Takes in whose answers were too old, and whose were not.
    pub(crate) fn learn(&self, ages: &[(ShardId, NodeId, bool)], now: Monotonic) {
        let mut until = self.until.lock();
        if until.is_empty() && ages.iter().all(|(_, _, old)| !old) {
            return;
        }
        until.retain(|_, until| *until > now);
        for (shard, node, old) in ages {
            match old {
                true => _ = until.insert((*shard, *node), now.plus(REMEMBERED)),
                false => _ = until.remove(&(*shard, *node)),
            }
        }
    }

    /// Whose answers for which shard were too old: nearly always nobody's.
    pub(crate) fn all(&self, now: Monotonic) -> Vec<(ShardId, NodeId)> {
        let until = self.until.lock();
        until
            .iter()
            .filter(|(_, until)| **until > now)
            .map(|(of, _)| *of)
            .collect()
    }
}

#[cfg(test)]
#[path = "old_answers_test.rs"]
mod tests;
