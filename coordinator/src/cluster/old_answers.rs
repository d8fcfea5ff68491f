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
        // Nearly always nobody is old: then nothing is looked up.
        for (shard, node, old) in ages {
            match old {
                true => _ = until.insert((*shard, *node), now.plus(REMEMBERED)),
                false => _ = until.remove(&(*shard, *node)),
            }
        }
    }

    /// Whose answers for `shard` were too old.
    pub(crate) fn of(&self, shard: ShardId, now: Monotonic) -> Vec<NodeId> {
        let until = self.until.lock();
        let of_shard = until.range((shard, NodeId(0))..=(shard, NodeId(u64::MAX)));
        of_shard
            .filter(|(_, until)| **until > now)
            .map(|((_, node), _)| *node)
            .collect()
    }
}

#[cfg(test)]
#[path = "old_answers_test.rs"]
mod tests;
