//! What strangers and broken peers send. After each of them the node still answers.

use covey_env::BoxStream;
use covey_shared::ids::{ModelEpoch, ShardId};
use covey_shared::wire::{Header, RequestBody, WIRE_VERSION, WireError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::testing::*;

async fn still_answers(server: &Server) {
    assert_eq!(ask(&client(server.address()), 3, LONG).await.unwrap(), 3);
}

async fn raw(server: &Server) -> BoxStream {
    env().net.connect(server.address(), LONG).await.unwrap()
}

/// Everything until the end; a reset is an end too.
async fn rest(stream: &mut BoxStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    _ = stream.read_to_end(&mut bytes).await;
    bytes
}

fn request(id: u64, payload: &[u8]) -> Vec<u8> {
    let mut frame = u32::try_from(13 + payload.len()).unwrap().to_le_bytes().to_vec();
    frame.push(1);
    frame.extend_from_slice(&id.to_le_bytes());
    frame.extend_from_slice(&60_000u32.to_le_bytes());
    frame.extend_from_slice(payload);
    frame
}

async fn answer(stream: &mut BoxStream) -> Result<(), WireError> {
    let mut head = [0; 13];
    stream.read_exact(&mut head).await.unwrap();
    let length = u32::from_le_bytes(*head.first_chunk().unwrap()) as usize;
    let mut payload = vec![0; length - 9];
    stream.read_exact(&mut payload).await.unwrap();
    codec::decode::<NodeReply>(&payload).unwrap().body.map(|_| ())
}

#[tokio::test]
async fn garbage_instead_of_a_handshake_is_refused() {
    let server = serve(calls_only(echo())).await;
    let mut stream = raw(&server).await;
    stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let answer = rest(&mut stream).await;
    // The refusal "malformed", unless the reset that follows unread bytes overtook it.
    assert!(answer.is_empty() || answer[..9] == *b"COVEY\0\x06\0\x01", "{answer:?}");
    until(|| server.stats().bad_handshakes == 1).await;
    still_answers(&server).await;
}

#[tokio::test]
async fn a_handshake_that_never_ends_is_cut_off() {
    let mut options = serve_options();
    options.handshake_timeout = Duration::from_millis(50);
    let server = Server::serve(env(), "127.0.0.1:0", options, calls_only(echo()))
        .await
        .unwrap();
    let mut slow = raw(&server).await;
    slow.write_all(b"COVEY\0\x01").await.unwrap();
    assert_eq!(rest(&mut slow).await, b"");
    assert_eq!(server.stats().bad_handshakes, 1);
    still_answers(&server).await;
}

#[tokio::test]
async fn an_absurd_length_closes_the_connection() {
    for class in [Class::Query, Class::Raft] {
        let raft: RaftHandler = Arc::new(|_, _| Box::pin(async {}));
        let calls = echo();
        let server = serve(Handlers {
            calls,
            raft: Some(raft),
        })
        .await;
        let mut stream = introduced(server.address(), class, NodeId(2)).await;
        stream.write_all(&[0xff; 64]).await.unwrap();
        assert_eq!(rest(&mut stream).await, b"", "{class:?}");
        assert_eq!(server.stats().malformed, 1);
        still_answers(&server).await;
    }
}

#[tokio::test]
async fn a_call_that_does_not_decode_is_answered_and_the_connection_goes_on() {
    let server = serve(calls_only(echo())).await;
    let mut stream = introduced(server.address(), Class::Query, NodeId(0)).await;
    for id in 0..3 {
        stream.write_all(&request(id, b"\xff\xfe nonsense")).await.unwrap();
        assert_eq!(answer(&mut stream).await, Err(WireError::Malformed));
    }
    assert_eq!(server.stats().malformed, 3);
    still_answers(&server).await;
}

#[tokio::test]
async fn a_header_that_contradicts_the_connection_is_refused() {
    let good = Header {
        cluster: CLUSTER,
        version: WIRE_VERSION,
        class: Class::Query,
        deadline_ms: 60_000,
        model_epoch: ModelEpoch(0),
        trace: [0xff; 25],
    };
    let changed = |change: fn(&mut Header)| {
        let mut header = good.clone();
        change(&mut header);
        header
    };
    let other = |found| {
        let newest = WIRE_VERSION;
        Err(WireError::Version { found, newest })
    };
    let cases = [
        (good.clone(), Ok(())),
        (
            changed(|header| header.cluster = ClusterId(1)),
            Err(WireError::WrongCluster),
        ),
        (changed(|header| header.version = 9), other(9)),
        (changed(|header| header.version = 2), other(2)),
        (changed(|header| header.class = Class::Write), Err(WireError::Malformed)),
        (
            changed(|header| header.deadline_ms = 0),
            Err(WireError::DeadlineExceeded),
        ),
        (changed(|header| header.deadline_ms = u32::MAX), Ok(())),
    ];
    let server = serve(calls_only(echo())).await;
    let mut stream = introduced(server.address(), Class::Query, NodeId(0)).await;
    for (id, (header, expected)) in (0..).zip(cases) {
        let shards = vec![ShardId(1)];
        let body = RequestBody::LogicalHash { shards };
        let payload = codec::encode(&NodeRequest { header, body }).unwrap();
        stream.write_all(&request(id, &payload)).await.unwrap();
        assert_eq!(answer(&mut stream).await, expected);
    }
}

#[tokio::test]
async fn a_caller_that_vanishes_takes_its_calls_with_it() {
    let never: CallHandler = Arc::new(|_, _| Box::pin(std::future::pending()));
    let server = serve(calls_only(never)).await;
    let client = client(server.address());
    let call = tokio::spawn(async move { ask(&client, 1, LONG).await });
    until(|| server.stats().in_flight == 1).await;
    call.abort();
    until(|| server.stats().in_flight == 0).await;
    assert_eq!(server.stats().cancelled, 1);
}

#[tokio::test]
async fn random_bytes_never_stop_the_node() {
    let raft: RaftHandler = Arc::new(|_, _| Box::pin(async {}));
    let server = serve(Handlers {
        calls: echo(),
        raft: Some(raft),
    })
    .await;
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    println!("seed {state:#x}");
    let mut random = move || {
        // xorshift64: enough to make bytes, and the same ones every time.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    for round in 0..60 {
        let mut stream = match round % 3 {
            0 => raw(&server).await,
            1 => introduced(server.address(), Class::Bulk, NodeId(0)).await,
            _ => introduced(server.address(), Class::Raft, NodeId(2)).await,
        };
        let mut bytes: Vec<u8> = (0..1 + random() % 300).map(|_| random() as u8).collect();
        // Often a plausible length, so that the bytes behind it are looked at.
        if random() % 2 == 0 && bytes.len() > 4 {
            let length = u32::try_from(bytes.len() - 4).unwrap();
            bytes[..4].copy_from_slice(&length.to_le_bytes());
        }
        _ = stream.write_all(&bytes).await;
        _ = stream.shutdown().await;
        rest(&mut stream).await;
    }
    still_answers(&server).await;
}
