//! The compute pool: threads that sleep until there is a job.
//!
//! They are the blocking threads of a runtime that runs nothing else. Not a work-stealing pool: the idle threads of those spin
//! and yield before they sleep, which costs a busy machine CPU time that others want.

use std::io;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

/// A thread that had nothing to do for so long ends: none does, so that a pool which could start cannot fail later.
const KEEP_ALIVE: Duration = Duration::from_secs(u32::MAX as u64);

/// Jobs start in the order in which they came. Dropping the pool waits for none; those in line may never run.
pub(super) struct Pool {
    /// Only `None` while it is being dropped.
    runtime: Option<Runtime>,
}

impl Pool {
    /// Of at most `threads`, ≥ 1, which start as they are needed.
    pub(super) fn start(threads: usize) -> io::Result<Pool> {
        let runtime = Builder::new_current_thread()
            .max_blocking_threads(threads)
            .thread_keep_alive(KEEP_ALIVE)
            .thread_name("compute")
            .build()?;
        // The first thread starts now, or the process does not.
        drop(runtime.spawn_blocking(|| ()));
        Ok(Pool { runtime: Some(runtime) })
    }

    pub(super) fn run(&self, job: Box<dyn FnOnce() + Send>) {
        let runtime = self.runtime.as_ref().expect("a pool is used before it is dropped");
        // Whoever wants the outcome has a channel for it.
        drop(runtime.spawn_blocking(job));
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // The last owner may be a task, which must not block.
            runtime.shutdown_background();
        }
    }
}

#[cfg(test)]
#[path = "pool_test.rs"]
mod tests;
