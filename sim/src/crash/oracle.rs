//! The undisturbed replica.

use std::path::Path;
use std::sync::Arc;

use covey_shard::{ShardOptions, ShardStore};
use covey_shared::ids::PostId;
use covey_shared::model::F16Vector;
use covey_store::kv::JournalKv;
use covey_store::log::LogEntry;
use covey_store::test_disk::TestDisk;

use super::answers::Answers;
use super::process::{entries_to_apply, world};
use super::settings::Settings;

/// Rows of the one tail that it ever has.
const ROWS: usize = 8192;

/// Applies the same entries, one after the other, on a disk without faults; it never checkpoints, seals or restarts.
pub(super) struct Oracle {
    store: ShardStore,
}

impl Oracle {
    pub(super) fn new(settings: &Settings) -> anyhow::Result<Oracle> {
        let disk = TestDisk::new().shared();
        let kv = Arc::new(JournalKv::open(disk.clone(), Path::new("/kv"))?);
        let mut options: ShardOptions = settings.shard();
        options.partition.seal_rows = ROWS;
        let (store, _) = ShardStore::open(&world(disk), kv, Path::new("/shard"), options)?;
        Ok(Oracle { store })
    }

    /// Answers once everything up to `index` of the whole log `log` is applied. The index never goes back.
    pub(super) fn answers_at(&mut self, log: &[LogEntry], index: u64) -> anyhow::Result<Answers> {
        let from = self.store.applied().index.0;
        for entry in entries_to_apply(&log[from as usize..index as usize])? {
            self.store.apply(&[entry])?;
        }
        Ok(Answers::of(&self.store.view(), &|| self.store.stats())?)
    }

    /// Its copies of these vectors: it is the peer from which a damaged replica heals.
    pub(super) fn rows_of(&self, posts: &[PostId]) -> anyhow::Result<Vec<Option<F16Vector>>> {
        Ok(self.store.view().rows_of(posts)?.value)
    }
}
