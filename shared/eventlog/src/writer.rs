//! Writes rows to the files of the open hour, and has them sealed. Runs on the thread of the log; every call may block on the
//! disk.
//!
//! Rows belong to the hour in which they come in, by the clock of this process, so there is one open file per kind, whatever the
//! rows say of themselves. A clock that jumps ends a file and begins another, in either direction.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use covey_env::{Disk, DiskFile, Env, Monotonic, OpenMode};
use covey_shared::codec::CodecError;

use crate::budget::is_low;
use crate::counters::{Counters, add};
use crate::files::{FrameFile, Kind};
use crate::frames::Frame;
use crate::hour::Hour;
use crate::log::Settings;
use crate::places::{self, Place, taken};
use crate::rows::Batch;
use crate::seal::{WriteError, on, seal_all};

/// Unsynced bytes of a kind that are written before the second is over.
const FLUSH_BYTES: usize = 1 << 20;
/// Unsynced bytes of a kind that wait for a disk that fails; what comes then is dropped.
const UNSYNCED_BYTES: usize = 8 << 20;
/// A file that has grown to this is sealed before its hour is over: sealing holds it in memory.
const FILE_BYTES: u64 = 32 << 20;
/// What could not be sealed is tried again after this.
const SEAL_AGAIN: Duration = Duration::from_secs(30);
/// How often the log looks whether the disk is low, which others fill too.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// How long unsynced rows wait.
pub(crate) const FLUSH_EVERY: Duration = Duration::from_secs(1);

/// The open file of a kind.
struct Open {
    file: Arc<dyn DiskFile>,
    hour: Hour,
    since: Monotonic,
    /// Bytes that are synced: the next frames go behind them.
    synced: u64,
    /// The name of the file is synced.
    named: bool,
}

/// The rows of one kind.
struct Lane {
    kind: Kind,
    open: Option<Open>,
    /// Rows that are not synced. They stay here until a sync has succeeded, and are written again after a failure: a sync that
    /// failed has said nothing about any of them.
    unsynced: Frame,
    /// How many.
    rows: u64,
}

/// Owns a place in the directory of the log.
pub(crate) struct Writer {
    env: Env,
    settings: Settings,
    place: Place,
    lanes: [Lane; 2],
    /// Something lies in the place that must be sealed, and when to try it.
    to_seal: Option<Monotonic>,
    look_at: Monotonic,
    /// What is not sealed takes up alone what the log may take, and nothing can be deleted for it: new rows are dropped.
    is_over: bool,
    counters: Arc<Counters>,
}

impl Writer {
    /// Takes a place that no other process has. What was left in it, and in places that nobody has any more, is sealed by the
    /// next [`Writer::tick`].
    ///
    /// # Errors
    /// No place can be used: the disk, or too many processes share the directory.
    pub(crate) fn open(env: Env, settings: Settings, counters: Arc<Counters>) -> Result<Writer, WriteError> {
        let place = places::take(&*env.disk, &settings.dir)?;
        let lanes = Kind::ALL.map(|kind| Lane {
            kind,
            open: None,
            unsynced: Frame::default(),
            rows: 0,
        });
        Ok(Writer {
            env,
            settings,
            place,
            lanes,
            to_seal: Some(Monotonic::default()),
            look_at: Monotonic::default(),
            is_over: false,
            counters,
        })
    }

    /// Takes rows. They are synced by the next [`Writer::tick`], or now if they are many.
    pub(crate) fn append(&mut self, batch: &Batch) -> Result<(), WriteError> {
        let lane = self.lane(batch.kind());
        let (before, rows) = (self.lanes[lane].unsynced.len(), batch.len() as u64);
        if self.is_over || before >= UNSYNCED_BYTES || push(&mut self.lanes[lane].unsynced, batch).is_err() {
            add(&self.counters.disk_dropped_rows, rows);
            return Ok(());
        }
        self.lanes[lane].rows += rows;
        let unsynced = self.lanes[lane].unsynced.len();
        // Each further MiB is one attempt: a disk that fails is not asked for every row.
        if before / FLUSH_BYTES < unsynced / FLUSH_BYTES {
            self.turn(lane)
        } else {
            Ok(())
        }
    }

    fn lane(&self, kind: Kind) -> usize {
        usize::from(self.lanes[0].kind != kind)
    }

    /// Syncs what is unsynced, ends the files whose time is over, seals them, and keeps to the limit. After an error the rest is
    /// done all the same, and what failed is tried again by the next call.
    pub(crate) fn tick(&mut self) -> Result<(), WriteError> {
        let done = [self.stay(), self.turn(0), self.turn(1), self.look(), self.seal()];
        done.into_iter().collect()
    }

    /// Syncs everything and seals it.
    pub(crate) fn close(&mut self) -> Result<(), WriteError> {
        let synced = [self.stay(), self.turn(0), self.turn(1)];
        self.end_files();
        synced.into_iter().chain([self.look(), self.seal()]).collect()
    }

    fn end_files(&mut self) {
        self.lanes.iter_mut().for_each(|lane| lane.open = None);
        self.to_seal = Some(Monotonic::default());
    }

    /// Takes a place anew where somebody has removed the directory of the log: open files take writes all the same, which nobody will
    /// find, and the lock is worth nothing any more.
    fn stay(&mut self) -> Result<(), WriteError> {
        if !self.is_there()? {
            self.end_files();
            self.place = places::take(&*self.env.disk, &self.settings.dir)?;
        }
        Ok(())
    }

    /// The place and the open files have their names.
    fn is_there(&self) -> Result<bool, WriteError> {
        let open = self.lanes.iter().filter_map(|lane| lane.open.as_ref());
        for path in open.map(|open| open.file.path()).chain([&*self.place.path]) {
            if !self.env.disk.exists(path).map_err(on(path))? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Rows that came in an hour that is over by now go into its file: what was appended before belongs there.
    fn turn(&mut self, lane: usize) -> Result<(), WriteError> {
        self.flush(lane)?;
        let (hour, now) = (Hour::at(self.env.clock.unix_ms()), self.env.clock.monotonic());
        let rotate = self.settings.rotate;
        let is_over = |open: &Open| open.hour != hour || now.since(open.since) >= rotate || open.synced >= FILE_BYTES;
        if self.lanes[lane].open.as_ref().is_some_and(is_over) {
            self.lanes[lane].open = None;
            self.to_seal = Some(Monotonic::default());
        }
        Ok(())
    }

    fn flush(&mut self, lane: usize) -> Result<(), WriteError> {
        if self.lanes[lane].unsynced.len() == 0 {
            return Ok(());
        }
        if self.lanes[lane].open.is_none() {
            let open = self.begin(self.lanes[lane].kind)?;
            self.lanes[lane].open = Some(open);
        }
        let Lane {
            open: Some(open),
            unsynced,
            rows,
            ..
        } = &mut self.lanes[lane]
        else {
            return Ok(());
        };
        let path = open.file.path().to_owned();
        open.file.write_at(unsynced.bytes(), open.synced).map_err(on(&path))?;
        open.file.sync_data().map_err(on(&path))?;
        if !open.named {
            self.env.disk.sync_dir(&self.place.path).map_err(on(&self.place.path))?;
            open.named = true;
        }
        open.synced += unsynced.len() as u64;
        *unsynced = Frame::default();
        add(&self.counters.written_rows, std::mem::take(rows));
        Ok(())
    }

    fn begin(&self, kind: Kind) -> Result<Open, WriteError> {
        let unix_ms = self.env.clock.unix_ms();
        let file = FrameFile::new(kind, unix_ms, self.env.entropy.next_u64());
        let path = file.path(&self.place.path);
        Ok(Open {
            file: self.env.disk.open(&path, OpenMode::CreateNew).map_err(on(&path))?,
            hour: file.hour,
            since: self.env.clock.monotonic(),
            synced: 0,
            named: false,
        })
    }

    /// On a disk that is low the oldest files go now, and not when the next one is sealed.
    fn look(&mut self) -> Result<(), WriteError> {
        let now = self.env.clock.monotonic();
        if now < self.look_at {
            return Ok(());
        }
        self.look_at = now.plus(LOOK_EVERY);
        let root = &self.settings.dir;
        let space = self.env.disk.space(root).map_err(on(root))?;
        if space.is_some_and(|space| is_low(space, self.settings.min_free)) {
            self.to_seal = Some(now);
        }
        Ok(())
    }

    fn seal(&mut self) -> Result<(), WriteError> {
        let now = self.env.clock.monotonic();
        if self.to_seal.is_none_or(|at| now < at) {
            return Ok(());
        }
        self.to_seal = Some(now.plus(SEAL_AGAIN));
        let open = self.lanes.iter().filter_map(|lane| lane.open.as_ref());
        let written: Vec<PathBuf> = open.map(|open| open.file.path().to_owned()).collect();
        // The limit first: on a full disk it may be what makes room.
        let room = self.keep_to_limit();
        let own = seal_all(
            &*self.env.disk,
            &self.settings.dir,
            &self.place.path,
            &written,
            &self.counters,
        );
        let others = self.seal_orphans();
        let kept = self.keep_to_limit();
        if own.is_ok() && kept.is_ok() && !self.is_over {
            self.to_seal = None;
        }
        room.and(own).and(others).and(kept)
    }

    /// Seals what lies in places that nobody has any more. What fails there is tried again when our next file is sealed.
    fn seal_orphans(&self) -> Result<(), WriteError> {
        let (disk, root) = (&*self.env.disk, &self.settings.dir);
        let mut first = Ok(());
        for place in places::all(root).filter(|place| *place != self.place.path) {
            let done = match places::lock_existing(disk, &place) {
                Ok(Some(_lock)) => seal_all(disk, root, &place, &[], &self.counters),
                Ok(None) => Ok(()),
                Err(error) => Err(on(&place)(error)),
            };
            first = first.and(done);
        }
        first
    }

    /// Deletes the oldest sealed files, and the folders of hours of which nothing is left. Processes that share the directory find the
    /// same ones: what another has deleted is gone. One that cannot be deleted does not hold up the others.
    fn keep_to_limit(&mut self) -> Result<(), WriteError> {
        let (disk, root) = (&*self.env.disk, &self.settings.dir);
        let taken = taken(disk, root)?;
        let space = disk.space(root).map_err(on(root))?;
        let limit = taken.limit(self.settings.budget, space, self.settings.min_free);
        self.is_over = taken.open >= limit;
        let mut first = Ok(());
        for file in taken.excess(limit) {
            let deleted = match disk.remove_file(&file.path) {
                Ok(()) => {
                    add(&self.counters.deleted_files, 1);
                    add(&self.counters.deleted_bytes, file.bytes);
                    file.path.parent().map_or(Ok(()), |hour| remove_empty(disk, hour))
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
                Err(error) => Err(on(&file.path)(error)),
            };
            first = first.and(deleted);
        }
        first
    }
}

/// Another process may be about to seal a file into it: then its rename fails, and the next attempt makes the folder anew.
fn remove_empty(disk: &dyn Disk, hour: &Path) -> Result<(), WriteError> {
    match disk.remove_dir(hour) {
        Err(error) if !matches!(error.kind(), io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::NotFound) => {
            Err(on(hour)(error))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

impl Drop for Writer {
    /// What is not synced by now is lost.
    fn drop(&mut self) {
        let rows = self.lanes.iter().map(|lane| lane.rows).sum();
        add(&self.counters.disk_dropped_rows, rows);
    }
}

fn push(frame: &mut Frame, batch: &Batch) -> Result<(), CodecError> {
    match batch {
        Batch::Served(rows) => frame.push(rows),
        Batch::Actions(rows) => frame.push(rows),
    }
}

#[cfg(test)]
#[path = "writer_test.rs"]
mod tests;
