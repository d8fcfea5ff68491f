//! The thread that maintains the partitions of a node.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use covey_env::{Clock, Env, Monotonic, Priority, WorkerError, WorkerHandle};
use tokio::sync::mpsc;

use crate::builds::Builds;
use crate::error::PartitionError;
use crate::maintenance::{Maintainer, Step};

/// Partitions that may wait to be taken on: more than a node opens between two looks.
const WAITING: usize = 1024;
/// A partition that failed is left alone no longer than this: its disk may have room again.
const LONGEST_REST: Duration = Duration::from_secs(60);

/// A worker that steps through all its partitions in turn, so that a long merge of one does not starve the others for
/// more than that step.
#[derive(Debug)]
pub struct MaintenanceWorker {
    partitions: MaintenanceIntake,
    handle: WorkerHandle,
}

/// The way to the worker, which ends when all of them are gone.
#[derive(Clone, Debug)]
pub struct MaintenanceIntake {
    partitions: mpsc::Sender<Maintainer>,
    builds: Arc<Builds>,
}

impl MaintenanceIntake {
    /// Has a partition maintained until its writer is dropped.
    ///
    /// # Errors
    /// [`NotTaken`].
    pub fn maintain(&self, partition: Maintainer) -> Result<(), NotTaken> {
        self.partitions.try_send(partition.clone()).map_err(|_| NotTaken)?;
        // At once, and not when the worker looks for news: it may be waiting for the rate, and this one may fill up.
        self.builds.take_on(partition);
        Ok(())
    }
}

/// The worker has ended or has too many partitions waiting.
#[derive(Debug, thiserror::Error)]
#[error("the maintenance worker takes no more partitions; is the node shutting down?")]
pub struct NotTaken;

impl MaintenanceWorker {
    /// Starts it; it looks for work every `interval`, and after errors less and less often. It works within what `builds`
    /// allows.
    ///
    /// # Errors
    /// The operating system refused the thread.
    pub fn start(env: &Env, interval: Duration, builds: Arc<Builds>) -> io::Result<Self> {
        let (partitions, receiver) = mpsc::channel(WAITING);
        let body = run(receiver, Arc::clone(&env.clock), interval, Arc::clone(&builds));
        let handle = env.spawn.worker("maintenance", Priority::Low, Box::pin(body))?;
        Ok(Self {
            partitions: MaintenanceIntake { partitions, builds },
            handle,
        })
    }

    /// Has a partition maintained until its writer is dropped.
    ///
    /// # Errors
    /// [`NotTaken`].
    pub fn maintain(&self, partition: Maintainer) -> Result<(), NotTaken> {
        self.partitions.maintain(partition)
    }

    /// The way in for who opens partitions later.
    pub fn intake(&self) -> MaintenanceIntake {
        self.partitions.clone()
    }

    /// Ends the worker after its current step. Drop the partitions first: that cuts a long step short.
    ///
    /// # Errors
    /// It did not end within `deadline`.
    pub async fn stop(self, deadline: Duration) -> Result<(), WorkerError> {
        drop(self.partitions);
        self.handle.join(deadline).await
    }
}

/// A partition that is taken on.
#[derive(Debug)]
struct Maintained {
    partition: Maintainer,
    /// Errors since the last step that went well.
    errors: u32,
    rests_until: Monotonic,
}

impl Maintained {
    fn new(partition: Maintainer) -> Self {
        Self {
            partition,
            errors: 0,
            rests_until: Monotonic::default(),
        }
    }

    fn failed(&mut self, error: &PartitionError, clock: &dyn Clock, interval: Duration) {
        let rest = rest(interval, self.errors);
        self.errors = self.errors.saturating_add(1);
        self.rests_until = clock.monotonic().plus(rest);
        let cause = std::error::Error::source(error).map(ToString::to_string);
        let space = self.partition.space();
        tracing::error!(%error, cause, space, ?rest, "maintenance failed, it will be tried again");
    }
}

async fn run(mut receiver: mpsc::Receiver<Maintainer>, clock: Arc<dyn Clock>, interval: Duration, builds: Arc<Builds>) {
    let mut partitions: Vec<Maintained> = Vec::new();
    loop {
        let wait = if turn(&mut partitions, &*clock, interval, &builds).await {
            Duration::ZERO
        } else {
            interval
        };
        match tokio::time::timeout(wait, receiver.recv()).await {
            Ok(Some(partition)) => partitions.push(Maintained::new(partition)),
            Ok(None) => return,
            Err(_) => {}
        }
    }
}

/// One step for each partition that does not rest; true if any had something to do.
async fn turn(partitions: &mut Vec<Maintained>, clock: &dyn Clock, interval: Duration, builds: &Builds) -> bool {
    let mut busy = false;
    for maintained in &mut *partitions {
        let resting = clock.monotonic() < maintained.rests_until;
        if resting || maintained.partition.is_stopped() {
            continue;
        }
        match maintained.partition.step_within(builds).await {
            Ok(step) => {
                busy |= step != Step::Idle;
                maintained.errors = 0;
            }
            // The next turn has something else to do, or nothing.
            Err(PartitionError::Stopped | PartitionError::Paused) => {}
            Err(error) => maintained.failed(&error, clock, interval),
        }
    }
    partitions.retain(|maintained| !maintained.partition.is_stopped());
    builds.forget_stopped();
    busy
}

/// How long to wait after an error that follows `errors` others: an attempt may copy gigabytes before it fails.
fn rest(interval: Duration, errors: u32) -> Duration {
    let doubled = interval.saturating_mul(2_u32.saturating_pow(errors));
    doubled.min(LONGEST_REST.max(interval))
}

#[cfg(test)]
#[path = "worker_test.rs"]
mod tests;
