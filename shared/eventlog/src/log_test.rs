//! The handle never waits, and what it took is written.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use covey_env::{Env, Priority, Spawn, Task, WorkerHandle};
use covey_store::test_disk::TestDisk;
use futures::future::BoxFuture;
use tokio::sync::oneshot;

use super::{EventLog, EventLogThread};
use crate::files::Kind;
use crate::rows::testing::shown_served;
use crate::testing::*;

type Parked = (BoxFuture<'static, ()>, oneshot::Sender<()>);

/// Holds the thread back until the test lets it go.
#[derive(Default)]
struct Held(Mutex<Option<Parked>>);

impl Spawn for Held {
    fn worker(&self, name: &str, _: Priority, body: BoxFuture<'static, ()>) -> io::Result<WorkerHandle> {
        let (handle, ended) = WorkerHandle::new(name);
        *self.0.lock().unwrap() = Some((body, ended));
        Ok(handle)
    }

    fn task(&self, _: BoxFuture<'static, ()>) -> Task {
        unreachable!("the log has one thread and no tasks")
    }

    fn compute(&self, _: Box<dyn FnOnce() + Send>) {
        unreachable!("the log computes nothing elsewhere")
    }
}

impl Held {
    fn let_go(&self) {
        let (body, ended) = self.0.lock().unwrap().take().unwrap();
        tokio::spawn(async move {
            body.await;
            _ = ended.send(());
        });
    }
}

fn start(disk: &TestDisk) -> (EventLog, EventLogThread, Arc<Held>) {
    let (env, _) = env(disk);
    let held = Arc::new(Held::default());
    let env = Env {
        spawn: held.clone(),
        ..env
    };
    let (log, thread) = EventLog::start(&env, settings()).unwrap();
    (log, thread, held)
}

const LONG: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_full_queue_drops_and_counts_and_what_it_took_is_written() {
    let disk = TestDisk::new();
    let (log, thread, held) = start(&disk);
    // Room for 100 rows.
    log.record(batch(0, 60));
    log.record(batch(1000, 60));
    log.record(batch(60, 40));
    log.record(batch(2000, 1));
    assert_eq!(log.totals().queue_dropped_rows, 61);
    held.let_go();
    thread.stop(LONG).await.unwrap();
    assert_eq!(
        sealed(&disk, Kind::Served),
        (0..100).map(shown_served).collect::<Vec<_>>()
    );
    assert_eq!(log.totals().written_rows, 100);
    log.record(batch(0, 1));
    assert_eq!(log.totals().queue_dropped_rows, 62);
}

#[tokio::test]
async fn room_comes_back_once_rows_are_taken() {
    let disk = TestDisk::new();
    let (log, thread, held) = start(&disk);
    held.let_go();
    for n in 0..10 {
        log.record(batch(n * 100, 100));
        while log.0.room.available_permits() < 100 {
            tokio::task::yield_now().await;
        }
    }
    thread.stop(LONG).await.unwrap();
    assert_eq!(log.totals().queue_dropped_rows, 0);
    assert_eq!(sealed(&disk, Kind::Served).len(), 1000);
}

#[tokio::test]
async fn a_directory_that_cannot_be_used_costs_rows_and_nothing_else() {
    let disk = TestDisk::new();
    disk.plan([(1, covey_store::test_disk::Fault::Kill)]);
    let (log, thread, held) = start(&disk);
    log.record(batch(0, 3));
    held.let_go();
    thread.stop(LONG).await.unwrap();
    let totals = log.totals();
    assert_eq!((totals.disk_dropped_rows, totals.written_rows), (3, 0));
    assert!(totals.disk_errors > 0);
}

#[tokio::test]
async fn rows_that_the_end_could_not_write_are_lost_and_counted() {
    let disk = TestDisk::new();
    let (log, thread, held) = start(&disk);
    log.record(batch(0, 3));
    disk.fail_syncs(true);
    held.let_go();
    thread.stop(LONG).await.unwrap();
    let totals = log.totals();
    assert_eq!((totals.written_rows, totals.disk_dropped_rows), (0, 3));
}
