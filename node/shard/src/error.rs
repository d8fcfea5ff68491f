//! What can go wrong with a shard's stores.

use covey_ann::AnnError;
use covey_embeddings::PartitionError;
use covey_shared::codec::CodecError;
use covey_shared::ids::{LogIndex, ShardEpoch, ShardId};
use covey_shared::wire::{InvalidRequest, ShardError};
use covey_store::kv::KvError;

use crate::snapshot::SnapshotError;

/// Errors of opening, applying and reading. After an error of `open` or `apply` the replica must not go on: what is in
/// memory may no longer match the key-value store.
#[derive(Debug, thiserror::Error)]
pub enum ShardStoreError {
    /// The key-value store failed.
    #[error("the key-value store failed")]
    Kv(#[from] KvError),
    /// The partition of vectors failed.
    #[error("the partition of vectors failed")]
    Partition(#[from] PartitionError),
    /// A search failed.
    #[error("the search failed")]
    Search(#[source] AnnError),
    /// A record of the key-value store does not decode: the store is damaged or from a newer release.
    #[error(
        "shard {shard}: the {kind} record of {key:02x?} cannot be read; what to do is in docs/running.md, under \"Stores are damaged\""
    )]
    Record {
        /// The shard.
        shard: ShardId,
        /// Kind of the record.
        kind: &'static str,
        /// Its key.
        key: Vec<u8>,
        /// What is wrong with it.
        source: CodecError,
    },
    /// It was found damaged while it ran.
    #[error(
        "shard {shard}: this replica was found to be damaged; what to do is in docs/running.md, under \"Stores are damaged\""
    )]
    Condemned {
        /// The shard.
        shard: ShardId,
    },
    /// A value could not be encoded.
    #[error("a record is too large to be stored")]
    Encode(#[source] CodecError),
    /// The entries do not follow each other.
    #[error("shard {shard}: entry {found} was to be applied after {applied}")]
    Gap {
        /// The shard.
        shard: ShardId,
        /// Last applied entry.
        applied: LogIndex,
        /// The entry that came.
        found: LogIndex,
    },
    /// A snapshot could not be written or is not taken over.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// It was told to stop.
    #[error("it was stopped before it was done")]
    Stopped,
    /// Too many incarnations were begun and given up.
    #[error("shard {shard}: {retired} former incarnations were not swept yet; sweep them, then begin another one")]
    Unswept {
        /// The shard.
        shard: ShardId,
        /// How many there are.
        retired: usize,
    },
    /// The query breaks a rule.
    #[error("invalid query: {0}")]
    Invalid(InvalidRequest),
    /// The one user of the query belongs to another shard.
    #[error("the user belongs to another shard; ask the map again")]
    StaleEpoch {
        /// This shard's epoch.
        current: ShardEpoch,
    },
}

impl ShardStoreError {
    /// Whether what the replica held cannot be read back: a peer has to give it again.
    pub fn is_damage(&self) -> bool {
        match self {
            ShardStoreError::Record { source, .. } => !matches!(source, CodecError::Version { .. }),
            ShardStoreError::Partition(source) => source.is_damage(),
            ShardStoreError::Condemned { .. } => true,
            _ => self.is_kv_damage(),
        }
    }

    /// Whether the key-value store is damaged, which all replicas of the node share.
    pub fn is_kv_damage(&self) -> bool {
        matches!(self, ShardStoreError::Kv(source) if source.is_damage())
    }

    /// As it is told to the caller of a read.
    pub fn to_wire(&self) -> ShardError {
        match self {
            ShardStoreError::Invalid(invalid) => ShardError::Invalid(*invalid),
            ShardStoreError::StaleEpoch { current } => ShardError::StaleEpoch { current: *current },
            ShardStoreError::Search(AnnError::WrongDimension { .. }) => {
                ShardError::Invalid(InvalidRequest::WrongDimension)
            }
            ShardStoreError::Search(AnnError::NotFinite { .. } | AnnError::ZeroVector) => {
                ShardError::Invalid(InvalidRequest::BadVector)
            }
            _ => ShardError::Store,
        }
    }
}
