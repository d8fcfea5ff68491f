//! What can go wrong with a shard's stores.

use covey_shared::codec::CodecError;
use covey_shared::ids::{LogIndex, ShardId};
use covey_shared::wire::InvalidRequest;

/// Errors of opening, applying and reading. After an error of `open` or `apply` the replica must not go on: what is in
/// memory may no longer match the key-value store.
#[derive(Debug, thiserror::Error)]
pub enum ShardStoreError {
    /// A record of the key-value store does not decode: the store is damaged or from a newer release.
    #[error("shard {shard}: the {kind} record of {key:02x?} cannot be read; remove the replica and let a peer rebuild it")]
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
    /// The query breaks a rule.
    #[error("invalid query: {0}")]
    Invalid(InvalidRequest),
}
