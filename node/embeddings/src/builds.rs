//! What holds builds and merges back: a rate, shared by all partitions of a node, and pauses.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use covey_env::{Clock, Monotonic, TokenBucket};
use parking_lot::Mutex;

use crate::error::PartitionError;
use crate::maintenance::Maintainer;
use crate::segment::Segment;
use crate::shared::Shared;

/// Longest wait without a look whether the wait is over for another reason.
const LOOK: Duration = Duration::from_millis(100);
/// Shortest wait.
const GRAIN: Duration = Duration::from_millis(20);
/// Unsealed rows, the tail that is being written included, as a part of what is bearable, from which on nothing waits for the rate.
const HURRY: f64 = 0.5;

/// Segments of a partition that no merge has touched yet, from which on no pause and no rate holds its node back: each keeps
/// a file and a map open, and each search looks into all of them. More than `ann.merge_factor` ever leaves.
const CROWD: usize = 128;

/// What the operator says of the builds of a node. It lives in memory only: a restart ends a pause.
pub struct Builds {
    clock: Arc<dyn Clock>,
    bucket: Mutex<TokenBucket>,
    paused_until: Mutex<Monotonic>,
    /// All partitions of the node: none of them may fill up while another one waits.
    partitions: Mutex<Vec<Maintainer>>,
}

impl Builds {
    /// Builds and merges that together read and write at most `bytes_per_s`.
    pub fn new(clock: Arc<dyn Clock>, bytes_per_s: u64) -> Self {
        Self {
            clock,
            bucket: Mutex::new(TokenBucket::new(bytes_per_s)),
            paused_until: Mutex::default(),
            partitions: Mutex::default(),
        }
    }

    /// Starts no build and no merge for so long, from now; what runs ends at its next step, without effect. Zero ends a pause.
    pub fn pause(&self, pause: Duration) {
        *self.paused_until.lock() = self.clock.monotonic().plus(pause);
    }

    /// What is left of the pause; zero without one, and while it does not hold.
    pub fn pause_left(&self) -> Duration {
        let left = self.paused_until.lock().left(self.clock.monotonic());
        match left.is_zero() || self.is_crowded() {
            true => Duration::ZERO,
            false => left,
        }
    }

    /// From now on the others do not wait when this one fills up.
    pub(crate) fn take_on(&self, partition: Maintainer) {
        self.partitions.lock().push(partition);
    }

    /// Lets go of the partitions whose writers are gone.
    pub(crate) fn forget_stopped(&self) {
        self.partitions.lock().retain(|partition| !partition.is_stopped());
    }

    fn any(&self, matches: impl Fn(&Shared) -> bool) -> bool {
        let partitions = self.partitions.lock();
        let mut running = partitions.iter().filter(|partition| !partition.is_stopped());
        running.any(|partition| matches(&partition.shared))
    }

    /// A pause and the rate hold only as long as this is false.
    fn is_crowded(&self) -> bool {
        self.any(|partition| {
            let view = partition.view.load();
            let small = |segment: &&Arc<Segment>| segment.len() <= partition.options.seal_rows;
            view.segments.iter().filter(small).count() >= CROWD
        })
    }

    fn in_a_hurry(&self) -> bool {
        self.any(|partition| partition.pressure() >= HURRY) || self.is_crowded()
    }

    fn charge(&self, bytes: u64) -> Duration {
        self.bucket.lock().charge(self.clock.monotonic(), bytes)
    }
}

impl fmt::Debug for Builds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builds").finish_non_exhaustive()
    }
}

/// How one step of the maintenance is held back.
#[derive(Clone, Copy)]
pub(crate) struct Pace<'a> {
    builds: Option<&'a Builds>,
    /// It keeps to the rate.
    limited: bool,
    /// It goes on in a pause.
    through_pauses: bool,
}

impl<'a> Pace<'a> {
    /// At full speed.
    pub(crate) const FULL: Pace<'static> = Pace {
        builds: None,
        limited: false,
        through_pauses: true,
    };

    pub(crate) fn new(builds: &'a Builds) -> Self {
        Self {
            builds: Some(builds),
            limited: true,
            through_pauses: false,
        }
    }

    /// For what heals: no pause holds it.
    pub(crate) fn through_pauses(self) -> Self {
        Self {
            through_pauses: true,
            ..self
        }
    }

    /// For what makes room for new rows: it waits for nothing, and does not count.
    pub(crate) fn unlimited(self) -> Self {
        Self { limited: false, ..self }
    }

    pub(crate) fn is_paused(&self) -> bool {
        let paused = |builds: &Builds| !builds.pause_left().is_zero();
        !self.through_pauses && self.builds.is_some_and(paused)
    }
}

impl Shared {
    /// Ends the step that is at work, if there is a reason.
    pub(crate) fn go_on(&self, pace: &Pace<'_>) -> Result<(), PartitionError> {
        if self.stopping.load(Ordering::Acquire) {
            return Err(PartitionError::Stopped);
        }
        if pace.is_paused() {
            return Err(PartitionError::Paused);
        }
        Ok(())
    }

    /// Between two pieces of work: waits until so many bytes may be read and written. The caller holds no lock but that of
    /// the step.
    pub(crate) async fn pass(&self, pace: &Pace<'_>, bytes: u64) -> Result<(), PartitionError> {
        self.go_on(pace)?;
        let Some(builds) = pace.builds.filter(|builds| pace.limited && !builds.in_a_hurry()) else {
            return Ok(());
        };
        let mut left = builds.charge(bytes);
        // Less stays owed: a timer is not finer, and the work in between pays for it.
        while left > GRAIN && !builds.in_a_hurry() {
            tokio::time::sleep(left.min(LOOK)).await;
            self.go_on(pace)?;
            left = builds.charge(0);
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "builds_test.rs"]
mod tests;
