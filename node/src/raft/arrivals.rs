//! Replicas that were built from snapshots, on their way into their groups.

use std::collections::BTreeMap;
use std::sync::Weak;

use covey_shard::ShardView;
use covey_shared::ids::ShardId;
use covey_store::log::{LogPosition, RecoveredGroup};

use super::actor::RaftDeps;
use super::{Engine, GroupStart, Restore};
use crate::snapshot::{Arrival, Want};

/// By shard.
#[derive(Debug, Default)]
pub(crate) struct Arrivals {
    /// Not yet stepped into the group.
    offered: BTreeMap<ShardId, Arrival>,
    /// The group has taken it; it becomes the store next.
    taken: BTreeMap<ShardId, Arrival>,
    /// It becomes the store; then its group, which has none, begins with this.
    beginnings: BTreeMap<ShardId, GroupStart>,
    /// What was there before.
    replaced: BTreeMap<ShardId, Weak<ShardView>>,
}

impl Arrivals {
    pub(crate) fn add(&mut self, arrival: Arrival) {
        self.offered.insert(arrival.shard, arrival);
    }

    /// Offers what has arrived to its group. One that does not take part yet has no say.
    pub(crate) fn offer(&mut self, deps: &mut RaftDeps) {
        for (shard, arrival) in std::mem::take(&mut self.offered) {
            if deps.engine.is_dormant(shard) {
                self.beginnings.insert(shard, beginning(&arrival));
                deps.apply.install(arrival);
                continue;
            }
            match deps.engine.restore(shard, &arrival.fetched) {
                Restore::Taken => _ = self.taken.insert(shard, arrival),
                Restore::NotNow => _ = self.offered.insert(shard, arrival),
                Restore::NotNeeded => {
                    // Much memory: not on the thread of the heartbeats.
                    deps.env.spawn.compute(Box::new(move || drop(arrival)));
                    deps.pulls.not_needed(shard);
                }
            }
        }
    }

    /// What the group has taken.
    pub(crate) fn take(&mut self, shard: ShardId, index: u64) -> Arrival {
        let taken = self
            .taken
            .remove(&shard)
            .filter(|arrival| arrival.fetched.at.index == index);
        taken.expect("a group restores only what it was offered")
    }

    pub(crate) fn installed(&mut self, shard: ShardId, index: u64, replaced: Weak<ShardView>, engine: &mut Engine) {
        self.replaced.insert(shard, replaced);
        match self.beginnings.remove(&shard) {
            Some(start) => engine.begin(shard, start),
            None => engine.installed(shard, index),
        }
    }

    /// Passes on who has to pull, and who has done so.
    pub(crate) fn settle(&mut self, deps: &mut RaftDeps) {
        let now = deps.env.clock.monotonic();
        for (shard, from) in deps.engine.take_pulls() {
            deps.pulls.want(shard, Want::Lagging(from), now);
        }
        for shard in deps.engine.take_settled() {
            let replaced = self.replaced.remove(&shard).unwrap_or_default();
            deps.pulls.clean_up(shard, replaced);
        }
    }
}

fn beginning(arrival: &Arrival) -> GroupStart {
    let LogPosition { index, term } = arrival.fetched.at;
    GroupStart {
        log: RecoveredGroup {
            hard_state: arrival.hard_state,
            compacted: LogPosition { index, term },
            ..RecoveredGroup::default()
        },
        applied: index,
        voters: arrival.fetched.voters.clone(),
        damaged: false,
    }
}
