//! What is seen of the cluster at a moment, beside what is kept of it.

use bincode::{Decode, Encode};
use serde::Serialize;

use super::{AuditRecord, NodeRecord, OperationRecord};
use crate::ids::{LogIndex, UnixMillis};
use crate::members::ShardDescriptor;
use crate::settings::Settings;
use crate::wire::{RebuildStatus, ShardReport};

/// What a node says of all its replicas, for those who decide.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct NodeReports {
    /// Version of the [`Directory`](crate::directory::Directory) that it knows.
    pub directory: LogIndex,
    /// Version of the [`Settings`] that it knows.
    pub settings: LogIndex,
    /// Each replica.
    pub shards: Vec<ShardReport>,
    /// Replicas that are being built.
    pub rebuilds: Vec<RebuildStatus>,
}

/// How an operation comes along, as its driver sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct OperationProgress {
    /// What it is at, in words.
    pub step: String,
    /// What it waits for, in words; empty: for nothing.
    pub blocked_by: String,
    /// Bytes, or replicas, that have been moved.
    pub done: u64,
    /// Of how many; 0: not known.
    pub total: u64,
    /// `done` and `total` are bytes.
    pub bytes: bool,
    /// Bytes per second of late; 0: not known.
    pub rate: u64,
    /// Time until its end, in milliseconds, if that can be told.
    pub eta_ms: Option<u64>,
}

/// An operation and how it comes along.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct OperationView {
    /// What is stored of it.
    pub record: OperationRecord,
    /// What is seen of it.
    pub progress: OperationProgress,
}

/// A node and what is seen of it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct NodeView {
    /// What is stored of it.
    pub record: NodeRecord,
    /// Since it last answered, in milliseconds; `None`: not yet.
    pub heard_ms: Option<u64>,
    /// Replicas that it has.
    pub replicas: u64,
    /// Shards that it leads.
    pub leads: u64,
    /// Until it is given up and its replicas are made anew elsewhere, in milliseconds; `None` while it answers, be it only other nodes, or
    /// if repairs are held back.
    pub repair_in_ms: Option<u64>,
}

/// A shard and what is seen of it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct ShardView {
    /// What is stored of it.
    pub descriptor: ShardDescriptor,
    /// As its leader says, if one was heard of lately.
    pub report: Option<ShardReport>,
}

/// All of it, as the leader of the metadata sees it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct ClusterView {
    /// Entry of the log that it is the state behind.
    pub applied: LogIndex,
    /// When, by the clock of who answers.
    pub at: UnixMillis,
    /// Nodes, ascending.
    pub nodes: Vec<NodeView>,
    /// Shards, ascending, that of the metadata first.
    pub shards: Vec<ShardView>,
    /// Operations that run, and the last ones that ended, by id.
    pub operations: Vec<OperationView>,
    /// The newest lines of the audit log, oldest first.
    pub audit: Vec<AuditRecord>,
    /// What operators have set.
    pub settings: Settings,
}
