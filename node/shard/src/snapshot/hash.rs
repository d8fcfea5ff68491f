//! Hashes of whole files.

use std::path::Path;

use covey_env::{Disk, OpenMode};
use covey_shared::wire::SnapshotFile;

use super::SnapshotError;
use crate::error::ShardStoreError;

/// Bytes that are read at a time; also the grain of stopping.
const BLOCK: u64 = 1 << 20;

/// The length of a file and the BLAKE3 hash of its content, as a snapshot's file of this name.
///
/// # Errors
/// [`ShardStoreError::Stopped`] after `stop`; what the disk says.
pub fn hash_file(
    disk: &dyn Disk,
    path: &Path,
    name: String,
    stop: &dyn Fn() -> bool,
) -> Result<SnapshotFile, ShardStoreError> {
    let io = |source| SnapshotError::io(path, source);
    let file = disk.open(path, OpenMode::Read).map_err(io)?;
    let bytes = file.len().map_err(io)?;
    let mut hasher = blake3::Hasher::new();
    let mut block = vec![0; BLOCK.min(bytes) as usize];
    let mut at = 0;
    while at < bytes {
        if stop() {
            return Err(ShardStoreError::Stopped);
        }
        let part = &mut block[..BLOCK.min(bytes - at) as usize];
        file.read_at(part, at).map_err(io)?;
        hasher.update(part);
        at += part.len() as u64;
    }
    let hash = *hasher.finalize().as_bytes();
    Ok(SnapshotFile { name, bytes, hash })
}
