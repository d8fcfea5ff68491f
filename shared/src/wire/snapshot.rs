//! Snapshots of shard replicas. Who lacks the log's beginning, or everything, pulls one from the leader.

use bincode::{Decode, Encode};

use crate::ids::{LogIndex, Term};
use crate::members::ShardDescriptor;

/// Bytes of a chunk; the last one of a file may be shorter.
pub const SNAPSHOT_CHUNK: u64 = 1 << 20;

/// One file of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct SnapshotFile {
    /// `kv-0000` or `000012/rows.emb`.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// BLAKE3 of its content.
    pub hash: [u8; 32],
}

/// One sealed folder of vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct SnapshotFolder {
    /// Its number, as in the names of its files.
    pub id: u32,
    /// Rows in it, dead ones included.
    pub rows: u32,
}

/// Everything a replica had applied at one log index, as files.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct SnapshotManifest {
    /// The shard at that index.
    pub descriptor: ShardDescriptor,
    /// Last applied entry.
    pub index: LogIndex,
    /// Term of that entry.
    pub term: Term,
    /// Its files.
    pub files: Vec<SnapshotFile>,
    /// The folders that they make up.
    pub folders: Vec<SnapshotFolder>,
}

/// A snapshot that the leader keeps for a while. Each call for it prolongs that.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct OpenedSnapshot {
    /// Names it in further calls to this node.
    pub id: u64,
    /// Term in which the sender led when it opened it.
    pub leader_term: Term,
    /// What there is to fetch.
    pub manifest: SnapshotManifest,
}

/// A piece of a file: [`SNAPSHOT_CHUNK`] bytes, or fewer at its end.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct SnapshotChunk {
    /// The bytes.
    pub data: Vec<u8>,
    /// CRC-32C of `data`.
    pub crc: u32,
}

/// What a member of a group says of itself to one that has nothing. All zero: it takes no part, and has nothing either.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Standing {
    /// Its term.
    pub term: Term,
    /// Last entry of its log.
    pub last: LogIndex,
    /// Whether it leads.
    pub leads: bool,
}
