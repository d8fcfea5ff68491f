//! What the writer, the readers and the maintenance of a partition share.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use arc_swap::ArcSwap;
use covey_env::Env;
use parking_lot::Mutex;

use crate::error::PartitionError;
use crate::folder::FolderId;
use crate::locator::Locator;
use crate::manifest::{FolderEntry, Manifest};
use crate::space::{PartitionOptions, SpaceSpec};
use crate::view::View;

/// State under the lock that the writer takes per row. Nobody does I/O or waits while holding it.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) locator: Locator,
    pub(crate) next_folder: u32,
    /// Folders that the view does not list any more. Their files go once the manifest does not list them either.
    pub(crate) retired: Vec<FolderId>,
    /// Folders whose files are being copied, and by how many: they stay on the disk.
    pub(crate) pins: BTreeMap<FolderId, u32>,
    /// Folders to be copied into new ones: their files are damaged, what is live in them is sound.
    pub(crate) rewrite: BTreeSet<FolderId>,
}

impl State {
    pub(crate) fn new_folder(&mut self) -> FolderId {
        let folder = FolderId(self.next_folder);
        self.next_folder = self
            .next_folder
            .checked_add(1)
            .expect("a partition makes fewer than 2^32 folders");
        folder
    }
}

/// Counters of a partition since it was opened.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// Hits dropped, and merges given up, because a row did not match its checksum.
    pub(crate) damaged_rows: AtomicU64,
    /// The most pages of vectors that the disk could not read.
    pub(crate) faulted_pages: AtomicU64,
    /// Times that more pages than before were lost to maps.
    pub(crate) losses: AtomicU64,
    /// Tails that became segments.
    pub(crate) seals: AtomicU64,
    /// Times that segments became one.
    pub(crate) merges: AtomicU64,
    /// Index builds that ended below the least recall.
    pub(crate) low_recall: AtomicU64,
    /// Whether a seal, build or merge runs.
    pub(crate) building: AtomicBool,
    /// What the locator took when it was last looked at.
    pub(crate) locator_bytes: AtomicU64,
}

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) env: Env,
    pub(crate) dir: PathBuf,
    pub(crate) space: Arc<SpaceSpec>,
    pub(crate) options: Arc<PartitionOptions>,
    /// Swapped only under `state`.
    pub(crate) view: ArcSwap<View>,
    pub(crate) state: Mutex<State>,
    /// What the file says; held while it is written, so that the last writer saw the newest list.
    manifest: Mutex<Manifest>,
    /// Held by the one maintenance step that runs, while it waits too.
    pub(crate) step: tokio::sync::Mutex<()>,
    pub(crate) counters: Arc<Counters>,
    /// Set when the writer is gone: maintenance ends at the next look.
    pub(crate) stopping: AtomicBool,
    /// A row of a tail took the place of a damaged one, and perhaps no checkpoint has made it durable.
    pub(crate) repaired: AtomicBool,
}

impl Shared {
    pub(crate) fn new(env: Env, dir: PathBuf, view: View, manifest: Manifest) -> Self {
        Self {
            env,
            dir,
            space: Arc::clone(&view.space),
            options: Arc::clone(&view.options),
            counters: Arc::clone(&view.counters),
            view: ArcSwap::from_pointee(view),
            state: Mutex::new(State {
                locator: Locator::default(),
                next_folder: manifest.next_folder,
                retired: Vec::new(),
                pins: BTreeMap::new(),
                rewrite: BTreeSet::new(),
            }),
            manifest: Mutex::new(manifest),
            step: tokio::sync::Mutex::new(()),
            stopping: AtomicBool::new(false),
            repaired: AtomicBool::new(false),
        }
    }

    /// Bytes of the locator, as of a moment ago while it is being changed: each write asks, and must not wait for a swap.
    pub(crate) fn locator_bytes(&self) -> u64 {
        let known = &self.counters.locator_bytes;
        if let Some(state) = self.state.try_lock() {
            known.store(state.locator.heap_bytes() as u64, Ordering::Relaxed);
        }
        known.load(Ordering::Relaxed)
    }

    /// Unsealed rows as a part of what is bearable.
    pub(crate) fn pressure(&self) -> f64 {
        let limit = self.options.max_unsealed * self.options.seal_rows;
        self.view.load().unsealed_rows() as f64 / limit as f64
    }

    /// Publishes a changed list. The caller holds `state`, so that no change is lost.
    pub(crate) fn publish(&self, _state: &mut State, change: impl FnOnce(&mut View)) {
        let old = self.view.load();
        let mut new = View {
            space: Arc::clone(&old.space),
            options: Arc::clone(&old.options),
            counters: Arc::clone(&old.counters),
            segments: old.segments.clone(),
            tails: old.tails.clone(),
        };
        change(&mut new);
        self.view.store(Arc::new(new));
    }

    /// Writes the manifest of what is durable now, unless it says so already.
    pub(crate) fn write_manifest(&self) -> Result<(), PartitionError> {
        let mut written = self.manifest.lock();
        let (view, next_folder) = {
            let state = self.state.lock();
            (self.view.load_full(), state.next_folder)
        };
        let entry = |folder: FolderId, rows, sealed| FolderEntry {
            folder: folder.0,
            rows: rows as u32,
            sealed,
        };
        let mut folders: Vec<_> = view.segments.iter().map(|s| entry(s.folder, s.len(), true)).collect();
        let tails = view.tails.iter().map(|t| entry(t.folder, t.durable(), false));
        folders.extend(tails.filter(|entry| entry.rows > 0));
        // A new folder number matters only once a folder of it is listed.
        if folders == written.folders {
            return Ok(());
        }
        let manifest = Manifest { next_folder, folders };
        manifest.write(&*self.env.disk, &self.space, &self.dir)?;
        *written = manifest;
        Ok(())
    }

    /// Compares the manifest with what was written, and writes it again if it is not that; true then.
    pub(crate) fn recheck_manifest(&self) -> Result<bool, PartitionError> {
        // Locked: it is not being replaced meanwhile.
        let written = self.manifest.lock();
        let disk = &*self.env.disk;
        match Manifest::read(disk, &self.space, &self.dir) {
            Ok(Some(found)) if found == *written => Ok(false),
            _ => written.write(disk, &self.space, &self.dir).map(|()| true),
        }
    }
}
