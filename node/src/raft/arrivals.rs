//! Replicas that were built from snapshots, on their way into their groups.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use arc_swap::ArcSwap;
use covey_env::{Monotonic, watch};
use covey_shard::ShardView;
use covey_shared::ids::{LogIndex, ReplicaId, ShardId};
use covey_store::log::{LogPosition, RecoveredGroup};

use super::actor::RaftDeps;
use super::{GroupStart, Restore};
use crate::snapshot::{Arrival, Want};

/// How long an arrival waits for a leader, or for the log to get there. Then it is given up; who needs one still says so again.
const PATIENCE: Duration = Duration::from_secs(30);

/// Who, what it holds, and how far it is.
type Seen = (ReplicaId, Arc<ArcSwap<ShardView>>, watch::Receiver<LogIndex>);

/// By shard.
#[derive(Debug, Default)]
pub(crate) struct Arrivals {
    /// Not yet stepped into the group, and since when.
    offered: BTreeMap<ShardId, (Arrival, Monotonic)>,
    /// The group has taken it; it becomes the store next.
    taken: BTreeMap<ShardId, Arrival>,
    /// It becomes the store; then its group, which has none, begins with this.
    beginnings: BTreeMap<ShardId, GroupStart>,
    /// New here: where its reads will find it.
    seats: BTreeMap<ShardId, Seen>,
    /// What was there before.
    replaced: BTreeMap<ShardId, Weak<ShardView>>,
}

impl Arrivals {
    pub(crate) fn add(&mut self, arrival: Arrival, now: Monotonic) {
        self.offered.insert(arrival.shard, (arrival, now));
    }

    /// Offers what has arrived to its group. One that does not take part yet has no say.
    pub(crate) fn offer(&mut self, deps: &mut RaftDeps) {
        let now = deps.env.clock.monotonic();
        for (shard, (arrival, since)) in std::mem::take(&mut self.offered) {
            if let Some(seat) = &arrival.seat {
                let seen = (arrival.me, seat.view.clone(), seat.applied.subscribe());
                self.seats.insert(shard, seen);
                deps.engine.host(arrival.me);
            }
            if deps.engine.is_dormant(shard) {
                self.beginnings.insert(shard, beginning(&arrival));
                deps.apply.install(arrival);
                continue;
            }
            match deps.engine.restore(shard, &arrival.fetched) {
                Restore::Taken => _ = self.taken.insert(shard, arrival),
                Restore::NotNow if now.since(since) < PATIENCE => _ = self.offered.insert(shard, (arrival, since)),
                // It may never be: of one that was removed meanwhile no leader hears.
                Restore::NotNow | Restore::NotNeeded => {
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

    pub(crate) fn installed(&mut self, shard: ShardId, index: u64, replaced: Weak<ShardView>, deps: &mut RaftDeps) {
        self.replaced.insert(shard, replaced);
        if let Some((me, view, applied)) = self.seats.remove(&shard) {
            deps.replicas.host(me, view, applied);
        }
        match self.beginnings.remove(&shard) {
            Some(start) => deps.engine.begin(shard, start),
            None => deps.engine.installed(shard, index),
        }
    }

    /// Passes on who has to pull, who has done so, and who is gone.
    pub(crate) fn settle(&mut self, deps: &mut RaftDeps) {
        let now = deps.env.clock.monotonic();
        for (shard, from) in deps.engine.take_pulls() {
            deps.pulls.want(shard, Want::Lagging(from), now);
        }
        for shard in deps.engine.take_settled() {
            let replaced = self.replaced.remove(&shard).unwrap_or_default();
            deps.pulls.clean_up(shard, replaced);
        }
        for shard in deps.engine.take_removed() {
            deps.replicas.remove(shard);
            deps.board.remove(shard);
            deps.apply.destroy(shard);
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
        descriptor: arrival.fetched.descriptor.clone(),
        damaged: false,
    }
}
