//! The queue of a Raft stream: first in, first out, bounded by bytes.

use std::collections::VecDeque;

use covey_shared::ids::{ReplicaId, ShardId};
use covey_shared::wire::{RaftFrame, RaftMessage, RaftMessageKind};
use thiserror::Error;

/// Why a message was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DropReason {
    /// The peer does not keep up.
    QueueFull,
    /// The last attempt to connect failed.
    Down,
    /// It can never be sent: it exceeds the frame limit.
    TooLarge,
}

/// The message was dropped. Tell Raft that the peer is unreachable, so that it probes before it sends more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a message of shard {shard} to replica {to} was dropped: {reason:?}")]
pub struct RaftSendError {
    /// The group.
    pub shard: ShardId,
    /// The receiving replica.
    pub to: ReplicaId,
    /// Why.
    pub reason: DropReason,
}

/// Appends fill the queue up to its limit; everything else may go an eighth above it: heartbeats and votes are
/// small, and without them a slow peer would look like a dead one.
#[derive(Debug)]
pub(super) struct RaftQueue {
    messages: VecDeque<(RaftMessage, usize)>,
    bytes: usize,
    limit: usize,
}

impl RaftQueue {
    pub(super) fn new(limit: usize) -> RaftQueue {
        RaftQueue {
            messages: VecDeque::new(),
            bytes: 0,
            limit,
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn len(&self) -> usize {
        self.messages.len()
    }

    /// Takes `message` of `size` encoded bytes; false if it is full.
    pub(super) fn push(&mut self, message: RaftMessage, size: usize) -> bool {
        let limit = match message.kind {
            RaftMessageKind::Append => self.limit,
            _ => self.limit + self.limit / 8,
        };
        if self.bytes + size > limit {
            return false;
        }
        self.bytes += size;
        self.messages.push_back((message, size));
        true
    }

    /// The oldest messages that fit into `max_bytes`, at least one; `None` if there are none.
    pub(super) fn next_frame(&mut self, max_bytes: usize) -> Option<RaftFrame> {
        let mut messages = Vec::new();
        let mut bytes = FRAME_BASE;
        while let Some((_, size)) = self.messages.front() {
            if !messages.is_empty() && bytes + size > max_bytes {
                break;
            }
            let (message, size) = self.messages.pop_front().expect("there is a front");
            bytes += size;
            self.bytes -= size;
            messages.push(message);
        }
        (!messages.is_empty()).then_some(RaftFrame { messages })
    }

    /// Drops everything; returns how many messages that were.
    pub(super) fn clear(&mut self) -> usize {
        self.bytes = 0;
        let dropped = self.messages.len();
        self.messages.clear();
        dropped
    }
}

/// Encoded size of a frame without messages.
pub(super) const FRAME_BASE: usize = 8;
/// Encoded size of a message without entries and context: 19 numbers of 8 bytes, the kind, two flags, and whether there is one more number.
const MESSAGE_BASE: usize = 19 * 8 + 4 + 2 + 1;
/// Encoded size of an entry without data: term, index, kind, length.
const ENTRY_BASE: usize = 8 + 8 + 1 + 8;

/// Encoded size in bytes, without encoding.
pub(super) fn encoded_size(message: &RaftMessage) -> usize {
    let entries: usize = message.entries.iter().map(|entry| ENTRY_BASE + entry.data.len()).sum();
    let confirmed = message.sent.confirmed_us.map_or(0, |_| 8);
    MESSAGE_BASE + confirmed + entries + message.context.len()
}

#[cfg(test)]
#[path = "queue_test.rs"]
mod tests;
