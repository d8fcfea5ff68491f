//! What can be wrong with a snapshot.

use std::io;
use std::path::{Path, PathBuf};

use covey_shared::ids::ShardId;

/// Why a snapshot could not be written, or is not taken over. Nothing of a refused one is visible; fetch another one.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The disk.
    #[error("{path}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the disk says.
        #[source]
        source: io::Error,
    },
    /// What was to be exported is not there any more.
    #[error("shard {shard}: this incarnation of the replica was swept; export the current one")]
    Swept {
        /// The shard.
        shard: ShardId,
    },
    /// The snapshot names a file that no snapshot has, or one twice.
    #[error("the snapshot is refused: the file {name:?} has no place in it")]
    Name {
        /// The name.
        name: String,
    },
    /// The snapshot does not name a file that it needs.
    #[error("the snapshot is refused: the file {name} is not in it")]
    Missing {
        /// The name.
        name: String,
    },
    /// The snapshot names a folder twice, or the last number, behind which no other can follow.
    #[error("the snapshot is refused: it cannot have a folder of the number {folder}")]
    Folder {
        /// The folder.
        folder: u32,
    },
    /// A file that cannot be what was written.
    #[error("the snapshot is refused: {path} is damaged at byte {offset}", path = path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where in it.
        offset: u64,
    },
    /// A file of a newer program.
    #[error("the snapshot is refused: {path} has format {found}, this program knows {known}; start a newer one", path = path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// Ours.
        known: u32,
    },
    /// A file of another shard.
    #[error("the snapshot is refused: {path} is of shard {found}", path = path.display())]
    OtherShard {
        /// The file.
        path: PathBuf,
        /// Its shard.
        found: ShardId,
    },
    /// A key that a replica of this shard cannot have.
    #[error("the snapshot is refused: {path} has the key {key:02x?}, which is not one of this shard", path = path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// The key, without generation.
        key: Vec<u8>,
    },
    /// The parts of the snapshot do not fit together, or not to this replica.
    #[error("the snapshot is refused: its {what} is another one than expected")]
    Differs {
        /// What differs.
        what: &'static str,
    },
}

impl SnapshotError {
    pub(crate) fn io(path: &Path, source: io::Error) -> SnapshotError {
        SnapshotError::Io {
            path: path.to_owned(),
            source,
        }
    }
}
