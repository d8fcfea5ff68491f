//! What can go wrong with a partition.

use std::io;
use std::path::PathBuf;

use covey_ann::AnnError;
use covey_store::is_unreadable;
use covey_store::rows::RowError;

/// Errors of opening, checkpointing and maintaining a partition.
#[derive(Debug, thiserror::Error)]
pub enum PartitionError {
    /// A space that no partition can hold.
    #[error(
        "the space `{name}` with {dim} dimensions is not possible; give a name of 1 to 64 bytes and 1 to 4096 dimensions"
    )]
    BadSpace {
        /// Its name.
        name: String,
        /// Its dimension.
        dim: usize,
    },
    /// A file of another space.
    #[error("{path} belongs to the space {found}, this partition is {expected}", path = path.display())]
    WrongSpace {
        /// The file.
        path: PathBuf,
        /// What it says.
        found: String,
        /// What was expected.
        expected: String,
    },
    /// A file that cannot be what was written. The replica must be rebuilt from a peer.
    #[error("{path} is damaged: {what}; what to do is in docs/running.md, under \"Stores are damaged\"", path = path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        what: &'static str,
    },
    /// A file of a newer program.
    #[error("{path} has format {found}, this program knows {known}; start a newer one", path = path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u16,
        /// Ours.
        known: u16,
    },
    /// The disk.
    #[error("{path}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the disk says.
        #[source]
        source: io::Error,
    },
    /// A row file.
    #[error(transparent)]
    Rows(#[from] RowError),
    /// The index.
    #[error("the index of folder {folder}")]
    Index {
        /// The folder.
        folder: u32,
        /// What the index says.
        #[source]
        source: AnnError,
    },
    /// Folders that make no partition: of a number twice, or where there is one already.
    #[error("{dir} cannot take over folders of vectors: {what}", dir = dir.display())]
    NotInstallable {
        /// The directory.
        dir: PathBuf,
        /// What is in the way.
        what: &'static str,
    },
    /// The maintenance was told to stop.
    #[error("the maintenance was stopped")]
    Stopped,
    /// A pause of the builds began; what was begun is undone.
    #[error("the builds of this node are paused")]
    Paused,
}

impl PartitionError {
    /// Whether what was written cannot be read back: the rows are gone from this disk.
    pub fn is_damage(&self) -> bool {
        match self {
            PartitionError::Damaged { .. } => true,
            PartitionError::Io { source, .. } => is_unreadable(source),
            PartitionError::Rows(source) => source.is_damage(),
            _ => false,
        }
    }
}

/// A row that cannot be appended.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum AppendError {
    /// Another length than the space's padded dimension.
    #[error("the row has {got} elements, rows of this space have {expected}")]
    WrongLength {
        /// What was expected.
        expected: usize,
        /// What came.
        got: usize,
    },
    /// NaN or infinite.
    #[error("element {position} of the row is not finite")]
    NotFinite {
        /// Index of the first offending element.
        position: usize,
    },
}
