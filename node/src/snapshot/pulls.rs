//! Which replicas are to be built from snapshots, and how far they are: small locks, held for a copy.

use std::collections::BTreeMap;
use std::sync::Weak;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use covey_env::Monotonic;
use covey_shard::ShardView;
use covey_shared::ids::{LogIndex, NodeId, ReplicaId, ShardId};
use covey_shared::wire::{RebuildPhase, RebuildStatus, ShardError};
use parking_lot::Mutex;
use tokio::sync::Notify;

/// A pull that no leader has asked for in this time is given up.
const FORGOTTEN: Duration = Duration::from_secs(30);

/// Why a replica is to be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Want {
    /// It found nothing on its disk.
    Lost,
    /// This node, the leader, no longer has the log that it lacks.
    Lagging(NodeId),
    /// What it holds is damaged. Its log goes on behind this index.
    Damaged(LogIndex),
    /// It is not here, but this node, its leader, sends it the log.
    Join {
        /// The replica.
        me: ReplicaId,
        /// The leader's node.
        from: NodeId,
    },
}

/// What the puller has to do for a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// Build it.
    Build(Want),
    /// It is built, or not needed any more: clean up.
    CleanUp,
    /// It should go: find out whether it may.
    Leave(ReplicaId),
    /// It goes: nothing else is done for the shard, above all no other replica of it is begun, until it is gone.
    Leaving,
    /// It is gone: remove what is left of it.
    Retire,
}

#[derive(Debug)]
struct Pull {
    /// It takes no part in its group.
    lost: bool,
    /// `None`: the puller has handed it over, and waits for what comes of it.
    work: Option<Work>,
    not_before: Monotonic,
    asked: Monotonic,
    replaced: Weak<ShardView>,
    began: Option<Monotonic>,
    status: RebuildStatus,
}

/// All pulls of the node.
#[derive(Debug, Default)]
pub(crate) struct Pulls {
    pulls: Mutex<BTreeMap<ShardId, Pull>>,
    changed: Notify,
    closed: AtomicBool,
}

impl Pulls {
    /// Asks for a replica to be built. If it is being built already, only the leader to pull from may be another one by now;
    /// damage is more than lagging, and needs more than to clean up.
    pub(crate) fn want(&self, shard: ShardId, want: Want, now: Monotonic) {
        let mut pulls = self.pulls.lock();
        let news = !pulls.contains_key(&shard);
        let pull = pulls
            .entry(shard)
            .or_insert_with(|| Pull::new(shard, Work::Build(want)));
        pull.asked = now;
        let gives_way = match want {
            // What was handed over is on its way into the group, and must not be swept: this is asked again.
            Want::Damaged(_) => match pull.work {
                Some(Work::Build(wanted)) => wanted != Want::Lost,
                Some(Work::CleanUp) => true,
                Some(Work::Leave(_) | Work::Leaving | Work::Retire) | None => false,
            },
            Want::Join { .. } => matches!(pull.work, Some(Work::Build(Want::Join { .. }))),
            _ => matches!(pull.work, Some(Work::Build(Want::Lagging(_)))),
        };
        if gives_way && pull.work != Some(Work::Build(want)) {
            pull.not_before = Monotonic::default();
            pull.work = Some(Work::Build(want));
            self.changed.notify_one();
        } else if news {
            self.changed.notify_one();
        }
    }

    /// What was handed over is not needed, unless something else is wanted by now.
    pub(crate) fn not_needed(&self, shard: ShardId) {
        let mut pulls = self.pulls.lock();
        if let Some(pull) = pulls.get_mut(&shard).filter(|pull| pull.work.is_none()) {
            pull.work = Some(Work::CleanUp);
        }
        self.changed.notify_one();
    }

    /// What was built has taken its place, or is not needed, or there are leftovers of an earlier one: remove them, but not
    /// while somebody still reads what was `replaced`.
    pub(crate) fn clean_up(&self, shard: ShardId, replaced: Weak<ShardView>) {
        self.insert(shard, Work::CleanUp, replaced);
    }

    /// Asks for a replica to be removed.
    ///
    /// # Errors
    /// `Overloaded` while one that was fetched is on its way into its place, leftovers are removed, or it has lost everything
    /// and asks the others anyway.
    pub(crate) fn leave(&self, gone: ReplicaId) -> Result<(), ShardError> {
        let mut pulls = self.pulls.lock();
        let (shard, work) = (gone.shard(), Work::Leave(gone));
        let pull = pulls.entry(shard).or_insert_with(|| Pull::new(shard, work));
        match pull.work {
            Some(Work::Leave(_) | Work::Leaving) => {}
            Some(Work::Build(wanted)) if wanted != Want::Lost => {
                // It does not wait as long as a build that failed.
                (pull.work, pull.not_before) = (Some(work), Monotonic::default());
            }
            _ => return Err(ShardError::Overloaded { retry_after_ms: 500 }),
        }
        self.changed.notify_one();
        Ok(())
    }

    /// It may go.
    pub(super) fn leaving(&self, shard: ShardId) {
        self.insert(shard, Work::Leaving, Weak::new());
    }

    /// Whether something is to be done for the shard.
    pub(super) fn is_busy(&self, shard: ShardId) -> bool {
        self.pulls.lock().contains_key(&shard)
    }

    /// A replica is gone: what is left of it is to be removed, but not while somebody still reads it.
    pub(crate) fn retire(&self, shard: ShardId, replaced: Weak<ShardView>) {
        self.insert(shard, Work::Retire, replaced);
    }

    fn insert(&self, shard: ShardId, work: Work, replaced: Weak<ShardView>) {
        let pull = Pull {
            replaced,
            ..Pull::new(shard, work)
        };
        self.pulls.lock().insert(shard, pull);
        self.changed.notify_one();
    }

    /// Who should join, has been here before, and has lost everything.
    pub(super) fn is_lost_after_all(&self, shard: ShardId) {
        let mut pulls = self.pulls.lock();
        if let Some(pull) = pulls.get_mut(&shard) {
            (pull.lost, pull.work) = (true, Some(Work::Build(Want::Lost)));
            pull.status.phase = RebuildPhase::Asking;
        }
    }

    /// Whether no leader has asked for this lately: they ask with every heartbeat.
    pub(super) fn is_forgotten(&self, shard: ShardId, now: Monotonic) -> bool {
        let pulls = self.pulls.lock();
        pulls.get(&shard).is_some_and(|pull| now.since(pull.asked) > FORGOTTEN)
    }

    /// Whether the replica has nothing and takes no part in its group.
    pub(crate) fn is_lost(&self, shard: ShardId) -> bool {
        self.pulls.lock().get(&shard).is_some_and(|pull| pull.lost)
    }

    /// What there is to do now.
    pub(super) fn work(&self, now: Monotonic) -> Vec<(ShardId, Work)> {
        let pulls = self.pulls.lock();
        let due = pulls
            .iter()
            .filter(|(_, pull)| pull.not_before <= now && pull.replaced.strong_count() == 0);
        due.filter_map(|(shard, pull)| Some((*shard, pull.work?))).collect()
    }

    /// Lets a pull that failed rest.
    pub(super) fn rest(&self, shard: ShardId, until: Monotonic) {
        if let Some(pull) = self.pulls.lock().get_mut(&shard) {
            pull.not_before = until;
        }
    }

    /// The puller has handed over what it built.
    pub(super) fn handed_over(&self, shard: ShardId) {
        if let Some(pull) = self.pulls.lock().get_mut(&shard) {
            pull.work = None;
        }
    }

    /// Nothing is left to do.
    pub(super) fn forget(&self, shard: ShardId) {
        self.pulls.lock().remove(&shard);
    }

    /// Changes what is shown of a pull.
    pub(super) fn show(&self, shard: ShardId, change: impl FnOnce(&mut RebuildStatus)) {
        if let Some(pull) = self.pulls.lock().get_mut(&shard) {
            change(&mut pull.status);
        }
    }

    /// The transfer begins.
    pub(super) fn begin(&self, shard: ShardId, now: Monotonic) {
        if let Some(pull) = self.pulls.lock().get_mut(&shard) {
            pull.began.get_or_insert(now);
        }
    }

    /// What is being built, by shard.
    pub(crate) fn status(&self, now: Monotonic) -> Vec<RebuildStatus> {
        let shown = |pull: &&Pull| matches!(pull.work, None | Some(Work::Build(_)));
        let status = |pull: &Pull| RebuildStatus {
            elapsed_ms: pull.began.map_or(0, |began| {
                u64::try_from(now.since(began).as_millis()).unwrap_or(u64::MAX)
            }),
            ..pull.status.clone()
        };
        self.pulls.lock().values().filter(shown).map(status).collect()
    }

    /// Waits for news, at most for `pause`.
    pub(super) async fn changed(&self, pause: Duration) {
        // Without news the puller tries again what it could not do.
        let _ = tokio::time::timeout(pause, self.changed.notified()).await;
    }

    /// Ends the puller at its next step.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.changed.notify_one();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }
}

impl Pull {
    fn new(shard: ShardId, work: Work) -> Pull {
        let lost = work == Work::Build(Want::Lost);
        Pull {
            lost,
            work: Some(work),
            not_before: Monotonic::default(),
            asked: Monotonic::default(),
            replaced: Weak::new(),
            began: None,
            status: RebuildStatus {
                shard,
                phase: if lost {
                    RebuildPhase::Asking
                } else {
                    RebuildPhase::Waiting
                },
                source: None,
                silent: Vec::new(),
                bytes: 0,
                total_bytes: 0,
                moved_bytes: 0,
                elapsed_ms: 0,
            },
        }
    }
}

#[cfg(test)]
#[path = "pulls_test.rs"]
mod tests;
