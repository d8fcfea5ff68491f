//! Removes what former incarnations of a replica left.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use covey_env::Env;
use covey_shared::ids::{Generation, ShardId};
use covey_shared::slots::SlotRange;
use covey_store::kv::{KeyRange, KvBatch, KvStore};

use crate::error::ShardStoreError;
use crate::incarnation::Incarnation;
use crate::keys::{Keys, prefix_end};
use crate::snapshot::SnapshotError;

/// Keys that one batch removes: some 100 KiB.
const BATCH: usize = 4096;

impl Incarnation {
    /// Removes the keys and the folders (`dir_of`) of the retired generations, then forgets them. `slots` are the shard's own:
    /// other shards use the same generations. After a crash or an
    /// error it can be called again. Not while a snapshot is installed for this shard: its generation counts as retired.
    /// Reads and exports of a former incarnation fail from here on; a checkpoint or a merge of it that still runs may leave
    /// a folder, which nobody looks at.
    ///
    /// # Errors
    /// [`ShardStoreError::Stopped`] after `stop`, a failed store, and what the disk says.
    pub fn sweep(
        env: &Env,
        kv: &dyn KvStore,
        shard: ShardId,
        slots: SlotRange,
        dir_of: &dyn Fn(Generation) -> PathBuf,
        stop: &dyn Fn() -> bool,
    ) -> Result<(), ShardStoreError> {
        let mut known = Incarnation::load(kv, shard)?;
        while let Some(&generation) = known.retired.first() {
            remove_keys(kv, Keys { generation, shard }, slots, stop)?;
            remove_dir(env, &dir_of(generation))?;
            // Last: what is forgotten is never looked for again.
            known.retired.remove(0);
            known.store(kv, shard)?;
        }
        Ok(())
    }
}

fn remove_keys(kv: &dyn KvStore, keys: Keys, slots: SlotRange, stop: &dyn Fn() -> bool) -> Result<(), ShardStoreError> {
    let (applied, copy, condemned) = (keys.applied(), keys.copy(), keys.condemned());
    let ranges = [
        keys.slots(slots),
        (applied.clone(), prefix_end(&applied)),
        (copy.clone(), prefix_end(&copy)),
        (condemned.clone(), prefix_end(&condemned)),
    ];
    for (start, end) in ranges.into_iter().chain(keys.of_whole_shard()) {
        let mut batch = KvBatch::new();
        let mut outcome = Ok(());
        kv.scan(&KeyRange::between(&start, &end), &mut |key, _| {
            batch.delete(key);
            if batch.len() < BATCH {
                return ControlFlow::Continue(());
            }
            outcome = if stop() {
                Err(ShardStoreError::Stopped)
            } else {
                kv.commit(&std::mem::take(&mut batch)).map_err(ShardStoreError::Kv)
            };
            if outcome.is_ok() {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        })?;
        outcome?;
        if !batch.is_empty() {
            kv.commit(&batch)?;
        }
    }
    Ok(())
}

fn remove_dir(env: &Env, dir: &Path) -> Result<(), ShardStoreError> {
    let remove = || {
        if env.disk.exists(dir)? {
            env.disk.remove_dir_all(dir)?;
        }
        match dir.parent() {
            Some(parent) if env.disk.exists(parent)? => env.disk.sync_dir(parent),
            _ => Ok(()),
        }
    };
    remove().map_err(|source| SnapshotError::io(dir, source).into())
}

#[cfg(test)]
#[path = "sweep_test.rs"]
mod tests;
