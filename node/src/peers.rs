//! The way out: one FIFO stream of Raft messages to each other node.

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use covey_env::{Env, Task};
use covey_rpc::{RaftSender, RaftSenderOptions};
use covey_shared::directory::Directory;
use covey_shared::ids::{NodeId, ReplicaId, ShardId};
use covey_shared::wire::RaftMessage;
use futures::FutureExt;

use crate::nodes::{Nodes, peer};

type Streams = BTreeMap<NodeId, RaftSender>;

/// Streams by receiving node.
pub(crate) struct Peers {
    streams: Arc<ArcSwap<Streams>>,
    /// Opens and closes streams as nodes come and go.
    _follow: Task,
}

impl Peers {
    /// Streams from `me` to all others. They run where this is called, beside the Raft actor's thread.
    pub(crate) fn start(env: &Env, me: NodeId, nodes: &Nodes, options: RaftSenderOptions) -> Peers {
        let mut watch = nodes.watch();
        let opened = reconcile(env, me, &watch.borrow_and_update(), &Streams::new(), &options);
        let streams = Arc::new(ArcSwap::from_pointee(opened));
        let (spawn, env, shared) = (&env.spawn, env.clone(), streams.clone());
        let follow = async move {
            while watch.changed().await.is_ok() {
                let now = reconcile(&env, me, &watch.borrow_and_update(), &shared.load(), &options);
                shared.store(Arc::new(now));
            }
        };
        Peers {
            streams,
            _follow: spawn.task(follow.boxed()),
        }
    }

    /// Queues messages in order. Returns the groups and replicas whose message found no room: the leader must not wait
    /// for an answer to it.
    pub(crate) fn send(&self, messages: Vec<(NodeId, RaftMessage)>) -> Vec<(ShardId, ReplicaId)> {
        let (streams, mut dropped) = (self.streams.load(), Vec::new());
        for (node, message) in messages {
            let (shard, to) = (message.shard, message.to);
            let queued = streams.get(&node).is_some_and(|stream| stream.send(message).is_ok());
            if !queued {
                dropped.push((shard, to));
            }
        }
        dropped
    }
}

/// Streams to who is there now; those that are open, and to the same address, go on.
fn reconcile(env: &Env, me: NodeId, now: &Directory, open: &Streams, options: &RaftSenderOptions) -> Streams {
    let others = now.nodes.iter().filter(|place| place.node != me).map(peer);
    let stream = |peer: covey_rpc::Peer| {
        let goes_on = open.get(&peer.node).filter(|stream| stream.status().peer == peer);
        let start = || RaftSender::start(env.clone(), peer.clone(), options.clone());
        (peer.node, goes_on.cloned().unwrap_or_else(start))
    };
    others.map(stream).collect()
}
