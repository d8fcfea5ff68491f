//! The loader's engine: groups go out side by side, each as soon as what it refers to is there.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use thiserror::Error;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::task::JoinSet;

use super::checkpoint::{Checkpoint, CheckpointError, CheckpointFile};
use super::group::{Group, Groups};
use super::prefix::Prefix;
use super::send::{Batch, Delivered, SendError};
use super::source::{Source, Total};
use super::{LoadOptions, Report};
use crate::client::Client;
use crate::progress::Meter;

/// Why a load stopped before its end. What is done stays done; the checkpoint says how far that is.
#[derive(Debug, Error)]
pub enum LoadError {
    /// The cluster does not take it.
    #[error("stopped after {rows} rows{}", resume_hint(checkpoint))]
    Send {
        /// Rows from the start that are all done.
        rows: u64,
        /// Where the checkpoint lies.
        checkpoint: Option<PathBuf>,
        /// Why.
        source: SendError,
    },
    /// Ctrl-C.
    #[error("interrupted after {rows} rows{}", resume_hint(checkpoint))]
    Interrupted {
        /// Rows from the start that are all done.
        rows: u64,
        /// Where the checkpoint lies.
        checkpoint: Option<PathBuf>,
    },
    /// The checkpoint cannot be used.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

fn resume_hint(checkpoint: &Option<PathBuf>) -> String {
    match checkpoint {
        Some(path) => format!("; the same command goes on from there ({})", path.display()),
        None => "; the same command starts again, which is safe".to_owned(),
    }
}

/// What a group in flight needs.
struct Flight {
    client: Client,
    patience: Duration,
    client_id: u64,
    /// Groups whose users and posts are written.
    written: Mutex<Prefix<()>>,
    written_len: watch::Sender<u64>,
}

/// A group that is done.
struct Done {
    number: u64,
    end: u64,
    ids: Vec<u64>,
    counts: Counts,
    bad: Vec<(u64, String)>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    users: u64,
    posts: u64,
    actions: u64,
    retries: u64,
}

/// Loads everything from `start.rows` on.
pub(crate) async fn run(
    client: Client,
    source: Source,
    start: Checkpoint,
    file: Option<CheckpointFile>,
    options: &LoadOptions,
) -> Result<Report, LoadError> {
    let mut meter = Meter::new(&source.total, "rows");
    let total = source.total.clone();
    let mut groups = read_ahead(source, &start, options);
    let permits = Arc::new(Semaphore::new(options.concurrency));
    let flight = Arc::new(Flight {
        client,
        patience: options.patience,
        client_id: start.client_id,
        written: Mutex::default(),
        written_len: watch::Sender::new(0),
    });
    let mut tasks: JoinSet<Result<Done, SendError>> = JoinSet::new();
    let mut state = State::new(start, file, options.show_bad);
    let mut reading = true;
    let stop = tokio::signal::ctrl_c();
    tokio::pin!(stop);
    let outcome = loop {
        if !reading && tasks.is_empty() {
            break Ok(());
        }
        tokio::select! {
            biased;
            _ = &mut stop => break Err(None),
            Some(finished) = tasks.join_next() => match finished.expect("a group in flight does not panic") {
                Ok(done) => {
                    state.finish(done)?;
                    meter.at(position(&total, state.seen), state.counts.posts, state.elapsed());
                }
                Err(error) => break Err(Some(error)),
            },
            next = next_group(&mut groups, &permits), if reading => match next {
                Some((group, permit)) => {
                    let after = state.depart(&group);
                    tasks.spawn(fly(Arc::clone(&flight), group, after, permit));
                }
                None => reading = false,
            },
        }
    };
    tasks.shutdown().await;
    meter.finish();
    match outcome {
        Ok(()) => state.complete(),
        Err(cause) => Err(state.stopped(cause)?),
    }
}

/// Reads and cuts on a thread of its own; a few groups wait at most.
fn read_ahead(source: Source, start: &Checkpoint, options: &LoadOptions) -> mpsc::Receiver<Group> {
    let (sender, receiver) = mpsc::channel(2);
    let (from, batch, shift) = (start.rows, options.batch, start.shift_ms);
    let limit = options.limit.unwrap_or(u64::MAX);
    tokio::task::spawn_blocking(move || {
        let rows = source.rows.take(usize::try_from(limit).unwrap_or(usize::MAX));
        for group in Groups::new(rows, from, batch, shift) {
            if sender.blocking_send(group).is_err() {
                return;
            }
        }
    });
    receiver
}

async fn next_group(
    groups: &mut mpsc::Receiver<Group>,
    permits: &Arc<Semaphore>,
) -> Option<(Group, OwnedSemaphorePermit)> {
    let permit = Arc::clone(permits)
        .acquire_owned()
        .await
        .expect("the semaphore is never closed");
    groups.recv().await.map(|group| (group, permit))
}

/// One group: wait for what it refers to, users, posts, wait for all posts before, actions.
async fn fly(flight: Arc<Flight>, group: Group, after: u64, _permit: OwnedSemaphorePermit) -> Result<Done, SendError> {
    let mut written = flight.written_len.subscribe();
    let mut counts = Counts::default();
    let mut bad = group.bad;
    let ids = group.posts.iter().map(|post| post.item.post_id).collect();
    written
        .wait_for(|len| *len >= after)
        .await
        .expect("the sender lives in the flight");
    counts.users = flight.send(Batch::users(group.users), &mut counts, &mut bad).await?;
    for wave in Group::waves(group.posts) {
        counts.posts += flight.send(Batch::posts(wave), &mut counts, &mut bad).await?;
    }
    flight.written(group.number);
    if !group.actions.is_empty() {
        written
            .wait_for(|len| *len > group.number)
            .await
            .expect("the sender lives in the flight");
        let batch = Batch::actions(group.actions, flight.client_id, group.first + 1);
        counts.actions = flight.send(batch, &mut counts, &mut bad).await?;
    }
    Ok(Done {
        number: group.number,
        end: group.end,
        ids,
        counts,
        bad,
    })
}

impl Flight {
    async fn send(&self, batch: Batch, counts: &mut Counts, bad: &mut Vec<(u64, String)>) -> Result<u64, SendError> {
        let Delivered { done, refused, retries } = batch.deliver(&self.client, self.patience).await?;
        counts.retries += retries;
        bad.extend(refused);
        Ok(done)
    }

    fn written(&self, number: u64) {
        let mut prefix = self.written.lock().expect("no holder of the lock panics");
        prefix.finish(number, ());
        self.written_len.send_replace(prefix.len());
    }
}

/// What the dispatcher knows.
struct State {
    checkpoint: Checkpoint,
    file: Option<CheckpointFile>,
    saved: Instant,
    started: Instant,
    /// When the first group with posts left, and when the last one was done.
    posting: Option<(Instant, Instant)>,
    /// Posts in flight and their group.
    in_flight: HashMap<u64, u64>,
    finished: Prefix<(u64, u64)>,
    /// Rows done, in any order, and those skipped at the start.
    seen: u64,
    counts: Counts,
    bad: Vec<(u64, String)>,
    bad_count: u64,
    show_bad: usize,
    skipped: u64,
}

impl State {
    fn new(start: Checkpoint, file: Option<CheckpointFile>, show_bad: usize) -> State {
        State {
            seen: start.rows,
            skipped: start.rows,
            bad_count: start.bad,
            checkpoint: start,
            file,
            saved: Instant::now(),
            started: Instant::now(),
            posting: None,
            in_flight: HashMap::new(),
            finished: Prefix::default(),
            counts: Counts::default(),
            bad: Vec::new(),
            show_bad,
        }
    }

    fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Takes note of a group that leaves; returns how many groups must have written their posts before it may.
    fn depart(&mut self, group: &Group) -> u64 {
        let after = group
            .references()
            .filter_map(|id| self.in_flight.get(&id))
            .map(|number| number + 1)
            .max();
        for post in &group.posts {
            self.in_flight.insert(post.item.post_id, group.number);
        }
        if !group.posts.is_empty() {
            self.posting.get_or_insert_with(|| (Instant::now(), Instant::now()));
        }
        after.unwrap_or(0)
    }

    fn finish(&mut self, done: Done) -> Result<(), CheckpointError> {
        for id in &done.ids {
            // The id may be in flight again, in a later group.
            if self.in_flight.get(id) == Some(&done.number) {
                self.in_flight.remove(id);
            }
        }
        if let Some((_, last)) = &mut self.posting
            && done.counts.posts > 0
        {
            *last = Instant::now();
        }
        self.counts.users += done.counts.users;
        self.counts.posts += done.counts.posts;
        self.counts.actions += done.counts.actions;
        self.counts.retries += done.counts.retries;
        self.bad_count += done.bad.len() as u64;
        let room = self.show_bad.saturating_sub(self.bad.len());
        let bad = done.bad.len() as u64;
        self.bad.extend(done.bad.into_iter().take(room));
        for (end, bad) in self.finished.finish(done.number, (done.end, bad)) {
            self.checkpoint.rows = end;
            self.checkpoint.bad += bad;
        }
        self.seen = self.seen.max(done.end);
        if self.saved.elapsed() > Duration::from_secs(1) {
            self.save()?;
        }
        Ok(())
    }

    fn save(&mut self) -> Result<(), CheckpointError> {
        self.saved = Instant::now();
        self.file.as_ref().map_or(Ok(()), |file| file.write(&self.checkpoint))
    }

    fn complete(mut self) -> Result<Report, LoadError> {
        if let Some(file) = &self.file {
            file.remove()?;
        }
        self.bad.sort();
        Ok(Report {
            rows: self.checkpoint.rows,
            resumed_at: self.skipped,
            users: self.counts.users,
            posts: self.counts.posts,
            actions: self.counts.actions,
            retries: self.counts.retries,
            bad: self.bad_count,
            first_bad: self.bad,
            shift_ms: self.checkpoint.shift_ms,
            elapsed: self.started.elapsed(),
            posting: self.posting.map_or(Duration::ZERO, |(first, last)| last - first),
        })
    }

    fn stopped(mut self, cause: Option<SendError>) -> Result<LoadError, CheckpointError> {
        self.save()?;
        let rows = self.checkpoint.rows;
        let checkpoint = self.file.map(|file| file.path().to_owned());
        Ok(match cause {
            Some(source) => LoadError::Send {
                rows,
                checkpoint,
                source,
            },
            None => LoadError::Interrupted { rows, checkpoint },
        })
    }
}

/// Where the progress bar stands.
fn position(total: &Total, rows: u64) -> u64 {
    match total {
        Total::Bytes(_, read) => read.get(),
        _ => rows,
    }
}

#[cfg(test)]
#[path = "engine_test.rs"]
mod tests;
