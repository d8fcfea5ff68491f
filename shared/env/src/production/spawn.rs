//! Threads: one per worker, and a pool.

use std::io;
use std::thread;

use futures::future::BoxFuture;

use super::pool::Pool;
use crate::{Priority, Spawn, Task, WorkerHandle};

/// What [`Priority::Low`] means in units of `nice`.
const LOW_PRIORITY_NICE: i32 = 10;

pub(super) struct SystemSpawn {
    pool: Pool,
}

impl SystemSpawn {
    pub(super) fn new(compute_threads: usize) -> io::Result<SystemSpawn> {
        let pool = Pool::start(compute_threads.max(1))?;
        Ok(SystemSpawn { pool })
    }
}

impl Spawn for SystemSpawn {
    fn worker(&self, name: &str, priority: Priority, body: BoxFuture<'static, ()>) -> io::Result<WorkerHandle> {
        let (handle, ended) = WorkerHandle::new(name);
        // A runtime of its own, not a borrowed handle: its timers and calls must outlive the arbiter that started the worker.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        thread::Builder::new().name(name.to_owned()).spawn(move || {
            if priority == Priority::Low {
                yield_to_others();
            }
            runtime.block_on(body);
            // Nobody may be waiting: the handle was dropped.
            _ = ended.send(());
        })?;
        Ok(handle)
    }

    fn task(&self, body: BoxFuture<'static, ()>) -> Task {
        Task::new(tokio::spawn(body))
    }

    fn compute(&self, job: Box<dyn FnOnce() + Send>) {
        self.pool.run(job);
    }
}

/// Linux keeps niceness per thread, and "process 0" is the calling one.
fn yield_to_others() {
    if let Err(error) = rustix::process::setpriority_process(None, LOW_PRIORITY_NICE) {
        tracing::warn!(%error, "a low-priority worker runs at normal priority");
    }
}
