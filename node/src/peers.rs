//! The way out: one FIFO stream of Raft messages to each other node.

use std::collections::BTreeMap;

use covey_rpc::RaftSender;
use covey_shared::ids::{NodeId, ReplicaId, ShardId};
use covey_shared::wire::RaftMessage;

/// Streams by receiving node.
pub(crate) struct Peers {
    pub(crate) streams: BTreeMap<NodeId, RaftSender>,
}

impl Peers {
    /// Queues messages in order. Returns the groups and replicas whose message found no room: the leader must not wait
    /// for an answer to it.
    pub(crate) fn send(&self, messages: Vec<(NodeId, RaftMessage)>) -> Vec<(ShardId, ReplicaId)> {
        let mut dropped = Vec::new();
        for (node, message) in messages {
            let (shard, to) = (message.shard, message.to);
            let queued = self
                .streams
                .get(&node)
                .is_some_and(|stream| stream.send(message).is_ok());
            if !queued {
                dropped.push((shard, to));
            }
        }
        dropped
    }
}
