//! How far the records of a replica are read, for whoever waits for it.

use std::sync::Arc;
use std::time::Duration;

use covey_env::{Clock, Env, Monotonic};
use covey_shared::ids::ShardId;
use covey_shared::slots::{Slot, SlotRange};

/// Pause between two lines of the log.
const PAUSE: Duration = Duration::from_secs(5);

pub(crate) struct Progress {
    clock: Arc<dyn Clock>,
    shard: ShardId,
    slots: SlotRange,
    started: Monotonic,
    told: Monotonic,
}

impl Progress {
    pub(crate) fn new(env: &Env, shard: ShardId, slots: SlotRange) -> Self {
        let now = env.clock.monotonic();
        Progress {
            clock: env.clock.clone(),
            shard,
            slots,
            started: now,
            told: now,
        }
    }

    /// Since the last look, or the beginning, until now; the next one counts from here.
    pub(crate) fn lap(&mut self) -> Duration {
        let now = self.clock.monotonic();
        let lap = now.since(self.started);
        self.started = now;
        lap
    }

    /// The reader is at `slot`; says so now and then. How many records there are nobody knows before, but slots are filled
    /// evenly.
    pub(crate) fn at(&mut self, slot: Slot, records: u64) {
        let now = self.clock.monotonic();
        if now.since(self.told) < PAUSE {
            return;
        }
        self.told = now;
        let share = share(self.slots, slot);
        tracing::info!(
            shard = self.shard.0,
            records,
            of_about = (records as f64 / share) as u64,
            percent = (share * 100.0).round(),
            left_s = (now.since(self.started).as_secs_f64() * (1.0 / share - 1.0)).round(),
            "reading the records of a replica"
        );
    }
}

/// Part of the slots before this one, above 0.
fn share(slots: SlotRange, slot: Slot) -> f64 {
    let all = f64::from(slots.end.saturating_sub(slots.start).max(1));
    let done = f64::from(slot.0.saturating_sub(slots.start).max(1));
    (done / all).min(1.0)
}

#[cfg(test)]
#[path = "progress_test.rs"]
mod tests;
