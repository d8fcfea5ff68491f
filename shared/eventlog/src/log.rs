//! The log as a process uses it: a handle that never waits, and the thread behind it.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use covey_env::{Env, Monotonic, Priority, WorkerError, WorkerHandle};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use crate::counters::{Counters, Totals, add};
use crate::rows::Batch;
use crate::seal::WriteError;
use crate::writer::{FLUSH_EVERY, Writer};

/// A directory that cannot be used is tried again after this.
const REOPEN: Duration = Duration::from_secs(10);
/// Losses are logged this often at most.
const REPORT_EVERY: Duration = Duration::from_secs(60);

/// Where the log lies, and its limits.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Its directory; absolute. Processes of one machine may share it.
    pub dir: PathBuf,
    /// Bytes on disk: with more, the oldest hours are deleted.
    pub budget: u64,
    /// Part of the disk that stays free, 0 to 1: with less, the oldest hours are deleted too, whoever filled it.
    pub min_free: f64,
    /// A file is sealed when its hour is over, or this long after its first row.
    pub rotate: Duration,
    /// Rows that may wait for the thread.
    pub queue: usize,
}

enum Input {
    /// The permit gives the rows' room back when it is dropped.
    Rows(Batch, OwnedSemaphorePermit),
    Stop,
}

/// The way to the log. Cheap to clone.
#[derive(Clone)]
pub struct EventLog(Arc<Queue>);

struct Queue {
    sender: mpsc::Sender<Input>,
    room: Arc<Semaphore>,
    counters: Arc<Counters>,
}

/// The thread of a log, to stop it.
#[derive(Debug)]
pub struct EventLogThread {
    log: EventLog,
    handle: WorkerHandle,
}

impl EventLog {
    /// Starts the thread. A directory that cannot be used is logged and tried again, while rows are dropped and counted.
    ///
    /// # Errors
    /// The operating system refused the thread.
    pub fn start(env: &Env, settings: Settings) -> io::Result<(EventLog, EventLogThread)> {
        let counters = Arc::new(Counters::default());
        // Every batch in line has at least one permit; the one place more is for the end.
        let (sender, input) = mpsc::channel(settings.queue + 1);
        let log = EventLog(Arc::new(Queue {
            sender,
            room: Arc::new(Semaphore::new(settings.queue)),
            counters: counters.clone(),
        }));
        let thread = Thread {
            env: env.clone(),
            settings,
            input,
            writer: None,
            open_at: Monotonic::default(),
            reporter: Reporter::default(),
            counters,
        };
        let handle = env.spawn.worker("event-log", Priority::Low, Box::pin(thread.run()))?;
        let thread = EventLogThread {
            log: log.clone(),
            handle,
        };
        Ok((log, thread))
    }

    /// Records rows without waiting for anything. With a full queue they are dropped and counted.
    pub fn record(&self, batch: Batch) {
        let (queue, rows) = (&self.0, batch.len());
        if rows == 0 {
            return;
        }
        let room = queue.room.clone();
        let permit = u32::try_from(rows).map(|rows| room.try_acquire_many_owned(rows));
        let sent = match permit {
            Ok(Ok(permit)) => queue.sender.try_send(Input::Rows(batch, permit)).is_ok(),
            Ok(Err(_)) | Err(_) => false,
        };
        if !sent {
            add(&queue.counters.queue_dropped_rows, rows as u64);
        }
    }

    /// What was written and lost since the start.
    pub fn totals(&self) -> Totals {
        self.0.counters.totals()
    }
}

impl fmt::Debug for EventLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("EventLog").field(&self.totals()).finish()
    }
}

impl EventLogThread {
    /// Writes and seals what was recorded before, then ends; waits at most for `deadline`. What is recorded later is dropped.
    ///
    /// # Errors
    /// The disk was slower than that: what was synced is sealed at the next start.
    pub async fn stop(self, deadline: Duration) -> Result<(), WorkerError> {
        // There is room, unless it was stopped or has ended before.
        _ = self.log.0.sender.try_send(Input::Stop);
        self.handle.join(deadline).await
    }
}

struct Thread {
    env: Env,
    settings: Settings,
    input: mpsc::Receiver<Input>,
    /// `None` until the directory could be used.
    writer: Option<Writer>,
    open_at: Monotonic,
    reporter: Reporter,
    counters: Arc<Counters>,
}

impl Thread {
    async fn run(mut self) {
        self.tick();
        let mut next_tick = self.now().plus(FLUSH_EVERY);
        loop {
            let left = next_tick.left(self.now());
            match tokio::time::timeout(left, self.input.recv()).await {
                Ok(Some(Input::Rows(batch, permit))) => {
                    self.append(&batch);
                    drop(permit);
                }
                Ok(Some(Input::Stop) | None) => break,
                Err(_) => {}
            }
            if next_tick.left(self.now()).is_zero() {
                self.tick();
                next_tick = self.now().plus(FLUSH_EVERY);
            }
        }
        self.input.close();
        while let Ok(Input::Rows(batch, _)) = self.input.try_recv() {
            self.append(&batch);
        }
        if let Some(mut writer) = self.writer.take() {
            let closed = writer.close();
            self.note(closed);
        }
        self.report(true);
    }

    fn now(&self) -> Monotonic {
        self.env.clock.monotonic()
    }

    fn append(&mut self, batch: &Batch) {
        match &mut self.writer {
            Some(writer) => {
                let done = writer.append(batch);
                self.note(done);
            }
            None => add(&self.counters.disk_dropped_rows, batch.len() as u64),
        }
    }

    fn tick(&mut self) {
        if self.writer.is_none() && self.open_at <= self.now() {
            match Writer::open(self.env.clone(), self.settings.clone(), self.counters.clone()) {
                Ok(writer) => self.writer = Some(writer),
                Err(error) => {
                    self.open_at = self.now().plus(REOPEN);
                    self.note(Err(error));
                }
            }
        }
        let done = self.writer.as_mut().map_or(Ok(()), Writer::tick);
        self.note(done);
        self.report(false);
    }

    fn note(&mut self, done: Result<(), WriteError>) {
        if let Err(error) = done {
            add(&self.counters.disk_errors, 1);
            self.reporter.last_error = Some(error);
        }
    }

    fn report(&mut self, is_last: bool) {
        let (now, totals) = (self.env.clock.monotonic(), self.counters.totals());
        self.reporter.report(now, totals, is_last);
    }
}

/// Says what went wrong, once in a while.
#[derive(Default)]
struct Reporter {
    reported: Totals,
    next: Monotonic,
    last_error: Option<WriteError>,
}

impl Reporter {
    fn report(&mut self, now: Monotonic, totals: Totals, is_last: bool) {
        if totals.deleted_files > self.reported.deleted_files {
            tracing::info!(
                files = totals.deleted_files - self.reported.deleted_files,
                bytes = totals.deleted_bytes - self.reported.deleted_bytes,
                "the event log takes more of the disk than it may, its oldest files were deleted"
            );
            self.reported.deleted_files = totals.deleted_files;
            self.reported.deleted_bytes = totals.deleted_bytes;
        }
        if totals.losses() == self.reported.losses() || !(is_last || self.next <= now) {
            return;
        }
        let error = self.last_error.take();
        tracing::warn!(
            queue_dropped_rows = totals.queue_dropped_rows - self.reported.queue_dropped_rows,
            disk_dropped_rows = totals.disk_dropped_rows - self.reported.disk_dropped_rows,
            disk_errors = totals.disk_errors - self.reported.disk_errors,
            torn_bytes = totals.torn_bytes - self.reported.torn_bytes,
            unreadable_files = totals.unreadable_files - self.reported.unreadable_files,
            error = error.as_ref().map(|error| error as &dyn std::error::Error),
            "the event log lost rows or could not write; serving goes on"
        );
        self.reported = totals;
        self.next = now.plus(REPORT_EVERY);
    }
}

#[cfg(test)]
#[path = "log_test.rs"]
mod tests;
