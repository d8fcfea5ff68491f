//! The sending side: has replicas written out as files, and hands out their pieces for as long as somebody asks.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::Duration;

use covey_env::{Env, Monotonic, OpenMode};
use covey_shard::{ShardExport, ShardStoreError, ShardView};
use covey_shared::ids::{LogIndex, ShardId};
use covey_shared::wire::{SNAPSHOT_CHUNK, ShardError, SnapshotChunk, SnapshotManifest};
use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot};

use crate::board::Board;
use crate::completions::{Completion, Completions};

/// Jobs that wait for the export worker; who asks for one more is told to come again.
const QUEUE: usize = 64;
/// Pause for whoever waits for a snapshot to be written, in milliseconds.
const RETRY_MS: u32 = 200;
/// Pause after one that could not be written, and while the disk is nearly full, in milliseconds.
const FAILED_RETRY_MS: u32 = 10_000;
/// Folder of a node's snapshots. Nothing in it outlives the process.
const FOLDER: &str = "export";

/// The snapshots of a node's replicas.
pub(crate) struct Snapshots {
    env: Env,
    lease: Duration,
    jobs: mpsc::Sender<Job>,
    served: Mutex<BTreeMap<ShardId, Served>>,
    completions: Completions,
    board: Arc<Board>,
}

enum Served {
    Writing,
    /// It could not be written; not tried again before then.
    Failed(Monotonic),
    Kept {
        snapshot: Arc<Written>,
        last_asked: Monotonic,
    },
}

/// A snapshot on the disk. Its folders of vectors are pinned while it lives.
struct Written {
    id: u64,
    export: ShardExport,
    dir: PathBuf,
}

enum Job {
    Write(ShardId, Arc<ShardView>),
    Remove(Arc<Written>),
}

/// Writes snapshots and removes them, on a thread of its own: it reads whole replicas.
pub(crate) struct ExportWorker {
    env: Env,
    dir: PathBuf,
    jobs: mpsc::Receiver<Job>,
    snapshots: Weak<Snapshots>,
}

impl Snapshots {
    /// An empty set, and the worker that fills it. `dir` is the node's.
    pub(crate) fn new(
        env: Env,
        dir: &Path,
        lease: Duration,
        completions: Completions,
        board: Arc<Board>,
    ) -> (Arc<Snapshots>, ExportWorker) {
        let (jobs, input) = mpsc::channel(QUEUE);
        let snapshots = Arc::new(Snapshots {
            env: env.clone(),
            lease,
            jobs,
            served: Mutex::default(),
            completions,
            board,
        });
        let worker = ExportWorker {
            env,
            dir: dir.join(FOLDER),
            jobs: input,
            snapshots: Arc::downgrade(&snapshots),
        };
        (snapshots, worker)
    }

    /// Id and manifest of a snapshot at `at_least` or later. The first call has it written.
    ///
    /// # Errors
    /// `Overloaded` while it is being written.
    pub(crate) fn open(
        &self,
        shard: ShardId,
        view: Arc<ShardView>,
        at_least: LogIndex,
    ) -> Result<(u64, SnapshotManifest), ShardError> {
        let later = ShardError::Overloaded {
            retry_after_ms: RETRY_MS,
        };
        let much_later = ShardError::Overloaded {
            retry_after_ms: FAILED_RETRY_MS,
        };
        if self.board.disk_low() {
            return Err(much_later);
        }
        let mut served = self.served.lock();
        match served.get_mut(&shard) {
            Some(Served::Writing) => return Err(later),
            Some(Served::Failed(until)) if self.env.clock.monotonic() < *until => return Err(much_later),
            Some(Served::Kept { snapshot, last_asked }) if snapshot.export.manifest.index >= at_least => {
                *last_asked = self.env.clock.monotonic();
                return Ok((snapshot.id, snapshot.export.manifest.clone()));
            }
            _ => {}
        }
        let index = Some(view.applied_index().0);
        if self.jobs.try_send(Job::Write(shard, view)).is_ok() {
            // From now on, or the log could go on without what comes after the snapshot.
            self.completions.push(Completion::Hold { shard, index });
            if let Some(Served::Kept { snapshot, .. }) = served.insert(shard, Served::Writing) {
                self.remove(snapshot);
            }
        }
        Err(later)
    }

    /// One piece of a file.
    ///
    /// # Errors
    /// `NotHere` if the snapshot is not kept any more, or has no such piece.
    pub(crate) async fn chunk(&self, id: u64, file: u32, offset: u64) -> Result<SnapshotChunk, ShardError> {
        let (shard, snapshot) = self.find(id).ok_or(ShardError::NotHere(ShardId(0)))?;
        if self.board.get(shard).is_some_and(|group| group.frozen) {
            // It was made of what is found damaged by now.
            return Err(ShardError::NotHere(shard));
        }
        let place = usize::try_from(file).unwrap_or(usize::MAX);
        let entry = snapshot.export.manifest.files.get(place);
        let left = entry.map_or(0, |entry| entry.bytes.saturating_sub(offset));
        if left == 0 {
            return Err(ShardError::NotHere(shard));
        }
        let (disk, bytes) = (self.env.disk.clone(), left.min(SNAPSHOT_CHUNK) as usize);
        let (done, read) = oneshot::channel();
        self.env.spawn.compute(Box::new(move || {
            let mut data = vec![0; bytes];
            let path = &snapshot.export.paths[place];
            let outcome = disk
                .open(path, OpenMode::Read)
                .and_then(|file| file.read_at(&mut data, offset));
            // The caller may have given up.
            let _ = done.send(outcome.map(|()| data));
        }));
        match read.await {
            Ok(Ok(data)) => Ok(SnapshotChunk {
                crc: crc32c::crc32c(&data),
                data,
            }),
            Ok(Err(error)) => {
                tracing::error!(shard = shard.0, %error, "a snapshot cannot be read, the next one is written anew");
                self.end(|served| matches!(served, Served::Kept { snapshot, .. } if snapshot.id == id));
                Err(ShardError::Store)
            }
            Err(_) => Err(ShardError::Store),
        }
    }

    fn find(&self, id: u64) -> Option<(ShardId, Arc<Written>)> {
        let now = self.env.clock.monotonic();
        self.served.lock().iter_mut().find_map(|(shard, served)| match served {
            Served::Kept { snapshot, last_asked } if snapshot.id == id => {
                *last_asked = now;
                Some((*shard, snapshot.clone()))
            }
            _ => None,
        })
    }

    /// Removes snapshots that nobody asked for lately. Until then the log behind them is kept: who has fetched one goes on
    /// from there.
    pub(crate) fn expire(&self) {
        let now = self.env.clock.monotonic();
        let late = |served: &Served| match served {
            Served::Writing | Served::Failed(_) => false,
            Served::Kept { last_asked, .. } => now.since(*last_asked) > self.lease,
        };
        self.end(late);
    }

    fn end(&self, ended: impl Fn(&Served) -> bool) {
        let mut served = self.served.lock();
        for (shard, served) in served.extract_if(.., |_, served| ended(served)) {
            self.completions.push(Completion::Hold { shard, index: None });
            if let Served::Kept { snapshot, .. } = served {
                self.remove(snapshot);
            }
        }
    }

    fn remove(&self, snapshot: Arc<Written>) {
        // Without room in the queue the files stay until the next start; the pins go with the snapshot.
        let _ = self.jobs.try_send(Job::Remove(snapshot));
    }

    fn written(&self, shard: ShardId, outcome: Result<Written, ShardStoreError>) {
        let mut served = self.served.lock();
        match outcome {
            Ok(snapshot) => {
                let manifest = &snapshot.export.manifest;
                let bytes: u64 = manifest.files.iter().map(|file| file.bytes).sum();
                tracing::info!(shard = shard.0, index = manifest.index.0, bytes, "snapshot written");
                let index = Some(manifest.index.0);
                self.completions.push(Completion::Hold { shard, index });
                let kept = Served::Kept {
                    snapshot: Arc::new(snapshot),
                    last_asked: self.env.clock.monotonic(),
                };
                served.insert(shard, kept);
            }
            Err(error) => {
                tracing::error!(shard = shard.0, error = %anyhow::Error::new(error), "a snapshot cannot be written");
                let pause = Duration::from_millis(FAILED_RETRY_MS.into());
                served.insert(shard, Served::Failed(self.env.clock.monotonic().plus(pause)));
                self.completions.push(Completion::Hold { shard, index: None });
            }
        }
    }
}

impl ExportWorker {
    /// Works until the node stops.
    pub(crate) async fn run(mut self) {
        if let Err(error) = self.clear() {
            tracing::warn!(%error, dir = %self.dir.display(), "snapshots of an earlier start cannot be removed");
        }
        while let Some(job) = self.jobs.recv().await {
            match job {
                Job::Write(shard, view) => self.write(shard, &view),
                Job::Remove(snapshot) => {
                    self.remove(&snapshot.dir);
                }
            }
        }
    }

    fn clear(&self) -> std::io::Result<()> {
        if self.env.disk.exists(&self.dir)? {
            self.env.disk.remove_dir_all(&self.dir)?;
        }
        Ok(())
    }

    fn remove(&self, dir: &Path) {
        match self.env.disk.remove_dir_all(dir) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                tracing::warn!(%error, dir = %dir.display(), "a snapshot cannot be removed");
            }
            _ => {}
        }
    }

    fn write(&self, shard: ShardId, view: &ShardView) {
        let id = self.env.entropy.next_u64();
        let dir = self.dir.join(format!("{:04}-{id:016x}", shard.0));
        let stop = || self.snapshots.strong_count() == 0;
        let export = view.export(&self.env, &dir, &stop);
        if export.is_err() {
            self.remove(&dir);
        }
        if let Some(snapshots) = self.snapshots.upgrade() {
            snapshots.written(shard, export.map(|export| Written { id, export, dir }));
        }
    }
}
