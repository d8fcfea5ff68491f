//! Threads of a simulated host: tasks, one after another.

use std::io;

use covey_env::{Priority, Spawn, Task, WorkerHandle};
use futures::future::BoxFuture;

pub(super) struct SimSpawn;

impl Spawn for SimSpawn {
    fn worker(&self, name: &str, _: Priority, body: BoxFuture<'static, ()>) -> io::Result<WorkerHandle> {
        let (handle, ended) = WorkerHandle::new(name);
        tokio::task::spawn_local(async move {
            body.await;
            // Nobody may be waiting: the handle was dropped.
            let _ = ended.send(());
        });
        Ok(handle)
    }

    fn task(&self, body: BoxFuture<'static, ()>) -> Task {
        // Not `tokio::spawn`: what a crash drops there depends on task numbers that the whole process shares.
        Task::new(tokio::task::spawn_local(body))
    }

    fn compute(&self, job: Box<dyn FnOnce() + Send>) {
        tokio::task::spawn_local(async move { job() });
    }
}
