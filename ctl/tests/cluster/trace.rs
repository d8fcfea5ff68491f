//! One feed request is one trace: client, coordinator, stages, node calls, shards.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use covey_api::v1::EdgeKind;
use covey_telemetry::receiver::{ReceivedSpan, check_tree};

use crate::calls::{http, post, put, relate};
use crate::process::SOON;
use crate::world::{Cluster, SHARDS, shared};

const VIEWER: u64 = 1_001;
const AUTHORS: u64 = 40;
/// The client's own span, which the client exports elsewhere.
const CLIENT_SPAN: [u8; 8] = [0xc1, 2, 3, 4, 5, 6, 7, 8];
const TRACE: [u8; 16] = [0xfe, 0xed, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13];

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What a whole trace of a feed has at least.
fn missing(spans: &[ReceivedSpan]) -> Option<String> {
    if let Err(error) = check_tree(spans, Some(CLIENT_SPAN)) {
        return Some(error.to_string());
    }
    let names: BTreeSet<(&str, &str)> = spans.iter().map(|s| (s.service.as_str(), s.name.as_str())).collect();
    let wanted = [
        "request",
        "pipeline",
        "source",
        "filter",
        "post_hydrator",
        "InNetwork",
        "Viewer",
        "node.call",
        "rpc.call",
    ]
    .map(|name| ("covey-coordinator", name))
    .into_iter()
    .chain([("covey-node", "rpc.serve"), ("covey-node", "shard.read")]);
    if let Some(span) = wanted.into_iter().find(|span| !names.contains(span)) {
        return Some(format!("no span {span:?} among {names:?}"));
    }
    let reads: BTreeSet<&str> = named(spans, "shard.read")
        .map(|span| span.attributes["shard"].as_str())
        .collect();
    (reads.len() < usize::from(SHARDS)).then(|| format!("only the shards {reads:?} were read"))
}

fn named<'a>(spans: &'a [ReceivedSpan], name: &'a str) -> impl Iterator<Item = &'a ReceivedSpan> {
    spans.iter().filter(move |span| span.name == name)
}

#[tokio::test]
async fn a_feed_request_is_one_trace_from_the_client_to_the_shards() {
    let cluster = shared();
    let client = cluster.client().await;
    let authors: Vec<u64> = (VIEWER + 1..=VIEWER + AUTHORS).collect();
    let token = put(
        &client,
        authors.iter().map(|author| post(*author, *author)).collect(),
        "",
    )
    .await;
    let token = relate(&client, VIEWER, EdgeKind::Follow, &authors, &token).await;

    // Spans that a collector does not take in time are dropped: then the next request is looked at.
    let mut rounds = (0..4).map(|round| ask_and_collect(cluster, round, &token));
    let spans = rounds.find_map(Result::ok).expect("a whole trace at the collector");
    let root = check_tree(&spans, Some(CLIENT_SPAN)).unwrap();
    assert_eq!((root.name.as_str(), root.parent), ("request", Some(CLIENT_SPAN)));
    assert_eq!(root.attributes["call"], "GetFeed");
    assert_node_spans_hang_below_calls(&spans);
}

/// All spans of a request for a feed, or what was missing for long.
fn ask_and_collect(cluster: &Cluster, round: u8, token: &str) -> Result<Vec<ReceivedSpan>, String> {
    let mut trace = TRACE;
    trace[15] += round;
    let header = format!("traceparent: 00-{}-{}-01", hex(&trace), hex(&CLIENT_SPAN));
    let json = format!("{{\"viewer_id\": {VIEWER}, \"session_token\": \"{token}\"}}");
    let (status, body) = http(cluster.http, "POST", "/v1/feed", &[&header], json.as_bytes()).expect("HTTP is answered");
    assert_eq!(status, 200, "{body}");
    let reply: serde_json::Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!(
        reply["answer"]["trace_id"],
        hex(&trace),
        "the reply names the client's trace"
    );
    // Later rounds ask for more than fits.
    assert!(round > 0 || !reply["posts"].as_array().expect("a list").is_empty());
    let since = Instant::now();
    loop {
        let spans = cluster.receiver.trace(trace);
        match missing(&spans) {
            None => return Ok(spans),
            Some(what) if since.elapsed() > SOON / 4 => {
                println!("trace: {what}");
                return Err(what);
            }
            Some(_) => std::thread::sleep(Duration::from_millis(50)),
        }
    }
}

/// Every shard read is part of a served call, and that a child of the coordinator's call.
fn assert_node_spans_hang_below_calls(spans: &[ReceivedSpan]) {
    let by_id: BTreeMap<[u8; 8], &ReceivedSpan> = spans.iter().map(|span| (span.span_id, span)).collect();
    let parent = |span: &ReceivedSpan| by_id[&span.parent.expect("only the root has no parent here")];
    for read in named(spans, "shard.read") {
        assert_eq!(parent(read).name, "rpc.serve", "{read:?}");
        assert_eq!(parent(read).instance, read.instance);
    }
    for served in named(spans, "rpc.serve") {
        let call = parent(served);
        assert_eq!(
            (call.service.as_str(), call.name.as_str()),
            ("covey-coordinator", "rpc.call")
        );
        assert_eq!(
            format!("node-{}", call.attributes["node"]),
            served.instance,
            "the node that was called served it"
        );
    }
}
