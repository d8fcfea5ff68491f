//! What directories take on the disk.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Bytes of the blocks of all files below `dir`; holes take nothing. What is removed meanwhile does not count.
pub(super) fn allocated(dir: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(dir) else { return 0 };
    let of = |entry: fs::DirEntry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => allocated(&entry.path()),
        Ok(metadata) => metadata.blocks() * 512,
        Err(_) => 0,
    };
    entries.flatten().map(of).sum()
}

/// Bytes of a node's directory: log, key-value store, vectors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct NodeDisk {
    pub(super) log: u64,
    pub(super) store: u64,
    pub(super) vectors: u64,
}

impl NodeDisk {
    pub(super) fn of(node: &Path) -> NodeDisk {
        let shards = fs::read_dir(node).into_iter().flatten().flatten();
        let is_shard = |entry: &fs::DirEntry| entry.file_name().to_string_lossy().starts_with("shard-");
        NodeDisk {
            log: allocated(&node.join("wal")),
            store: allocated(&node.join("kv")),
            vectors: shards.filter(is_shard).map(|entry| allocated(&entry.path())).sum(),
        }
    }
}

#[cfg(test)]
#[path = "disk_usage_test.rs"]
mod tests;
