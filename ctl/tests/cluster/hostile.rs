//! What strangers and broken clients send: a clear answer or a closed connection, and the cluster goes on.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use covey_api::v1::{ItemResult, ItemStatus, Media, Post, PutPostsRequest, SearchRequest, WriteReply};
use covey_env::Env;
use covey_rpc::{CallError, ClientOptions, NodeClient, Peer};
use covey_shared::ids::{ClusterId, ModelEpoch, NodeId};
use covey_shared::wire::{Class, RequestBody, WIRE_VERSION};
use rand::rngs::StdRng;
use rand::{RngCore, SeedableRng};
use tonic::{Code, Request};

use crate::calls::{DIM, feed, in_network, post, post_json, put};
use crate::process::{SOON, eventually, until};
use crate::world::{Cluster, shared, status};

/// A JSON list of numbers.
fn numbers(count: usize, first: &str) -> String {
    let rest = std::iter::repeat_n("1", count.saturating_sub(1));
    std::iter::once(first).chain(rest).collect::<Vec<_>>().join(",")
}

/// The coordinator and all nodes still answer, with all their shards.
async fn still_serves(cluster: &Cluster) {
    let client = cluster.client().await;
    let token = put(&client, vec![post(3_001, 3_001)], "").await;
    feed(&client, in_network(3_002, &token)).await;
    for node in cluster.node_clients() {
        assert_eq!(status(&node).await.replicas.len(), crate::world::GROUPS);
    }
    cluster.assert_no_panic();
}

#[tokio::test]
async fn wrong_requests_are_refused_by_a_clear_error() {
    let cluster = shared();
    let short = format!("{{\"vector\": [{}]}}", numbers(DIM - 1, "1"));
    let not_a_number = format!("{{\"vector\": [{}]}}", numbers(DIM, "\"NaN\""));
    let zero = format!("{{\"vector\": [{}]}}", vec!["0"; DIM].join(","));
    let many = format!("{{\"keys\": [{}]}}", vec!["{\"post_id\": 1}"; 1_001].join(","));
    let deep = format!("{{\"posts\": {}", "[".repeat(100_000));
    let cases: [(&str, &str, &str); 17] = [
        ("/v1/posts:put", "{\"posts\": [", "not a valid message"),
        ("/v1/posts:put", "\u{1}\u{2}", "not a valid message"),
        ("/v1/posts:put", "[]", "not a valid message"),
        ("/v1/posts:put", &deep, "not a valid message"),
        ("/v1/posts:put", "{\"psots\": []}", "psots"),
        ("/v1/feed", "{}", "viewer_id is 0 or missing"),
        ("/v1/feed", "{\"viewer_id\": -1}", "not a valid message"),
        ("/v1/feed", "{\"viewer_id\": 1, \"limit\": 4294967295}", "limit"),
        ("/v1/feed", "{\"viewer_id\": 1, \"cursor\": \"AAAA\"}", "cursor"),
        (
            "/v1/feed",
            "{\"viewer_id\": 1, \"session_token\": \"AAAA\"}",
            "session_token",
        ),
        ("/v1/search", "{}", "exactly one of"),
        (
            "/v1/search",
            "{\"text\": \"dogs\", \"k\": 4000000000}",
            "k: 4000000000 are more than the limit of 1000",
        ),
        (
            "/v1/search",
            "{\"text\": \"dogs\", \"recall_target\": 7}",
            "recall_target",
        ),
        ("/v1/search", &short, "127 numbers"),
        ("/v1/search", &not_a_number, "number 0 of the vector is not finite"),
        ("/v1/search", &zero, "all numbers of the vector are 0"),
        ("/v1/posts:get", &many, "1001 are more than the limit of 1000"),
    ];
    for (path, json, wanted) in cases {
        let (code, body) = post_json(cluster.http, path, json);
        let sent: String = json.chars().take(80).collect();
        assert_eq!(code, 400, "{path} {sent}: {body}");
        assert!(
            body.contains(wanted) && body.contains("INVALID_ARGUMENT"),
            "{path} {sent}: {body}"
        );
    }
    still_serves(cluster).await;
}

#[tokio::test]
async fn absurd_sizes_are_refused_before_they_take_memory() {
    let cluster = shared();
    let (code, body) = post_json(cluster.http, "/v1/posts:put", &" ".repeat(9 << 20));
    assert_eq!(code, 413, "{body}");
    assert!(body.contains("coordinator.max_body"), "{body}");
    let mut announced = TcpStream::connect(("127.0.0.1", cluster.http)).expect("the coordinator listens");
    announced.set_read_timeout(Some(SOON)).expect("a time-out can be set");
    let head = "POST /v1/feed HTTP/1.1\r\nhost: x\r\ncontent-length: 18446744073709551615\r\n\r\n";
    announced.write_all(head.as_bytes()).expect("a head can be sent");
    let mut answer = [0; 12];
    announced.read_exact(&mut answer).expect("there is an answer");
    assert!(
        answer.starts_with(b"HTTP/1.1 4"),
        "{}",
        String::from_utf8_lossy(&answer)
    );

    let client = cluster.client().await;
    let huge = PutPostsRequest {
        posts: vec![Post {
            text: "x".repeat(9 << 20),
            ..post(3_011, 3_011)
        }],
        ..PutPostsRequest::default()
    };
    let refused = client.rpc().put_posts(huge).await.expect_err("9 MiB are too much");
    assert_eq!(refused.code(), Code::OutOfRange, "{refused}");
    let many = PutPostsRequest {
        posts: vec![post(3_011, 3_011); 1_001],
        ..PutPostsRequest::default()
    };
    let refused = client.rpc().put_posts(many).await.expect_err("1001 posts are too many");
    assert!(refused.message().contains("limit of 1000"), "{refused}");
    let endless = SearchRequest {
        vector: vec![1.0; 1_000_000],
        ..SearchRequest::default()
    };
    let refused = client
        .rpc()
        .search_similar(endless)
        .await
        .expect_err("a million dimensions");
    assert!(refused.message().contains("1000000 numbers"), "{refused}");
    still_serves(cluster).await;
}

#[tokio::test]
async fn bad_items_are_refused_one_by_one_and_the_others_stand() {
    let cluster = shared();
    let client = cluster.client().await;
    let media = Media {
        kind: 2,
        url: "x".repeat(5_000),
        duration_ms: 1,
    };
    let bad = |id: u64, change: fn(&mut Post)| {
        let mut post = post(3_020, id);
        change(&mut post);
        post
    };
    let posts = vec![
        post(3_020, 3_021),
        bad(3_022, |post| post.vector = vec![1.0; 7]),
        bad(3_023, |post| post.vector[5] = f32::NAN),
        bad(3_024, |post| post.vector[5] = f32::INFINITY),
        bad(3_025, |post| post.vector = vec![0.0; DIM]),
        bad(3_026, |post| post.text = "x".repeat(17 << 10)),
        Post {
            media: vec![media],
            ..post(3_020, 3_027)
        },
        bad(3_028, |post| post.author_id = 0),
        bad(3_029, |post| post.labels = vec![77]),
        bad(3_030, |post| post.created_at_ms = u64::MAX),
        bad(3_031, |post| post.language = "xyz".to_owned()),
        post(3_020, 3_032),
    ];
    let wanted = [
        "",
        "7 numbers",
        "number 5",
        "number 5",
        "are 0",
        "16384",
        "media.url",
        "author_id",
        "labels",
        "future",
        "language",
        "",
    ];
    let request = PutPostsRequest {
        posts,
        ..PutPostsRequest::default()
    };
    let reply = eventually("a batch whose good items are done", async || {
        let reply = client.rpc().put_posts(request.clone()).await;
        let reply = reply.expect("a batch with bad items is answered").into_inner();
        let passes = |item: &ItemResult| matches!(item.status(), ItemStatus::Unavailable | ItemStatus::Uncertain);
        match reply.results.iter().find(|item| passes(item)) {
            Some(item) => Err(item.message.clone()),
            None => Ok(reply),
        }
    })
    .await;
    assert_eq!((reply.succeeded, reply.failed), (2, 10), "{reply:?}");
    for (result, words) in reply.results.iter().zip(wanted) {
        assert!(result.message.contains(words), "no {words:?} in {result:?}");
    }
    still_serves(cluster).await;
}

#[tokio::test]
async fn malformed_protobuf_is_the_senders_fault() {
    let cluster = shared();
    let channel = tonic::transport::Channel::from_shared(format!("http://127.0.0.1:{}", cluster.grpc));
    let channel = channel
        .expect("an address")
        .connect()
        .await
        .expect("the coordinator listens");
    let mut raw = tonic::client::Grpc::new(channel);
    raw.ready().await.expect("it is connected");
    // A number where a list of posts should be: a valid message of another type.
    let wrong = ItemResult {
        index: 7,
        ..ItemResult::default()
    };
    let path = "/covey.v1.Covey/PutPosts".parse().expect("a path");
    let codec = covey_api::codec::Codec::<ItemResult, WriteReply>::default();
    let refused = raw
        .unary(Request::new(wrong), path, codec)
        .await
        .expect_err("it is no list of posts");
    assert_eq!(refused.code(), Code::InvalidArgument, "{refused}");
    assert!(refused.message().contains("not a valid message"), "{refused}");
    still_serves(cluster).await;
}

/// How both sides begin: magic and version.
fn opening() -> Vec<u8> {
    [&b"COVEY\0"[..], &WIRE_VERSION.to_le_bytes()].concat()
}

/// How a connection of a class of calls begins: opening, cluster, class, sender, receiver (any).
fn hello(class: u8) -> Vec<u8> {
    let mut hello = opening();
    hello.extend(ClusterId::from_name("shared").0.to_le_bytes());
    hello.push(class);
    hello.extend(2_u64.to_le_bytes());
    hello.extend(0_u64.to_le_bytes());
    hello
}

fn greet(port: u16, hello: &[u8]) -> std::io::Result<[u8; 17]> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(SOON))?;
    stream.write_all(hello)?;
    let mut answer = [0; 17];
    stream.read_exact(&mut answer)?;
    Ok(answer)
}

#[test]
fn the_handmade_hello_opens_the_door_so_that_garbage_behind_it_reaches_the_decoders() {
    for port in &shared().ports()[..3] {
        for class in [0, 1] {
            // A node waits two seconds for a hello.
            let answer = until("an answer to a hello", || {
                greet(*port, &hello(class)).map_err(|e| e.to_string())
            });
            assert_eq!((&answer[..8], answer[8]), (&*opening(), 0), "class {class}");
        }
    }
}

/// What is sent to every port: noise, other protocols, and the beginnings of ours with absurd lengths.
fn garbage() -> Vec<Vec<u8>> {
    let seed = 5;
    println!("garbage: seed {seed}");
    let mut dice = StdRng::seed_from_u64(seed);
    let mut noise = vec![0; 64 << 10];
    dice.fill_bytes(&mut noise);
    let after = |mut start: Vec<u8>, rest: &[u8]| {
        start.extend(rest);
        start
    };
    let frame = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    vec![
        Vec::new(),
        vec![0; 100_000],
        noise[..7].to_vec(),
        noise.clone(),
        b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        after(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), &noise[..5_000]),
        after(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(), &noise[..500]),
        after(hello(0), &frame),
        after(hello(0), &noise[..5_000]),
        after(hello(1), &frame),
        after(hello(1), &noise[..5_000]),
        after(hello(99), &frame),
        b"POST /v1/feed HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffff\r\n".to_vec(),
    ]
}

#[tokio::test]
async fn garbage_on_every_port_harms_nobody() {
    let cluster = shared();
    let garbage = garbage();
    let mut open = Vec::new();
    for port in cluster.ports() {
        for bytes in &garbage {
            let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("somebody listens");
            stream.set_write_timeout(Some(SOON)).expect("a time-out can be set");
            // It may be cut off before all is sent.
            _ = stream.write_all(bytes);
            open.push(stream);
        }
    }
    still_serves(cluster).await;
    drop(open);
    still_serves(cluster).await;
}

#[tokio::test]
async fn a_stranger_of_another_cluster_is_turned_away_by_every_node() {
    let cluster = shared();
    for (id, port) in (1..).zip(&cluster.ports()[..3]) {
        let env = Env::production(1).expect("threads can be started");
        let peer = Peer {
            node: NodeId(id),
            address: format!("127.0.0.1:{port}"),
        };
        let options = ClientOptions {
            connect_timeout: SOON,
            ..ClientOptions::new(ClusterId::from_name("elsewhere"), NodeId(0))
        };
        let stranger = NodeClient::new(env, peer, options);
        let call = stranger.call(
            Class::Admin,
            Duration::from_secs(30),
            RequestBody::Status,
            ModelEpoch(0),
        );
        let refused = call.await.expect_err("it belongs to another cluster");
        assert!(matches!(refused, CallError::Refused { .. }), "{refused}");
        assert!(refused.to_string().contains("another cluster"), "{refused}");
    }
    still_serves(cluster).await;
}
