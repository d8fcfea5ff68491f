//! The thread that maintains the partitions of a node.

use std::io;
use std::time::Duration;

use covey_env::{Env, Priority, WorkerError, WorkerHandle};
use tokio::sync::mpsc;

use crate::error::PartitionError;
use crate::maintenance::{Maintainer, Step};

/// Partitions that may wait to be taken on: more than a node opens between two looks.
const WAITING: usize = 1024;

/// A worker that steps through all its partitions in turn, so that a long merge of one does not starve the others for
/// more than that step.
#[derive(Debug)]
pub struct MaintenanceWorker {
    partitions: mpsc::Sender<Maintainer>,
    handle: WorkerHandle,
}

/// The worker has ended or has too many partitions waiting.
#[derive(Debug, thiserror::Error)]
#[error("the maintenance worker takes no more partitions; is the node shutting down?")]
pub struct NotTaken;

impl MaintenanceWorker {
    /// Starts it; it looks for work every `interval`.
    ///
    /// # Errors
    /// The operating system refused the thread.
    pub fn start(env: &Env, interval: Duration) -> io::Result<Self> {
        let (partitions, receiver) = mpsc::channel(WAITING);
        let handle = env
            .spawn
            .worker("maintenance", Priority::Low, Box::pin(run(receiver, interval)))?;
        Ok(Self { partitions, handle })
    }

    /// Takes on a partition until its writer is dropped.
    ///
    /// # Errors
    /// [`NotTaken`].
    pub fn maintain(&self, partition: Maintainer) -> Result<(), NotTaken> {
        self.partitions.try_send(partition).map_err(|_| NotTaken)
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

async fn run(mut receiver: mpsc::Receiver<Maintainer>, interval: Duration) {
    let mut partitions: Vec<Maintainer> = Vec::new();
    loop {
        let wait = if turn(&mut partitions) {
            Duration::ZERO
        } else {
            interval
        };
        match tokio::time::timeout(wait, receiver.recv()).await {
            Ok(Some(partition)) => partitions.push(partition),
            Ok(None) => return,
            Err(_) => {}
        }
    }
}

/// One step for each partition; true if any had something to do.
fn turn(partitions: &mut Vec<Maintainer>) -> bool {
    let mut busy = false;
    partitions.retain(|partition| match partition.step() {
        Ok(step) => {
            busy |= step != Step::Idle;
            true
        }
        Err(PartitionError::Stopped) => false,
        Err(error) => {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            tracing::error!(%error, cause, space = partition.space(), "maintenance failed, it will be tried again");
            true
        }
    });
    busy
}
