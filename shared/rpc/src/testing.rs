//! What the tests share: a real node on loopback, and messages.

use std::sync::Arc;
use std::time::Duration;

use covey_env::{BoxStream, Env};
use covey_shared::ids::{ClusterId, LogIndex, ModelEpoch, NodeId, ReplicaId, ShardEpoch, ShardId};
use covey_shared::slots::SlotRange;
use covey_shared::wire::{
    About, Class, NodeReply, NodeRequest, RaftMessage, RaftMessageKind, ReplyBody, RequestBody, Sent, ShardReply,
    WIRE_VERSION, WireEntry,
};
use futures::FutureExt;

use crate::handshake::{self, Hello};
use crate::server::{CallHandler, Handlers, ServeOptions, Server};
use crate::{CallError, ClientOptions, NodeClient, Peer};

pub(crate) const CLUSTER: ClusterId = ClusterId(77);
pub(crate) const NODE: NodeId = NodeId(1);
/// No test waits for it: it is what a call may take at most.
pub(crate) const LONG: Duration = Duration::from_secs(60);

pub(crate) fn env() -> Env {
    Env::production(1).expect("a thread can be started")
}

pub(crate) fn reply(body: ReplyBody) -> NodeReply {
    NodeReply {
        version: WIRE_VERSION,
        body: Ok(body),
    }
}

/// Answers each asked shard with its own number.
pub(crate) fn echo_reply(request: &NodeRequest) -> NodeReply {
    let RequestBody::LogicalHash { shards } = &request.body else {
        panic!("the tests ask for hashes only, not for {:?}", request.body);
    };
    let answer = |shard: &ShardId| ShardReply {
        about: About {
            shard: *shard,
            epoch: ShardEpoch::default(),
            slots: SlotRange::ALL,
            applied: LogIndex(0),
            staleness_ms: 0,
            partial: false,
            visited: 0,
            queue_us: 0,
            work_us: 0,
        },
        result: Ok(shard.0),
        damaged: 0,
    };
    reply(ReplyBody::LogicalHash(shards.iter().map(answer).collect()))
}

pub(crate) fn echo() -> CallHandler {
    Arc::new(|request, _| async move { echo_reply(&request) }.boxed())
}

pub(crate) fn calls_only(calls: CallHandler) -> Handlers {
    Handlers { calls, raft: None }
}

pub(crate) fn serve_options() -> ServeOptions {
    ServeOptions::new(CLUSTER, NODE)
}

pub(crate) async fn serve(handlers: Handlers) -> Server {
    Server::serve(env(), "127.0.0.1:0", serve_options(), handlers)
        .await
        .expect("the port is free")
}

pub(crate) fn peer(address: &str) -> Peer {
    Peer {
        node: NODE,
        address: address.to_owned(),
    }
}

pub(crate) fn client_options() -> ClientOptions {
    ClientOptions::new(CLUSTER, NodeId(0))
}

pub(crate) fn client(address: &str) -> NodeClient {
    NodeClient::new(env(), peer(address), client_options())
}

pub(crate) async fn ask(client: &NodeClient, shard: u64, deadline: Duration) -> Result<u64, CallError> {
    let body = RequestBody::LogicalHash {
        shards: vec![ShardId(shard)],
    };
    match client.call(Class::Query, deadline, body, ModelEpoch(0)).await? {
        ReplyBody::LogicalHash(replies) => Ok(replies[0].result.clone().expect("the handler answers every shard")),
        other => panic!("{other:?}"),
    }
}

/// A raw connection after its handshake.
pub(crate) async fn introduced(address: &str, class: Class, sender: NodeId) -> BoxStream {
    let mut stream = env().net.connect(address, LONG).await.expect("the server listens");
    let hello = Hello {
        cluster: CLUSTER,
        class,
        sender,
        receiver: NODE,
    };
    assert_eq!(
        handshake::introduce(&mut stream, hello)
            .await
            .expect("the server lets us in"),
        NODE
    );
    stream
}

/// Lets the other tasks run until `condition` holds.
pub(crate) async fn until(condition: impl Fn() -> bool) {
    while !condition() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// An append with the given index and that many bytes in its entry; 0 = without an entry.
pub(crate) fn raft_message(index: u64, entry_bytes: usize) -> RaftMessage {
    let entry = WireEntry {
        term: 1,
        index,
        kind: 0,
        data: vec![0; entry_bytes],
    };
    RaftMessage {
        shard: ShardId(5),
        epoch: ShardEpoch::default(),
        from: ReplicaId(1),
        to: ReplicaId(2),
        kind: RaftMessageKind::Append,
        term: 1,
        log_term: 1,
        index,
        entries: if entry_bytes == 0 { Vec::new() } else { vec![entry] },
        commit: 0,
        commit_term: 0,
        reject: false,
        reject_hint: 0,
        context: Vec::new(),
        priority: 0,
        leader_commit: 0,
        all_matched: LogIndex(0),
        unfit: false,
        sent: Sent::default(),
    }
}
