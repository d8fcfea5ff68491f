//! State of a node and its replicas, for `covey status` and for routing.

use bincode::{Decode, Encode};
use serde::Serialize;

use crate::ids::{ClusterId, LogIndex, ModelEpoch, NodeId, ReplicaId, ShardId, Term};
use crate::members::ShardDescriptor;

/// Role of a replica in its Raft group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplicaRole {
    /// Takes writes.
    Leader,
    /// Votes and follows.
    Follower,
    /// Campaigns.
    Candidate,
    /// Follows without a vote.
    Learner,
}

/// One vector space of a replica.
#[derive(Clone, Debug, PartialEq, Encode, Decode, Serialize)]
pub struct SpaceStatus {
    /// Name of the space.
    pub space: String,
    /// Its model epoch.
    pub model_epoch: ModelEpoch,
    /// Live rows.
    pub rows: u64,
    /// Live rows that a faiss index answers (the rest is scanned exactly).
    pub indexed_rows: u64,
    /// Sealed segments.
    pub segments: u32,
    /// A segment is being built.
    pub building: bool,
    /// Lowest recall@10 measured at a build, 0 ..= 1; 1 without an index.
    pub recall: f32,
    /// Tails that became segments since the start.
    pub seals: u64,
    /// Times that segments became one since the start.
    pub merges: u64,
    /// Damaged rows that searches met since the start.
    pub damaged_rows: u64,
    /// Pages of rows that were lost to a read error, with what lies around them in the same piece of a map; in folders that are still in use.
    pub faulted_pages: u64,
}

/// One replica.
#[derive(Clone, Debug, PartialEq, Encode, Decode, Serialize)]
pub struct ReplicaStatus {
    /// Its shard.
    pub shard: ShardId,
    /// Its id.
    pub replica: ReplicaId,
    /// The shard as committed there.
    pub descriptor: ShardDescriptor,
    /// Role.
    pub role: ReplicaRole,
    /// Node of the leader, if known.
    pub leader: Option<NodeId>,
    /// Term.
    pub term: Term,
    /// First index still in the log.
    pub first_index: LogIndex,
    /// Committed.
    pub committed: LogIndex,
    /// Applied.
    pub applied: LogIndex,
    /// Live posts.
    pub posts: u64,
    /// Known users.
    pub users: u64,
    /// Effects not yet delivered to other shards.
    pub outbox: u64,
    /// How far it may lag behind its leader, in milliseconds.
    pub staleness_ms: u32,
    /// Vector spaces.
    pub spaces: Vec<SpaceStatus>,
}

/// What a replica that is built from a snapshot is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RebuildPhase {
    /// It asks the other members of its group what they have: its disk was empty.
    Asking,
    /// It waits for a leader that has what it needs, and for the leader's snapshot.
    Waiting,
    /// It fetches files.
    Fetching,
    /// It takes them in.
    Installing,
}

/// A replica that is built from a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct RebuildStatus {
    /// Its shard.
    pub shard: ShardId,
    /// What it is at.
    pub phase: RebuildPhase,
    /// Who sends, if that is known.
    pub source: Option<NodeId>,
    /// Members without whose answer it cannot begin.
    pub silent: Vec<NodeId>,
    /// Bytes that are here and verified.
    pub bytes: u64,
    /// Bytes of the snapshot; 0 = not known yet.
    pub total_bytes: u64,
    /// Bytes of those that this transfer has moved.
    pub moved_bytes: u64,
    /// Since it began to fetch, in milliseconds.
    pub elapsed_ms: u64,
}

/// The file system that holds the data of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct DiskStatus {
    /// Bytes that can still be written.
    pub free_bytes: u64,
    /// Free bytes and those in use.
    pub total_bytes: u64,
    /// Less is free than `storage.min_free_disk_ratio` asks for: the node leads nothing and takes in nothing new.
    pub low: bool,
}

/// A turn of the log writer, append and fsync, that takes this long is a stall, in milliseconds.
pub const DISK_STALL_MS: u64 = 200;

/// How quick the disk is, as the log writer of a node finds it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct DiskSpeed {
    /// It is slow: others should lead.
    pub slow: bool,
    /// Stalls of the last minute, without one that still goes on.
    pub recent_stalls: u32,
    /// The longest of them, in milliseconds.
    pub longest_recent_ms: u64,
    /// How long a stall has been going on, in milliseconds; 0 = there is none.
    pub going_on_ms: u64,
    /// Stalls since the start.
    pub stalls: u64,
    /// The longest of them, in milliseconds.
    pub longest_ms: u64,
    /// Since the last one ended, in milliseconds.
    pub last_stall_ms: Option<u64>,
    /// Moving mean of the turns that synced, in microseconds; 0 = none yet.
    pub mean_us: u64,
}

/// What the scrubber knows of a replica: the pass that runs, or else the last one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct ScrubStatus {
    /// Its shard.
    pub shard: ShardId,
    /// A pass runs.
    pub running: bool,
    /// Passes that came to their end since the start of the node.
    pub passes: u64,
    /// Milliseconds since the last one ended; means nothing without one.
    pub ended_ms: u64,
    /// Bytes that the pass has read.
    pub bytes: u64,
    /// Bytes that it has to read, about.
    pub total_bytes: u64,
    /// Live rows that it has compared.
    pub rows: u64,
    /// Rows since the start that were not what was written.
    pub damaged: u64,
    /// Those of them that another replica made good.
    pub repaired: u64,
    /// Those that are damaged still: no other replica had them.
    pub unrepaired: u64,
    /// Damaged files since the start that were written again, or will be.
    pub files: u64,
}

/// Longest pause of the builds of a node, in milliseconds: a day. Who forgets a pause must not find it months later.
pub const MAX_BUILD_PAUSE_MS: u64 = 24 * 3_600_000;

/// What holds the builds of vector indexes of a node back, and what waits for them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct BuildsStatus {
    /// What is left of a pause, in milliseconds; 0 = they are not paused.
    pub pause_left_ms: u64,
    /// Sealed segments that are scanned because their index has still to be built.
    pub waiting_indexes: u32,
    /// Replicas with segments that are due to become one.
    pub waiting_merges: u32,
}

/// What one part of a node takes in memory.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct MemoryPart {
    /// The shard whose replica it belongs to; `None` = the node as a whole.
    pub shard: Option<ShardId>,
    /// Name of the part. A text, because other releases have other parts.
    pub part: String,
    /// Bytes on the heap, without what the allocator adds.
    pub heap_bytes: u64,
    /// Bytes of mapped files, whether or not their pages are in memory.
    pub mapped_bytes: u64,
}

/// What a node takes in memory: what the system says, and what its parts say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct MemoryStatus {
    /// Resident bytes without a file behind them: heap and stacks; 0 when unknown.
    pub anonymous_bytes: u64,
    /// Resident bytes of files: the program, mapped rows; 0 when unknown.
    pub file_bytes: u64,
    /// Bytes on the heap that all replicas together may take (`storage.columns`).
    pub budget_bytes: u64,
    /// The parts, by shard.
    pub parts: Vec<MemoryPart>,
}

/// A phase of a node's start.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct StartPhase {
    /// Name of the phase. A text, because other releases have other phases.
    pub phase: String,
    /// Time that it took, in microseconds.
    pub us: u64,
    /// What it went through: entries, records, rows; 0 where nothing is counted.
    pub items: u64,
}

/// One node.
#[derive(Clone, Debug, PartialEq, Encode, Decode, Serialize)]
pub struct NodeStatus {
    /// Its cluster.
    pub cluster: ClusterId,
    /// Its id.
    pub node: NodeId,
    /// Release.
    pub release: String,
    /// Milliseconds since start.
    pub uptime_ms: u64,
    /// Resident memory in bytes; 0 when unknown.
    pub resident_bytes: u64,
    /// CPU time used so far, in microseconds; 0 when unknown.
    pub cpu_us: u64,
    /// Bytes of its log.
    pub wal_bytes: u64,
    /// Bytes of its key-value store.
    pub kv_bytes: u64,
    /// Its replicas, by shard.
    pub replicas: Vec<ReplicaStatus>,
    /// The disk of its data; `None` when unknown.
    pub disk: Option<DiskStatus>,
    /// Replicas that are being built from snapshots, by shard.
    pub rebuilds: Vec<RebuildStatus>,
    /// What the scrubber found, by shard.
    pub scrubs: Vec<ScrubStatus>,
    /// Its memory.
    pub memory: MemoryStatus,
    /// Where the time of its start went, in order.
    pub start: Vec<StartPhase>,
    /// Its builds of vector indexes.
    pub builds: BuildsStatus,
    /// How quick its disk is.
    pub disk_speed: DiskSpeed,
    /// Version of the [`Directory`](crate::directory::Directory) that it knows; 0: only that of its configuration.
    pub directory: LogIndex,
    /// Version of the [`Settings`](crate::settings::Settings) that it knows; 0: none.
    pub settings: LogIndex,
}

#[cfg(test)]
#[path = "status_test.rs"]
mod tests;
