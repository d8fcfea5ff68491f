//! Calls over loopback.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use covey_shared::ids::ShardId;
use futures::FutureExt;
use futures::future::join_all;
use tokio::sync::Notify;

use super::*;
use crate::server::{CallHandler, Server};
use crate::testing::*;
use crate::{ConnectError, Refusal};

/// Says when its call is given up.
struct GivenUp(Arc<AtomicBool>);

impl Drop for GivenUp {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A handler that never answers, a signal that it has begun, and a flag that it was dropped.
fn endless() -> (CallHandler, Arc<Notify>, Arc<AtomicBool>) {
    let (begun, given_up) = (Arc::new(Notify::new()), Arc::new(AtomicBool::new(false)));
    let (begin, drop_flag) = (begun.clone(), given_up.clone());
    let handler: CallHandler = Arc::new(move |_, _| {
        begin.notify_one();
        let guard = GivenUp(drop_flag.clone());
        async move {
            let _guard = guard;
            std::future::pending().await
        }
        .boxed()
    });
    (handler, begun, given_up)
}

#[tokio::test]
async fn concurrent_calls_get_their_own_answers_over_few_connections() {
    let server = serve(calls_only(echo())).await;
    let client = client(server.address());
    let answers = join_all((0..100).map(|shard| ask(&client, shard, LONG))).await;
    for (shard, answer) in answers.into_iter().enumerate() {
        assert_eq!(answer.unwrap(), shard as u64);
    }
    let status = client.status();
    assert_eq!((status.state, status.connections), (LinkState::Connected, 2));
    assert_eq!((status.calls, status.failed, status.in_flight), (100, 0, 0));
    assert_eq!(server.stats().calls, 100);
}

#[tokio::test]
async fn a_call_past_its_deadline_fails_and_stops_the_work_on_the_node() {
    let (handler, begun, given_up) = endless();
    let server = serve(calls_only(handler)).await;
    let client = client(server.address());
    let call = ask(&client, 1, Duration::from_millis(50));
    let (result, ()) = tokio::join!(call, begun.notified());
    assert!(matches!(result, Err(CallError::Timeout { .. })), "{result:?}");
    until(|| given_up.load(Ordering::Relaxed)).await;
    until(|| server.stats().in_flight == 0).await;
}

#[tokio::test]
async fn a_dropped_call_stops_the_work_on_the_node_and_spares_the_connection() {
    let (handler, begun, given_up) = endless();
    let server = serve(calls_only(handler)).await;
    let client = client(server.address());
    tokio::select! {
        result = ask(&client, 1, LONG) => panic!("{result:?}"),
        () = begun.notified() => {}
    }
    until(|| given_up.load(Ordering::Relaxed)).await;
    until(|| server.stats().cancelled == 1).await;
    assert_eq!(client.status().cancelled, 1);
    assert_eq!(client.status().state, LinkState::Connected);
}

#[tokio::test]
async fn a_full_window_refuses_with_a_hint() {
    let (handler, begun, _) = endless();
    let server = serve(calls_only(handler)).await;
    let mut options = client_options();
    options.in_flight = 1;
    let client = NodeClient::new(env(), peer(server.address()), options);
    let busy = async {
        begun.notified().await;
        ask(&client, 2, LONG).await.unwrap_err()
    };
    let error = tokio::select! {
        result = ask(&client, 1, LONG) => panic!("{result:?}"),
        error = busy => error,
    };
    assert!(matches!(error, CallError::Overloaded { .. }), "{error}");
    assert!(error.may_retry() && !error.is_down() && error.retry_after().is_some());
    assert_eq!(client.status().in_flight, 0);
}

#[tokio::test]
async fn a_node_that_is_down_fails_at_once_during_the_pause() {
    let server = serve(calls_only(echo())).await;
    let address = server.address().to_owned();
    assert_eq!(server.shutdown(LONG).await, 0);
    let mut options = client_options();
    (options.connections, options.backoff_min, options.backoff_max) = (1, LONG, LONG);
    let client = NodeClient::new(env(), peer(&address), options);
    for _ in 0..3 {
        let error = ask(&client, 1, LONG).await.unwrap_err();
        let CallError::Connect { source, .. } = &error else {
            panic!("{error}")
        };
        assert!(matches!(**source, ConnectError::Network(_)), "{source}");
        assert!(error.is_down() && error.may_retry());
        assert_eq!(error.to_string(), format!("cannot reach node 1 at {address}"));
    }
    assert_eq!(client.status().state, LinkState::Backoff);
}

#[tokio::test]
async fn calls_succeed_again_after_the_node_was_restarted() {
    let first = serve(calls_only(echo())).await;
    let address = first.address().to_owned();
    let client = client(&address);
    assert_eq!(ask(&client, 1, LONG).await.unwrap(), 1);
    drop(first);
    until(|| client.status().connections == 0).await;
    assert!(ask(&client, 2, LONG).await.unwrap_err().is_down());
    let _second = Server::serve(env(), &address, serve_options(), calls_only(echo()))
        .await
        .unwrap();
    loop {
        match ask(&client, 3, LONG).await {
            Ok(answer) => return assert_eq!(answer, 3),
            Err(error) => assert!(error.may_retry(), "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn another_cluster_and_another_node_are_named_errors() {
    let server = serve(calls_only(echo())).await;
    let mut options = client_options();
    options.cluster = ClusterId(78);
    let stranger = NodeClient::new(env(), peer(server.address()), options);
    let error = ask(&stranger, 1, LONG).await.unwrap_err();
    assert!(
        matches!(
            error,
            CallError::Refused {
                refusal: Refusal::WrongCluster,
                ..
            }
        ),
        "{error}"
    );
    assert!(!error.may_retry());
    let mut wrong = peer(server.address());
    wrong.node = NodeId(9);
    let lost = NodeClient::new(env(), wrong, client_options());
    let error = ask(&lost, 1, LONG).await.unwrap_err();
    assert!(error.to_string().contains("node 1 listens at this address"), "{error}");
    until(|| server.stats().bad_handshakes == 2).await;
}

#[tokio::test]
async fn a_message_beyond_the_limit_fails_alone() {
    let mut options = serve_options();
    options.max_frame = 4096;
    let server = Server::serve(env(), "127.0.0.1:0", options, calls_only(echo()))
        .await
        .unwrap();
    let mut options = client_options();
    (options.max_frame, options.connections) = (4096, 1);
    let client = NodeClient::new(env(), peer(server.address()), options);
    // 400 ids fit into the request; their answers do not fit into the reply. 600 do not even fit into the request.
    for count in [400, 600] {
        let body = RequestBody::LogicalHash {
            shards: (0..count).map(ShardId).collect(),
        };
        let error = client.call(Class::Query, LONG, body, ModelEpoch(0)).await.unwrap_err();
        let CallError::Codec { source, .. } = &error else {
            panic!("{error}")
        };
        assert!(matches!(**source, CodecError::TooLarge { .. }), "{source}");
    }
    assert_eq!(ask(&client, 1, LONG).await.unwrap(), 1);
    assert_eq!(client.status().connections, 1);
}

#[tokio::test]
async fn used_up_permits_of_a_class_are_overload() {
    let (handler, begun, _) = endless();
    let mut options = serve_options();
    options.permits.query = 1;
    let server = Server::serve(env(), "127.0.0.1:0", options, calls_only(handler))
        .await
        .unwrap();
    let (first, second) = (client(server.address()), client(server.address()));
    let refused = async {
        begun.notified().await;
        ask(&second, 2, LONG).await.unwrap_err()
    };
    let error = tokio::select! {
        result = ask(&first, 1, LONG) => panic!("{result:?}"),
        error = refused => error,
    };
    assert!(matches!(error, CallError::Overloaded { .. }), "{error}");
    assert_eq!(server.stats().overloaded, 1);
}

#[tokio::test]
async fn a_caller_that_gives_up_early_does_not_keep_the_connection_from_opening() {
    let server = serve(calls_only(echo())).await;
    let mut options = client_options();
    options.connections = 1;
    let client = NodeClient::new(env(), peer(server.address()), options);
    assert!(ask(&client, 1, Duration::ZERO).await.is_err());
    until(|| client.status().state == LinkState::Connected).await;
    assert_eq!(ask(&client, 2, LONG).await.unwrap(), 2);
}

#[tokio::test]
async fn a_connection_over_which_nothing_comes_is_given_up_and_one_that_answers_others_is_not() {
    // Shard 1 is never answered, all others are.
    let handler: CallHandler = Arc::new(|request, _| {
        async move {
            let reply = echo_reply(&request);
            match &request.body {
                RequestBody::LogicalHash { shards } if shards[0] == ShardId(1) => std::future::pending().await,
                _ => reply,
            }
        }
        .boxed()
    });
    let server = serve(calls_only(handler)).await;
    let options = ClientOptions {
        connections: 1,
        connect_timeout: Duration::from_millis(200),
        ..client_options()
    };
    let client = NodeClient::new(env(), peer(server.address()), options);
    assert_eq!(ask(&client, 2, LONG).await.unwrap(), 2);
    let late = ask(&client, 1, Duration::from_millis(300));
    let answered = async {
        tokio::time::sleep(Duration::from_millis(150)).await;
        ask(&client, 3, LONG).await.unwrap()
    };
    let (late, _) = futures::join!(late, answered);
    assert!(matches!(late, Err(CallError::Timeout { .. })), "{late:?}");
    assert_eq!(client.status().state, LinkState::Connected);
    let late = ask(&client, 1, Duration::from_millis(300)).await;
    assert!(matches!(late, Err(CallError::Timeout { .. })), "{late:?}");
    assert_eq!(client.status().state, LinkState::Idle);
    assert_eq!(ask(&client, 4, LONG).await.unwrap(), 4);
}
