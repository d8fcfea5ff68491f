//! The stream over loopback: order, loss, bounds, and who may deliver.

use std::sync::Mutex;

use covey_shared::ids::ShardId;
use futures::FutureExt;
use tokio::sync::Semaphore;

use super::super::queue::DropReason;
use super::*;
use crate::handshake;
use crate::server::{Handlers, RaftHandler, Server};
use crate::testing::*;

/// Indexes in the order of their arrival.
#[derive(Clone, Default)]
struct Arrived(Arc<Mutex<Vec<u64>>>);

impl Arrived {
    fn indexes(&self) -> Vec<u64> {
        self.0.lock().unwrap().clone()
    }

    fn take(&self, frame: &RaftFrame) {
        self.0
            .lock()
            .unwrap()
            .extend(frame.messages.iter().map(|message| message.index));
    }

    fn handler(&self) -> RaftHandler {
        let arrived = self.clone();
        Arc::new(move |_, frame| {
            arrived.take(&frame);
            async {}.boxed()
        })
    }

    /// Takes a frame only when it gets a permit.
    fn gated(&self) -> (RaftHandler, Arc<Semaphore>) {
        let (arrived, gate) = (self.clone(), Arc::new(Semaphore::new(0)));
        let permits = gate.clone();
        let handler: RaftHandler = Arc::new(move |_, frame| {
            let (arrived, permits) = (arrived.clone(), permits.clone());
            async move {
                permits.acquire().await.unwrap().forget();
                arrived.take(&frame);
            }
            .boxed()
        });
        (handler, gate)
    }
}

fn handlers(raft: RaftHandler) -> Handlers {
    Handlers {
        calls: echo(),
        raft: Some(raft),
    }
}

fn options() -> RaftSenderOptions {
    let mut options = RaftSenderOptions::new(CLUSTER, NodeId(2));
    options.backoff_min = Duration::from_millis(1);
    options.backoff_max = Duration::from_millis(5);
    options
}

fn increasing(indexes: &[u64]) -> bool {
    indexes.windows(2).all(|pair| pair[0] < pair[1])
}

#[tokio::test]
async fn messages_arrive_in_order_and_in_batches() {
    let arrived = Arrived::default();
    let server = serve(handlers(arrived.handler())).await;
    let sender = RaftSender::start(env(), peer(server.address()), options());
    for index in 0..1000 {
        sender.send(raft_message(index, 100)).unwrap();
    }
    until(|| arrived.indexes().len() == 1000).await;
    assert_eq!(arrived.indexes(), (0..1000).collect::<Vec<u64>>());
    assert!(
        server.stats().raft_frames < 100,
        "batched into {} frames",
        server.stats().raft_frames
    );
    until(|| sender.status().sent == 1000).await;
    let status = sender.status();
    assert_eq!(
        (status.state, status.queued_bytes, status.dropped),
        (RaftLinkState::Connected, 0, 0)
    );
}

#[tokio::test]
async fn order_is_kept_when_the_connection_breaks_again_and_again() {
    let arrived = Arrived::default();
    let mut server = serve(handlers(arrived.handler())).await;
    let address = server.address().to_owned();
    let sender = RaftSender::start(env(), peer(&address), options());
    let mut next = 0;
    for round in 0..8 {
        let before = arrived.indexes().len();
        // Sends until the round's connection has carried something, then breaks it with messages in flight.
        while arrived.indexes().len() < before + 50 {
            _ = sender.send(raft_message(next, 2000));
            next += 1;
            if next % 20 == 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
        drop(server);
        tokio::time::sleep(Duration::from_millis(round)).await;
        server = Server::serve(env(), &address, serve_options(), handlers(arrived.handler()))
            .await
            .unwrap();
    }
    assert!(increasing(&arrived.indexes()), "reordered or repeated");
    assert!(sender.status().connections >= 8, "{:?}", sender.status());
}

#[tokio::test]
async fn a_slow_peer_fills_the_queue_and_the_newest_append_is_dropped() {
    let arrived = Arrived::default();
    let (handler, gate) = arrived.gated();
    let server = serve(handlers(handler)).await;
    let mut options = options();
    options.queue_bytes = 1 << 20;
    options.stall_timeout = LONG;
    let sender = RaftSender::start(env(), peer(server.address()), options);
    let mut taken = Vec::new();
    let error = loop {
        let index = taken.len() as u64;
        match sender.send(raft_message(index, 100_000)) {
            Ok(()) => taken.push(index),
            Err(error) => {
                // The sockets' buffers may still be filling.
                tokio::time::sleep(Duration::from_millis(20)).await;
                if sender.status().queued_bytes > 900_000 {
                    break error;
                }
            }
        }
    };
    assert_eq!((error.reason, error.shard), (DropReason::QueueFull, ShardId(5)));
    assert!(sender.status().queued_bytes <= 1 << 20);
    let mut heartbeat = raft_message(1 << 40, 0);
    heartbeat.kind = covey_shared::wire::RaftMessageKind::Heartbeat;
    sender.send(heartbeat).unwrap();
    taken.push(1 << 40);
    gate.add_permits(Semaphore::MAX_PERMITS / 2);
    until(|| arrived.indexes().len() == taken.len()).await;
    assert_eq!(arrived.indexes(), taken, "what was taken arrives, in order");
}

#[tokio::test]
async fn a_message_that_can_never_be_sent_is_refused() {
    let server = serve(handlers(Arrived::default().handler())).await;
    let mut options = options();
    options.max_frame = 1000;
    let sender = RaftSender::start(env(), peer(server.address()), options);
    let error = sender.send(raft_message(1, 1000)).unwrap_err();
    assert_eq!(error.reason, DropReason::TooLarge);
    sender.send(raft_message(2, 500)).unwrap();
}

#[tokio::test]
async fn a_peer_that_is_down_is_reported_and_served_again_when_it_is_back() {
    let server = serve(handlers(Arrived::default().handler())).await;
    let address = server.address().to_owned();
    server.shutdown(LONG).await;
    let sender = RaftSender::start(env(), peer(&address), options());
    until(|| sender.status().state == RaftLinkState::Down).await;
    assert_eq!(sender.send(raft_message(1, 10)).unwrap_err().reason, DropReason::Down);
    let arrived = Arrived::default();
    let _back = Server::serve(env(), &address, serve_options(), handlers(arrived.handler()))
        .await
        .unwrap();
    until(|| sender.status().state == RaftLinkState::Connected).await;
    sender.send(raft_message(2, 10)).unwrap();
    until(|| arrived.indexes() == [2]).await;
}

#[tokio::test]
async fn a_newer_connection_of_a_node_silences_the_older_one() {
    let arrived = Arrived::default();
    let (handler, gate) = arrived.gated();
    let server = serve(handlers(handler)).await;
    let frame = |indexes: &[u64]| {
        let messages = indexes.iter().map(|index| raft_message(*index, 10)).collect();
        framed(&RaftFrame { messages })
    };
    let mut old = introduced(server.address(), Class::Raft, NodeId(2)).await;
    // The first frame is delivered; the second is being delivered, the third waits, when the newer connection comes.
    gate.add_permits(1);
    for index in [1, 2, 3] {
        old.write_all(&frame(&[index])).await.unwrap();
    }
    until(|| server.stats().raft_frames == 2).await;
    let mut new = introduced(server.address(), Class::Raft, NodeId(2)).await;
    new.write_all(&frame(&[4, 5])).await.unwrap();
    // The old connection is closed, behind what it had confirmed.
    _ = old.read_to_end(&mut Vec::new()).await;
    gate.add_permits(10);
    until(|| arrived.indexes().len() == 3).await;
    new.write_all(&frame(&[6])).await.unwrap();
    until(|| arrived.indexes() == [1, 4, 5, 6]).await;
    // Another node's stream has nothing to do with it.
    let mut other = introduced(server.address(), Class::Raft, NodeId(3)).await;
    other.write_all(&frame(&[7])).await.unwrap();
    new.write_all(&frame(&[8])).await.unwrap();
    until(|| arrived.indexes().len() == 6).await;
}

#[tokio::test]
async fn a_frame_that_does_not_decode_ends_only_its_stream() {
    let arrived = Arrived::default();
    let server = serve(handlers(arrived.handler())).await;
    let mut stream = introduced(server.address(), Class::Raft, NodeId(2)).await;
    stream
        .write_all(b"\x0c\0\0\0\xff\xff\xff\xff\xff\xff\xff\xffabcd")
        .await
        .unwrap();
    assert_eq!(stream.read(&mut [0; 1]).await.unwrap_or(0), 0);
    assert_eq!(server.stats().malformed, 1);
    let sender = RaftSender::start(env(), peer(server.address()), options());
    sender.send(raft_message(1, 10)).unwrap();
    until(|| arrived.indexes() == [1]).await;
}

/// Lets the sender in, and takes all that it says. Answers with this for each piece.
async fn takes_all(mut listener: Box<dyn covey_env::Listener>, answer: &'static [u8]) {
    while let Ok((mut stream, _)) = listener.accept().await {
        handshake::read_hello(&mut stream).await.unwrap();
        handshake::write_answer(&mut stream, Ok(NODE)).await.unwrap();
        let mut bytes = [0; 1024];
        while stream.read(&mut bytes).await.is_ok_and(|read| read > 0) {
            if stream.write_all(answer).await.is_err() {
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_connection_on_which_nothing_is_confirmed_is_given_up_and_a_quiet_one_is_not() {
    for (answer, given_up) in [(b"" as &[u8], true), (b"\0", false)] {
        let listener = env().net.bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let peer_runs = tokio::spawn(takes_all(listener, answer));
        let mut options = options();
        options.stall_timeout = Duration::from_secs(2);
        let sender = RaftSender::start(env(), peer(&address), options);
        until(|| sender.status().state == RaftLinkState::Connected).await;
        sender.send(raft_message(1, 10)).unwrap();
        match given_up {
            true => until(|| sender.status().connections >= 2).await,
            // Quiet for longer than a confirmation may take.
            false => tokio::time::sleep(Duration::from_millis(2500)).await,
        }
        assert_eq!(sender.status().connections >= 2, given_up);
        peer_runs.abort();
    }
}

#[tokio::test]
async fn a_node_without_raft_refuses_the_stream() {
    let server = serve(calls_only(echo())).await;
    let sender = RaftSender::start(env(), peer(server.address()), options());
    until(|| sender.status().state == RaftLinkState::Down).await;
    assert!(server.stats().bad_handshakes > 0);
}
