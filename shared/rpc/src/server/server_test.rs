//! Start, limits, traces and end of a server.

use std::sync::Arc;

use covey_shared::wire::WireError;
use covey_telemetry::receiver::{OtlpReceiver, check_tree};
use covey_telemetry::{Telemetry, TelemetryOptions, current_trace};
use futures::FutureExt;
use tokio::sync::Notify;
use tracing::{Instrument, info_span};

use super::*;
use crate::testing::*;
use crate::{CallError, NodeClient};

/// Answers when it is told to.
fn gated() -> (CallHandler, Arc<Notify>, Arc<Notify>) {
    let (begun, gate) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (begin, open) = (begun.clone(), gate.clone());
    let handler: CallHandler = Arc::new(move |request, _| {
        let (begin, open) = (begin.clone(), open.clone());
        async move {
            begin.notify_one();
            open.notified().await;
            echo_reply(&request)
        }
        .boxed()
    });
    (handler, begun, gate)
}

#[tokio::test]
async fn an_address_in_use_says_how_to_find_who_uses_it() {
    let server = serve(calls_only(echo())).await;
    let second = Server::serve(env(), server.address(), serve_options(), calls_only(echo())).await;
    let text = second.err().unwrap().to_string();
    let port = server.address().rsplit(':').next().unwrap();
    assert!(
        text.contains(server.address()) && text.contains(&format!("ss -ltnp 'sport = :{port}'")),
        "{text}"
    );
}

#[tokio::test]
async fn a_shutdown_lets_calls_finish_and_refuses_new_ones() {
    let (handler, begun, gate) = gated();
    let server = serve(calls_only(handler)).await;
    let mut options = client_options();
    options.connections = 1;
    let client = NodeClient::new(env(), peer(server.address()), options);
    let late = async {
        begun.notified().await;
        let mut closing = server.shared.closing.clone();
        let shutdown = server.shutdown(LONG);
        let refuse = async {
            closing.wait_for(|closing| *closing).await.unwrap();
            let error = ask(&client, 2, LONG).await.unwrap_err();
            gate.notify_one();
            error
        };
        tokio::join!(shutdown, refuse)
    };
    let (first, (cut_off, error)) = tokio::join!(ask(&client, 1, LONG), late);
    assert_eq!(first.unwrap(), 1);
    assert_eq!(cut_off, 0);
    assert!(
        matches!(
            error,
            CallError::Wire {
                error: WireError::ShuttingDown,
                ..
            }
        ),
        "{error}"
    );
    assert!(error.may_retry() && error.is_down());
}

#[tokio::test]
async fn a_shutdown_cuts_off_what_does_not_finish() {
    let (handler, begun, _gate) = gated();
    let server = serve(calls_only(handler)).await;
    let client = client(server.address());
    let end = async {
        begun.notified().await;
        server.shutdown(Duration::from_millis(20)).await
    };
    let (result, cut_off) = tokio::join!(ask(&client, 1, LONG), end);
    assert!(matches!(result, Err(CallError::Closed { .. })), "{result:?}");
    assert_eq!(cut_off, 1);
}

#[tokio::test]
async fn one_call_too_many_on_a_connection_is_overload() {
    let (handler, begun, gate) = gated();
    let mut options = serve_options();
    options.calls_per_connection = 1;
    let server = Server::serve(env(), "127.0.0.1:0", options, calls_only(handler))
        .await
        .unwrap();
    let mut options = client_options();
    options.connections = 1;
    let client = NodeClient::new(env(), peer(server.address()), options);
    let second = async {
        begun.notified().await;
        let error = ask(&client, 2, LONG).await.unwrap_err();
        gate.notify_one();
        error
    };
    let (first, error) = tokio::join!(ask(&client, 1, LONG), second);
    assert_eq!(first.unwrap(), 1);
    assert!(matches!(error, CallError::Overloaded { .. }), "{error}");
}

#[tokio::test]
async fn an_idle_connection_is_closed_and_the_next_call_opens_another() {
    let mut options = serve_options();
    options.idle_timeout = Duration::from_millis(20);
    let server = Server::serve(env(), "127.0.0.1:0", options, calls_only(echo()))
        .await
        .unwrap();
    let client = client(server.address());
    assert_eq!(ask(&client, 1, LONG).await.unwrap(), 1);
    until(|| client.status().connections == 0 && server.stats().connections == 0).await;
    assert_eq!(ask(&client, 2, LONG).await.unwrap(), 2);
}

#[tokio::test]
async fn connections_beyond_the_limit_are_closed_and_counted() {
    let mut options = serve_options();
    options.max_connections = 1;
    let server = Server::serve(env(), "127.0.0.1:0", options, calls_only(echo()))
        .await
        .unwrap();
    let _held = introduced(server.address(), Class::Query, NodeId(0)).await;
    let error = ask(&client(server.address()), 1, LONG).await.unwrap_err();
    assert!(
        matches!(error, CallError::Connect { .. }) && error.may_retry(),
        "{error}"
    );
    assert_eq!(server.stats().connections_over_limit, 1);
}

#[test]
fn it_runs_on_a_local_set() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let answer = tokio::task::LocalSet::new().block_on(&runtime, async {
        let server = serve(calls_only(echo())).await;
        let client = client(server.address());
        tokio::task::spawn_local(async move { ask(&client, 7, LONG).await })
            .await
            .unwrap()
    });
    assert_eq!(answer.unwrap(), 7);
}

#[tokio::test]
async fn the_spans_of_caller_and_node_are_one_tree() {
    let (receiver, collector) = OtlpReceiver::bind("127.0.0.1:0").unwrap();
    let mut options = TelemetryOptions::new("covey-test", "1");
    options.otlp_endpoint = Some(format!("http://{collector}"));
    let (telemetry, dispatch) = Telemetry::detached(options).unwrap();
    let _default = tracing::dispatcher::set_default(&dispatch);
    let handler: CallHandler = Arc::new(|request, _| {
        async move { echo_reply(&request) }
            .instrument(info_span!("work"))
            .boxed()
    });
    // `work` is made before the handler's future runs, so it must be made inside the call's span.
    let server = serve(calls_only(handler)).await;
    let client = client(server.address());
    let request = info_span!("request");
    let trace = request.in_scope(current_trace);
    ask(&client, 1, LONG).instrument(request).await.unwrap();
    drop(client);
    server.shutdown(LONG).await;
    telemetry.shutdown(LONG).unwrap();
    let spans = receiver.trace(*trace.first_chunk().unwrap());
    check_tree(&spans, None).unwrap();
    let find = |name: &str| spans.iter().find(|span| span.name == name).unwrap();
    assert_eq!(find("rpc.call").parent, Some(find("request").span_id));
    assert_eq!(find("rpc.serve").parent, Some(find("rpc.call").span_id));
    assert_eq!(find("work").parent, Some(find("rpc.serve").span_id));
    assert_eq!(spans.len(), 4, "{spans:#?}");
    let attributes = &find("rpc.call").attributes;
    let named = ["node", "class", "request", "deadline_ms"].map(|key| attributes[key].as_str());
    assert_eq!(named, ["1", "query", "logical_hash", "60000"]);
    assert_eq!(attributes["bytes"], find("rpc.serve").attributes["bytes"]);
}
