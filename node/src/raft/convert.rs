//! Raft messages between the library's types and the wire's: no protobuf is ever parsed from the network.

use covey_shared::ids::{LogIndex, ReplicaId, ShardEpoch, ShardId};
use covey_shared::wire::{RaftMessage, RaftMessageKind as Kind, Sent, WireEntry};
use covey_store::log::{EntryKind, LogEntry};
use raft::eraftpb::{Entry, EntryType, Message, MessageType as Type};

/// What a message carries beside raft's own fields.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Envelope {
    pub shard: ShardId,
    pub epoch: ShardEpoch,
    /// The sender's whole commit index when it leads, else 0.
    pub leader_commit: u64,
    /// Highest index that every member has on disk, as far as the sender knows.
    pub all_matched: u64,
}

const KINDS: [(Type, Kind); 13] = [
    (Type::MsgAppend, Kind::Append),
    (Type::MsgAppendResponse, Kind::AppendResponse),
    (Type::MsgRequestVote, Kind::RequestVote),
    (Type::MsgRequestVoteResponse, Kind::RequestVoteResponse),
    (Type::MsgSnapshot, Kind::Snapshot),
    (Type::MsgHeartbeat, Kind::Heartbeat),
    (Type::MsgHeartbeatResponse, Kind::HeartbeatResponse),
    (Type::MsgTransferLeader, Kind::TransferLeader),
    (Type::MsgTimeoutNow, Kind::TimeoutNow),
    (Type::MsgReadIndex, Kind::ReadIndex),
    (Type::MsgReadIndexResp, Kind::ReadIndexResp),
    (Type::MsgRequestPreVote, Kind::RequestPreVote),
    (Type::MsgRequestPreVoteResponse, Kind::RequestPreVoteResponse),
];

/// The message for the wire; `None` for kinds that never leave a node (a forwarded proposal's fate is unknowable).
pub(crate) fn to_wire(message: Message, envelope: Envelope) -> Option<RaftMessage> {
    let kind = KINDS.iter().find(|(t, _)| *t == message.get_msg_type())?.1;
    Some(RaftMessage {
        shard: envelope.shard,
        epoch: envelope.epoch,
        from: ReplicaId(message.from),
        to: ReplicaId(message.to),
        kind,
        term: message.term,
        log_term: message.log_term,
        index: message.index,
        entries: message.get_entries().iter().map(entry_to_wire).collect(),
        commit: message.commit,
        commit_term: message.commit_term,
        reject: message.reject,
        reject_hint: message.reject_hint,
        context: message.get_context().to_vec(),
        priority: message.priority,
        leader_commit: envelope.leader_commit,
        all_matched: LogIndex(envelope.all_matched),
        // The engine knows no disk: who sends it says so. The age is said when it leaves.
        unfit: false,
        sent: Sent::default(),
    })
}

/// The library's form of a message from the wire.
pub(crate) fn from_wire(wire: RaftMessage) -> Message {
    let kind = KINDS
        .iter()
        .find(|(_, k)| *k == wire.kind)
        .expect("every kind of the wire is in the table")
        .0;
    let mut message = Message::default();
    message.set_msg_type(kind);
    message.from = wire.from.0;
    message.to = wire.to.0;
    message.term = wire.term;
    message.log_term = wire.log_term;
    message.index = wire.index;
    message.set_entries(wire.entries.into_iter().map(entry_from_wire).collect::<Vec<_>>().into());
    message.commit = wire.commit;
    message.commit_term = wire.commit_term;
    message.reject = wire.reject;
    message.reject_hint = wire.reject_hint;
    message.set_context(wire.context.into());
    message.priority = wire.priority;
    message
}

fn entry_to_wire(entry: &Entry) -> WireEntry {
    let LogEntry {
        index,
        term,
        kind,
        data,
    } = log_entry(entry);
    WireEntry {
        term,
        index,
        kind: kind as u8,
        data: data.to_vec(),
    }
}

fn entry_from_wire(wire: WireEntry) -> Entry {
    let kind = if wire.kind == EntryKind::ConfChange as u8 {
        EntryKind::ConfChange
    } else {
        EntryKind::Normal
    };
    entry(LogEntry {
        index: wire.index,
        term: wire.term,
        kind,
        data: wire.data.into(),
    })
}

/// The entry for the log and the store.
pub(crate) fn log_entry(entry: &Entry) -> LogEntry {
    // Of a change of members the library keeps a protobuf, which is parsed nowhere else; what we know it by is its context.
    let (kind, data) = match entry.get_entry_type() {
        EntryType::EntryNormal => (EntryKind::Normal, &entry.data),
        EntryType::EntryConfChange | EntryType::EntryConfChangeV2 => (EntryKind::ConfChange, &entry.context),
    };
    LogEntry {
        index: entry.index,
        term: entry.term,
        kind,
        data: data.clone(),
    }
}

/// The entry for the library.
pub(crate) fn entry(log: LogEntry) -> Entry {
    let mut entry = Entry {
        index: log.index,
        term: log.term,
        ..Entry::default()
    };
    match log.kind {
        EntryKind::Normal => entry.set_data(log.data),
        EntryKind::ConfChange => {
            entry.set_entry_type(EntryType::EntryConfChangeV2);
            entry.set_context(log.data);
        }
    }
    entry
}

#[cfg(test)]
#[path = "convert_test.rs"]
mod tests;
