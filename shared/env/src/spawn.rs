//! Work off the arbiters: named long-lived workers, and a pool for short computations.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// How a worker competes for the processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Priority {
    /// As everyone else.
    Normal,
    /// Gives way to the others (nice 10). For maintenance.
    Low,
}

/// Starts work. In simulation both kinds are tasks of the host, and nothing runs in parallel.
pub trait Spawn: Send + Sync {
    /// Runs `body` on a thread of its own, under a runtime of its own, so that it may block on the disk and use
    /// `tokio::time` and call other nodes. A worker ends by itself, when the channel that feeds it closes. A panic ends the process, through
    /// the hook that `main` installs. `name` has at most 15 bytes (longer ones are cut by Linux).
    ///
    /// # Errors
    /// The operating system refused the thread.
    fn worker(&self, name: &str, priority: Priority, body: BoxFuture<'static, ()>) -> io::Result<WorkerHandle>;

    /// Runs `body` beside the caller, on the caller's runtime. It must not block.
    fn task(&self, body: BoxFuture<'static, ()>) -> Task;

    /// Runs `job` on the compute pool. The caller bounds how many are queued, with permits. A job that is still in line when
    /// the last [`Env`](crate::Env) goes may never run.
    fn compute(&self, job: Box<dyn FnOnce() + Send>);
}

/// A task of the caller's runtime. Resolves when it has ended; dropping it ends it.
#[derive(Debug)]
pub struct Task(Option<JoinHandle<()>>);

impl Task {
    /// A task that was started already.
    pub fn new(handle: JoinHandle<()>) -> Task {
        Task(Some(handle))
    }

    /// Lets it run to its own end.
    pub fn detach(mut self) {
        self.0 = None;
    }
}

impl Future for Task {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        // A panic of the task ends the process, through the hook; a task that was dropped with its runtime has ended.
        match &mut self.0 {
            Some(handle) => Pin::new(handle).poll(context).map(|_| ()),
            None => Poll::Ready(()),
        }
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        if let Some(handle) = &self.0 {
            handle.abort();
        }
    }
}

/// Lets the shutdown wait for a worker. Dropping it leaves the worker running.
#[derive(Debug)]
pub struct WorkerHandle {
    name: String,
    ended: oneshot::Receiver<()>,
}

/// Why waiting for a worker failed.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// It did not end in time.
    #[error("worker {name} still runs after {waited:?}")]
    StillRunning {
        /// The worker's name.
        name: String,
        /// How long was waited.
        waited: Duration,
    },
    /// It ended by a panic, or its host was torn down.
    #[error("worker {name} was torn down before its end")]
    TornDown {
        /// The worker's name.
        name: String,
    },
}

impl WorkerHandle {
    /// A handle, and the sender by which the implementation says that the worker has ended.
    pub fn new(name: &str) -> (WorkerHandle, oneshot::Sender<()>) {
        let (sender, ended) = oneshot::channel();
        (
            WorkerHandle {
                name: name.to_owned(),
                ended,
            },
            sender,
        )
    }

    /// Waits until the worker has ended, at most for `deadline`. Close the channel that feeds it first.
    ///
    /// # Errors
    /// See [`WorkerError`].
    pub async fn join(self, deadline: Duration) -> Result<(), WorkerError> {
        match tokio::time::timeout(deadline, self.ended).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(WorkerError::TornDown { name: self.name }),
            Err(_) => Err(WorkerError::StillRunning {
                name: self.name,
                waited: deadline,
            }),
        }
    }
}
