//! JSON over HTTP: what goes in, what comes out, and what garbage gets.

use actix_web::http::Method;
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use serde_json::{Value, json};

use super::*;
use crate::api::testing;
use crate::cluster::testing::{Mood, World};

/// Sends each request in turn to one app and returns status and body of each.
async fn send(in_flight: usize, world: impl FnOnce(&World), requests: Vec<TestRequest>) -> Vec<(u16, Value)> {
    let (api, nodes) = testing::api(in_flight);
    world(&nodes);
    let app = init_service(App::new().configure(|config| configure(config, api))).await;
    let mut replies = Vec::new();
    for request in requests {
        let response = call_service(&app, request.to_request()).await;
        let status = response.status().as_u16();
        let traced = response.headers().contains_key(TRACE_HEADER);
        let bytes = read_body(response).await;
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::String(String::from_utf8_lossy(&bytes).into()));
        assert!(traced || body.is_string(), "every JSON reply carries its trace: {body}");
        replies.push((status, body));
    }
    replies
}

fn post(path: &str, body: impl Into<Bytes>) -> TestRequest {
    TestRequest::with_uri(path).method(Method::POST).set_payload(body)
}

fn post_json(path: &str, body: Value) -> TestRequest {
    post(path, body.to_string())
}

#[actix::test]
async fn written_posts_are_read_found_and_told_apart_from_bad_ones() {
    let replies = send(
        10,
        |_| {},
        vec![
            post_json(
                "/v1/posts:put",
                json!({"posts": [
                    {"post_id": 1, "author_id": "7", "text": "cats and dogs"},
                    {"post_id": 2, "author_id": 7},
                    {"post_id": 3, "author_id": 8, "text": "x", "vector": [1.0]},
                    {"post_id": 4, "author_id": 8, "text": "more dogs", "reply_to": {"post_id": 1}},
                    {"post_id": 5, "author_id": 8, "text": "lost", "reply_to": {"post_id": 99}},
                ]}),
            ),
            post_json(
                "/v1/posts:get",
                json!({"keys": [{"post_id": 1, "author_id": 7}, {"post_id": 4}, {"post_id": 50}, {}]}),
            ),
            post_json("/v1/search", json!({"text": "dogs", "k": 5, "with_posts": true})),
            post_json("/v1/search", json!({"post": {"post_id": 1, "author_id": 7}})),
        ],
    )
    .await;
    let statuses = |value: &Value| -> Vec<String> {
        let results = value["results"].as_array().unwrap();
        results
            .iter()
            .map(|r| r["status"].as_str().unwrap().to_owned())
            .collect()
    };
    let [(200, put), (200, get), (200, search), (200, similar)] = &replies[..] else {
        panic!("{replies:#?}")
    };
    assert_eq!(
        statuses(put),
        [
            "ITEM_STATUS_OK",
            "ITEM_STATUS_INVALID",
            "ITEM_STATUS_INVALID",
            "ITEM_STATUS_OK",
            "ITEM_STATUS_INVALID"
        ]
    );
    assert_eq!((&put["succeeded"], &put["failed"]), (&json!(2), &json!(3)));
    assert!(
        put["results"][4]["message"].as_str().unwrap().contains("author"),
        "{put}"
    );
    assert_eq!(
        statuses(get),
        [
            "GET_STATUS_FOUND",
            "GET_STATUS_FOUND",
            "GET_STATUS_NOT_FOUND",
            "GET_STATUS_INVALID"
        ]
    );
    assert_eq!(get["results"][1]["post"]["reply_to"]["author_id"], "7", "{get}");
    assert_eq!(search["answer"]["coverage"], 1.0);
    assert_eq!(search["hits"].as_array().unwrap().len(), 2);
    assert!(search["hits"][0]["post"]["text"].as_str().unwrap().contains("dogs"));
    let found: Vec<&Value> = similar["hits"]
        .as_array()
        .unwrap()
        .iter()
        .map(|h| &h["post_id"])
        .collect();
    assert_eq!(found, ["4"], "a post is not similar to itself");
}

#[actix::test]
async fn garbage_gets_a_clear_error() {
    let large = post("/v1/posts:put", vec![b' '; 70 << 10]);
    let deep = post("/v1/feed", "[".repeat(5000));
    let replies = send(
        10,
        |_| {},
        vec![
            post("/v1/posts:put", "not json"),
            post("/v1/posts:put", vec![0xff, 0x00, 0x80]),
            post_json("/v1/posts:put", json!({"psots": []})),
            post_json("/v1/search", json!({"k": -5})),
            post_json("/v1/search", json!({"text": "x", "session_token": "forged"})),
            deep,
            large,
            TestRequest::with_uri("/v1/nothing"),
            TestRequest::with_uri("/v1/feed"),
            post_json("/v1/search", json!({"post": {"post_id": 1, "author_id": 7}})),
        ],
    )
    .await;
    let codes: Vec<(u16, &str)> = replies
        .iter()
        .map(|(s, b)| (*s, b["code"].as_str().unwrap_or("?")))
        .collect();
    let bad = (400, "INVALID_ARGUMENT");
    let none = (404, "UNIMPLEMENTED");
    let large = (413, "RESOURCE_EXHAUSTED");
    assert_eq!(
        codes,
        [bad, bad, bad, bad, bad, bad, large, none, none, (404, "NOT_FOUND")]
    );
    assert!(
        replies[2].1["message"].as_str().unwrap().contains("psots"),
        "{}",
        replies[2].1
    );
}

#[actix::test]
async fn full_coordinator_refuses_with_a_hint() {
    let (status, body) = send(0, |_| {}, vec![post_json("/v1/feed", json!({"viewer_id": 1}))])
        .await
        .remove(0);
    assert_eq!((status, &body["code"]), (429, &json!("RESOURCE_EXHAUSTED")));
    assert!(body["retry_after_ms"].as_u64().unwrap() > 0);
}

#[actix::test]
async fn dead_cluster_is_alive_but_not_ready_and_says_so() {
    let down = |world: &World| (1..=3).for_each(|node| world.set(node, Mood::Down));
    let replies = send(
        10,
        down,
        vec![
            TestRequest::with_uri("/livez"),
            TestRequest::with_uri("/readyz"),
            post_json("/v1/search", json!({"text": "cats"})),
            TestRequest::with_uri("/v1/status"),
        ],
    )
    .await;
    let codes: Vec<u16> = replies.iter().map(|(status, _)| *status).collect();
    assert_eq!(codes, [200, 503, 503, 200]);
    assert_eq!(replies[2].1["code"], "UNAVAILABLE");
    let status = &replies[3].1;
    assert_eq!(status.get("healthy"), None, "false is left out: {status}");
    assert_eq!(status["shards"].as_array().unwrap().len(), 8);
}

#[actix::test]
async fn trace_id_is_in_header_and_body() {
    let (api, _) = testing::api(10);
    let app = init_service(App::new().configure(|config| configure(config, api))).await;
    let response = call_service(&app, TestRequest::with_uri("/v1/status").to_request()).await;
    let header = response
        .headers()
        .get(TRACE_HEADER)
        .unwrap()
        .to_str()
        .unwrap()
        .to_owned();
    let body: Value = serde_json::from_slice(&read_body(response).await).unwrap();
    assert_eq!(body["trace_id"], header.as_str());
    assert_eq!(header.len(), 32);
}

#[actix::test]
async fn operations_are_begun_shown_cancelled_and_refused() {
    let drain = json!({"drain": {"node": 2}, "by": "ada"});
    let replies = send(
        10,
        |_| {},
        vec![
            post_json("/v1/operations", drain.clone()),
            post_json("/v1/operations", json!({"repair": {"node": 2}, "dry_run": true})),
            post_json("/v1/operations:cancel", json!({"operation": 1})),
            post_json("/v1/nodes:undrain", json!({"node": 2})),
            TestRequest::with_uri("/v1/cluster?audit=5"),
            post_json("/v1/operations", json!({})),
            TestRequest::with_uri("/v1/cluster?operation=9"),
            TestRequest::with_uri("/v1/cluster?operations=9"),
        ],
    )
    .await;
    let codes: Vec<u16> = replies.iter().map(|(status, _)| *status).collect();
    assert_eq!(codes, [200, 200, 200, 200, 200, 400, 404, 400], "{replies:#?}");
    assert_eq!(replies[0].1["operation"], "1");
    assert_eq!(replies[0].1["planned"][0]["title"], "drain node 2");
    assert_eq!(replies[1].1.get("operation"), None, "nothing has begun");
    assert_eq!(replies[1].1["planned"][0]["repair"]["node"], "2");
    assert_eq!(replies[4].1["applied"], "3", "the rehearsal is no change");
    let refuse = |world: &World| {
        let fault = covey_shared::metadata::OperationFault::Drained(covey_shared::ids::NodeId(2));
        *world.fault.lock() = Some(fault);
    };
    let (status, body) = send(10, refuse, vec![post_json("/v1/operations", drain)])
        .await
        .remove(0);
    assert_eq!((status, &body["code"]), (400, &json!("FAILED_PRECONDITION")));
    assert!(body["message"].as_str().unwrap().contains("covey node undrain 2"));
}

/// What the searches of this run had to have applied.
fn least_indexes(world: &World) -> Vec<u64> {
    let calls = world.calls.lock();
    let searches = calls.iter().filter_map(|(_, body)| match body {
        covey_shared::wire::RequestBody::Search(query) => Some(query),
        _ => None,
    });
    let mut least: Vec<u64> = searches
        .flat_map(|query| query.shards.iter().map(|read| read.min_index.0))
        .collect();
    least.sort_unstable();
    least.dedup();
    least
}

#[actix::test]
async fn a_strong_read_waits_for_all_that_was_acknowledged_and_fails_where_nobody_is_sure() {
    let (api, world) = testing::api(10);
    *world.index.lock() = 41;
    let app = init_service(App::new().configure(|config| configure(config, api))).await;
    let search = |strong: bool| {
        let body = json!({"text": "dogs", "strong": strong, "deadline_ms": 300});
        post_json("/v1/search", body).to_request()
    };
    let status = call_service(&app, search(false)).await.status().as_u16();
    assert_eq!((status, least_indexes(&world)), (200, vec![0]));
    world.calls.lock().clear();
    let status = call_service(&app, search(true)).await.status().as_u16();
    assert_eq!((status, least_indexes(&world)), (200, vec![41]));
    // Others have what node 2 led, and say nothing of how new it is.
    world.set(2, Mood::Down);
    assert_eq!(call_service(&app, search(false)).await.status().as_u16(), 200);
    let response = call_service(&app, search(true)).await;
    assert_eq!(response.status().as_u16(), 503);
    let body: Value = serde_json::from_slice(&read_body(response).await).unwrap();
    let message = body["message"].as_str().unwrap();
    assert!(message.contains("shard 2, shard 5, shard 8"), "{message}");
    assert!(body["retry_after_ms"].as_u64().unwrap() > 0);
}

#[actix::test]
async fn the_openapi_document_has_every_path_and_every_method() {
    let (api, _) = testing::api(10);
    let app = init_service(App::new().configure(|config| configure(config, api))).await;
    let request = TestRequest::with_uri("/openapi.json").to_request();
    let document: Value = serde_json::from_slice(&read_body(call_service(&app, request).await).await).unwrap();
    let paths = document["paths"].as_object().unwrap();
    for (path, _) in calls() {
        let operation = &paths[path.path][path.verb];
        assert_eq!(operation["operationId"], path.method);
        assert_eq!(operation["parameters"].as_array().map_or(0, Vec::len), path.query.len());
    }
    let named: Vec<&str> = calls().iter().map(|(path, _)| path.method).collect();
    let proto = include_str!("../../../shared/api/proto/covey.proto");
    let methods = proto
        .lines()
        .filter_map(|line| line.trim().strip_prefix("rpc ")?.split('(').next());
    let unnamed: Vec<&str> = methods.filter(|method| !named.contains(method)).collect();
    assert_eq!(unnamed, [""; 0], "methods without a path");
}
