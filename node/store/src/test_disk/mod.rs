//! A disk in memory for tests and for the simulator of crashes: fast, loses power, and fails when told to.
//!
//! Its promises are those of POSIX and no more. What was written survives a power loss once the file is synced; before,
//! each sector of each write may be there or not. A name survives once its directory is synced; before, each change of a
//! name may be there or not, a rename as a whole. After a failed sync the system takes the pages for clean: a later
//! sync that succeeds says nothing about them.

mod content;
mod faults;
mod form;
mod names;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use covey_env::Disk;

use content::Content;
pub use faults::{Fault, Happened};
use faults::{Faults, Kind, Verdict};
use names::{NameChange, Names, Shared, content_of, without_orphans};

/// The unit in which a power loss keeps or loses unsynced content.
const SECTOR: usize = 512;

#[derive(Default)]
struct State {
    names: Names,
    /// As of the last syncs of directories.
    durable: Names,
    /// Since then, in order.
    unsynced: Vec<NameChange>,
    fail_syncs: bool,
    full: bool,
    /// Its bytes, and those that others have taken.
    size: Option<(u64, u64)>,
    writes: u64,
    faults: Faults,
}

/// A disk in memory. Clones are the same disk.
#[derive(Clone, Default)]
pub struct TestDisk(Arc<Mutex<State>>);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl TestDisk {
    /// An empty disk that keeps its promises.
    #[must_use]
    pub fn new() -> TestDisk {
        TestDisk::of(Names::from([(PathBuf::from("/"), None)]))
    }

    fn of(names: Names) -> TestDisk {
        let state = State {
            durable: names.clone(),
            names,
            ..State::default()
        };
        TestDisk(Arc::new(Mutex::new(state)))
    }

    /// For those who take any disk.
    #[must_use]
    pub fn shared(&self) -> Arc<dyn Disk> {
        Arc::new(self.clone())
    }

    /// From now on syncs of files fail, or do no longer.
    pub fn fail_syncs(&self, fail: bool) {
        lock(&self.0).fail_syncs = fail;
    }

    /// From now on files can no longer grow, or can again.
    pub fn fill(&self, full: bool) {
        lock(&self.0).full = full;
    }

    /// From now on the disk says how large it is, in bytes, and that others have taken so many of them. What is written is not held
    /// to that.
    pub fn set_size(&self, total: u64, others: u64) {
        lock(&self.0).size = Some((total, others));
    }

    /// How often a file was written.
    #[must_use]
    pub fn writes(&self) -> u64 {
        lock(&self.0).writes
    }

    /// Replaces the plan of what goes wrong: a fault strikes at the first operation it fits from that number on, counted
    /// from now, from 1. Power that was lost is back.
    pub fn plan(&self, faults: impl IntoIterator<Item = (u64, Fault)>) {
        lock(&self.0).faults = Faults::new(faults);
    }

    /// Which of the planned faults have struck, in order.
    #[must_use]
    pub fn happened(&self) -> Vec<Happened> {
        lock(&self.0).faults.happened().to_vec()
    }

    /// Whether the power was lost or the process killed: every operation fails since.
    #[must_use]
    pub fn is_off(&self) -> bool {
        lock(&self.0).faults.is_off()
    }

    /// Operations since the last [`TestDisk::plan`].
    #[must_use]
    pub fn operations(&self) -> u64 {
        lock(&self.0).faults.operations()
    }

    /// The disk after a power loss, tearing writes at sectors of 512 bytes. `keep` decides on each part that was not synced.
    #[must_use]
    pub fn after_power_loss(&self, keep: impl FnMut() -> bool) -> TestDisk {
        self.after_power_loss_of(SECTOR, keep)
    }

    /// As [`TestDisk::after_power_loss`], with sectors of this many bytes.
    #[must_use]
    pub fn after_power_loss_of(&self, sector: usize, mut keep: impl FnMut() -> bool) -> TestDisk {
        let state = lock(&self.0);
        let mut names = state.durable.clone();
        for change in &state.unsynced {
            if keep() {
                change.make(&mut names);
            }
        }
        TestDisk::of(renewed(&without_orphans(names), |content| {
            content.survivor(sector, &mut keep)
        }))
    }

    /// An independent copy, as if all were synced.
    #[must_use]
    pub fn copy(&self) -> TestDisk {
        TestDisk::of(renewed(&lock(&self.0).names, |content| content.now().to_vec()))
    }

    /// All files with their lengths, by path.
    #[must_use]
    pub fn files(&self) -> Vec<(PathBuf, usize)> {
        let state = lock(&self.0);
        let files = state.names.iter();
        files
            .filter_map(|(path, content)| Some((path.clone(), lock(content.as_ref()?).now().len())))
            .collect()
    }

    /// Changes the content of a file behind everybody's back.
    ///
    /// # Panics
    /// If there is no such file.
    pub fn tamper(&self, path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
        let content = content_of(&lock(&self.0).names, path).expect("the file to be tampered with is there");
        let mut content = lock(&content);
        let mut bytes = content.now().to_vec();
        change(&mut bytes);
        *content = Content::synced(bytes);
    }

    /// Makes one directory, without a sync of its parent.
    ///
    /// # Errors
    /// A planned fault.
    pub fn make_dir_unsynced(&self, dir: &Path) -> io::Result<()> {
        self.change_name(Kind::Name, "make", dir, NameChange::Put(dir.to_owned(), None))
    }

    /// [`Disk::rename`] without its syncs.
    ///
    /// # Errors
    /// There is no such file, or a planned fault.
    pub fn rename_unsynced(&self, from: &Path, to: &Path) -> io::Result<()> {
        let content = content_of(&lock(&self.0).names, from)?;
        let (from, new) = (from.to_owned(), to.to_owned());
        let change = NameChange::Rename { from, to: new, content };
        self.change_name(Kind::Rename, "rename to", to, change)
    }

    fn change_name(&self, kind: Kind, what: &'static str, path: &Path, change: NameChange) -> io::Result<()> {
        let mut state = lock(&self.0);
        let verdict = state.faults.begin(kind, what, path)?;
        if let Verdict::Fail(error) = verdict {
            return Err(error.into());
        }
        change.make(&mut state.names);
        state.unsynced.push(change);
        verdict.end()
    }

    fn content(&self, path: &Path) -> io::Result<Shared> {
        content_of(&lock(&self.0).names, path)
    }

    fn begin(&self, kind: Kind, what: &'static str, path: &Path) -> io::Result<Verdict> {
        lock(&self.0).faults.begin(kind, what, path)
    }
}

/// The same names with new contents; what was one file under two names still is.
fn renewed(names: &Names, mut renew: impl FnMut(&Content) -> Vec<u8>) -> Names {
    let mut known: BTreeMap<usize, Shared> = BTreeMap::new();
    let mut new = |content: &Shared| {
        // Only looked up: the order of addresses reaches nothing.
        let file = known.entry(Arc::as_ptr(content).addr());
        let file = file.or_insert_with(|| Arc::new(Mutex::new(Content::synced(renew(&lock(content))))));
        Arc::clone(file)
    };
    let renewed = names
        .iter()
        .map(|(path, content)| (path.clone(), content.as_ref().map(&mut new)));
    renewed.collect()
}

#[cfg(test)]
#[path = "mod_test.rs"]
mod tests;
