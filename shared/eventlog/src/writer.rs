//! Writes rows to the files of the open hour, and has them sealed. Runs on the thread of the log; every call may block on the
//! disk.
//!
//! Rows belong to the hour in which they come in, by the clock of this process, so there is one open file per kind, whatever the
//! rows say of themselves. A clock that jumps ends a file and begins another, in either direction.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use covey_env::{Disk, DiskFile, DiskLock, Env, Monotonic, OpenMode};
use covey_shared::codec::CodecError;

use crate::budget::{Sealed, excess};
use crate::counters::{Counters, add};
use crate::files::{FrameFile, Kind, hour_of, is_parquet, places};
use crate::frames;
use crate::hour::Hour;
use crate::log::Settings;
use crate::rows::Batch;
use crate::seal::{WriteError, on, seal_all};

/// Processes of one machine that may share a directory.
const PLACES: usize = 16;
/// Unsynced bytes of a kind that are written before the second is over.
const FLUSH_BYTES: usize = 1 << 20;
/// Unsynced bytes of a kind that wait for a disk that fails; what comes then is dropped.
const UNSYNCED_BYTES: usize = 8 << 20;
/// A file that has grown to this is sealed before its hour is over: sealing holds it in memory.
const FILE_BYTES: u64 = 32 << 20;

/// What could not be sealed is tried again after this.
const SEAL_AGAIN: Duration = Duration::from_secs(30);
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
    /// Frames that are not synced. They stay here until a sync has succeeded, and are written again after a failure: a sync that
    /// failed has said nothing about any of them.
    unsynced: Vec<u8>,
    rows: u64,
}

/// Owns a place in the directory of the log.
pub(crate) struct Writer {
    env: Env,
    settings: Settings,
    place: PathBuf,
    _lock: DiskLock,
    lanes: [Lane; 2],
    /// Something lies in the place that must be sealed, and when to try it.
    to_seal: Option<Monotonic>,
    /// What is not sealed is alone more than the budget, which nothing can be deleted for: new rows are dropped.
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
        let mut failed = None;
        let mut own = None;
        for place in all_places(&settings.dir) {
            match lock(&*env.disk, &place) {
                Ok(Some(lock)) => {
                    own = Some((place, lock));
                    break;
                }
                Ok(None) => {}
                // Perhaps another user's: the next one may do.
                Err(error) => failed = failed.or(Some(on(&place)(error))),
            }
        }
        let Some((place, lock)) = own else {
            return Err(failed.unwrap_or(WriteError::NoPlace { dir: settings.dir }));
        };
        let lanes = Kind::ALL.map(|kind| Lane {
            kind,
            open: None,
            unsynced: Vec::new(),
            rows: 0,
        });
        Ok(Writer {
            env,
            settings,
            place,
            _lock: lock,
            lanes,
            to_seal: Some(Monotonic::default()),
            is_over: false,
            counters,
        })
    }

    /// Takes rows. They are synced by the next [`Writer::tick`], or now if they are many.
    pub(crate) fn append(&mut self, batch: &Batch) -> Result<(), WriteError> {
        let lane = self.lane(batch.kind());
        let (before, rows) = (self.lanes[lane].unsynced.len(), batch.len() as u64);
        if self.is_over || before >= UNSYNCED_BYTES || frame(&mut self.lanes[lane].unsynced, batch).is_err() {
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

    /// Syncs what is unsynced, ends the files whose time is over, seals them, and keeps to the budget. After an error the rest is
    /// done all the same, and what failed is tried again by the next call.
    pub(crate) fn tick(&mut self) -> Result<(), WriteError> {
        let (first, second) = (self.turn(0), self.turn(1));
        first.and(second).and(self.seal())
    }

    /// Syncs everything and seals it.
    pub(crate) fn close(&mut self) -> Result<(), WriteError> {
        let (first, second) = (self.turn(0), self.turn(1));
        self.lanes.iter_mut().for_each(|lane| lane.open = None);
        self.to_seal = Some(Monotonic::default());
        first.and(second).and(self.seal())
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
        if self.lanes[lane].unsynced.is_empty() {
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
        open.file.write_at(unsynced, open.synced).map_err(on(&path))?;
        open.file.sync_data().map_err(on(&path))?;
        if !open.named {
            self.env.disk.sync_dir(&self.place).map_err(on(&self.place))?;
            open.named = true;
        }
        open.synced += unsynced.len() as u64;
        add(&self.counters.written_rows, *rows);
        unsynced.clear();
        unsynced.shrink_to(FLUSH_BYTES);
        *rows = 0;
        Ok(())
    }

    fn begin(&self, kind: Kind) -> Result<Open, WriteError> {
        let unix_ms = self.env.clock.unix_ms();
        let file = FrameFile::new(kind, unix_ms, self.env.entropy.next_u64());
        let path = file.path(&self.place);
        Ok(Open {
            file: self.env.disk.open(&path, OpenMode::CreateNew).map_err(on(&path))?,
            hour: file.hour,
            since: self.env.clock.monotonic(),
            synced: 0,
            named: false,
        })
    }

    fn seal(&mut self) -> Result<(), WriteError> {
        let now = self.env.clock.monotonic();
        if self.to_seal.is_none_or(|at| now < at) {
            return Ok(());
        }
        self.to_seal = Some(now.plus(SEAL_AGAIN));
        let open = self.lanes.iter().filter_map(|lane| lane.open.as_ref());
        let written: Vec<PathBuf> = open.map(|open| open.file.path().to_owned()).collect();
        // The budget first: on a full disk it may be what makes room.
        let room = self.keep_to_budget();
        let own = seal_all(
            &*self.env.disk,
            &self.settings.dir,
            &self.place,
            &written,
            &self.counters,
        );
        let others = self.seal_orphans();
        let kept = self.keep_to_budget();
        if own.is_ok() && kept.is_ok() && !self.is_over {
            self.to_seal = None;
        }
        room.and(own).and(others).and(kept)
    }

    /// Seals what lies in places that nobody has any more. What fails there is tried again when our next file is sealed.
    fn seal_orphans(&self) -> Result<(), WriteError> {
        let (disk, root) = (&*self.env.disk, &self.settings.dir);
        let mut first = Ok(());
        for place in all_places(root).filter(|place| *place != self.place) {
            let done = match disk
                .exists(&place)
                .and_then(|is_there| if is_there { lock(disk, &place) } else { Ok(None) })
            {
                Ok(Some(_lock)) => seal_all(disk, root, &place, &[], &self.counters),
                Ok(None) => Ok(()),
                Err(error) => Err(on(&place)(error)),
            };
            first = first.and(done);
        }
        first
    }

    /// Deletes the oldest sealed files. Processes that share the directory find the same ones: what another has deleted is gone.
    /// Their folders stay, also when they are empty: another process may be about to seal a file into one.
    /// One that cannot be deleted does not hold up the others.
    fn keep_to_budget(&mut self) -> Result<(), WriteError> {
        let (disk, root) = (&*self.env.disk, &self.settings.dir);
        let mut open = 0;
        for (place, _) in list(disk, &places(root))? {
            open += list(disk, &place)?.iter().map(|(_, bytes)| bytes).sum::<u64>();
        }
        self.is_over = open > self.settings.budget;
        let mut first = Ok(());
        for file in excess(sealed(disk, root)?, open, self.settings.budget) {
            match disk.remove_file(&file.path) {
                Ok(()) => {
                    add(&self.counters.deleted_files, 1);
                    add(&self.counters.deleted_bytes, file.bytes);
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => first = first.and(Err(on(&file.path)(error))),
            }
        }
        first
    }
}

fn all_places(root: &Path) -> impl Iterator<Item = PathBuf> {
    let places = places(root);
    (0..PLACES).map(move |n| places.join(n.to_string()))
}

fn frame(out: &mut Vec<u8>, batch: &Batch) -> Result<(), CodecError> {
    match batch {
        Batch::Served(rows) => frames::append(out, rows),
        Batch::Actions(rows) => frames::append(out, rows),
    }
}

/// The lock of a place; `None` if another process has it.
fn lock(disk: &dyn Disk, place: &Path) -> io::Result<Option<DiskLock>> {
    disk.create_dir_all(place)?;
    match disk.lock_exclusive(place) {
        Ok(lock) => Ok(Some(lock)),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error),
    }
}

/// Files of a directory with their lengths; one that is gone has none.
fn list(disk: &dyn Disk, dir: &Path) -> Result<Vec<(PathBuf, u64)>, WriteError> {
    match disk.list(dir) {
        Ok(entries) => Ok(entries.into_iter().map(|entry| (entry.path, entry.len)).collect()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(on(dir)(error)),
    }
}

fn sealed(disk: &dyn Disk, root: &Path) -> Result<Vec<Sealed>, WriteError> {
    let mut found = Vec::new();
    for kind in Kind::ALL {
        for (partition, _) in list(disk, &root.join(kind.as_str()))? {
            let Some(hour) = hour_of(&partition) else { continue };
            let files = list(disk, &partition)?.into_iter().filter(|(path, _)| is_parquet(path));
            found.extend(files.filter_map(|(path, bytes)| {
                let name = path.file_name()?.to_str()?.to_owned();
                Some(Sealed {
                    hour,
                    name,
                    path,
                    bytes,
                })
            }));
        }
    }
    Ok(found)
}

#[cfg(test)]
#[path = "writer_test.rs"]
mod tests;
