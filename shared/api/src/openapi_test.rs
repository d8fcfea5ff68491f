//! The document is complete and true.

use std::collections::BTreeSet;

use super::*;
use crate::v1::{FeedKind, FeedPost, GetFeedReply, GetFeedRequest, PostKey};

const PATHS: [HttpPath; 2] = [
    HttpPath {
        verb: "post",
        path: "/v1/feed",
        method: "GetFeed",
        query: &[],
    },
    HttpPath {
        verb: "get",
        path: "/v1/cluster",
        method: "DescribeCluster",
        query: &["audit"],
    },
];

fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            if let Some(name) = object.get("$ref").and_then(Value::as_str) {
                found.insert(name.trim_start_matches("#/components/schemas/").to_owned());
            }
            object.values().for_each(|value| references(value, found));
        }
        Value::Array(list) => list.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[test]
fn every_reference_leads_to_a_schema_and_all_is_described() {
    let document = document(&PATHS, "1");
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    let missing: Vec<_> = found.iter().filter(|name| !schemas.contains_key(*name)).collect();
    assert_eq!(missing, Vec::<&String>::new());
    assert!(found.len() > 20, "{found:?}");
    for (name, schema) in schemas {
        assert_ne!(schema["description"], "", "{name}");
        for (field, property) in schema["properties"].as_object().into_iter().flatten() {
            assert_ne!(property["description"], "", "{name}.{field}");
        }
    }
}

#[test]
fn paths_carry_their_messages() {
    let document = document(&PATHS, "1");
    let feed = &document["paths"]["/v1/feed"]["post"];
    let schema = |content: &Value| content["content"]["application/json"]["schema"]["$ref"].clone();
    assert_eq!(schema(&feed["requestBody"]), "#/components/schemas/GetFeedRequest");
    assert_eq!(schema(&feed["responses"]["200"]), "#/components/schemas/GetFeedReply");
    assert_eq!(schema(&feed["responses"]["default"]), "#/components/schemas/Error");
    assert_ne!(feed["description"], "");
    let cluster = &document["paths"]["/v1/cluster"]["get"];
    assert_eq!(cluster["parameters"].as_array().unwrap().len(), 1);
    assert_eq!(cluster["parameters"][0]["name"], "audit");
    assert_eq!(cluster.get("requestBody"), None);
}

/// What is wrong with a JSON value by a schema: types and names, as far as the document uses them.
fn fault(document: &Value, schema: &Value, value: &Value) -> Option<String> {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.trim_start_matches("#/components/schemas/");
        return fault(document, &document["components"]["schemas"][name], value);
    }
    let is = |kind: &Value| match kind.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        other => panic!("{other}"),
    };
    let kinds = schema["type"]
        .as_array()
        .cloned()
        .unwrap_or_else(|| vec![schema["type"].clone()]);
    if !kinds.iter().any(is) {
        return Some(format!("{value} is no {kinds:?}"));
    }
    if schema["enum"].as_array().is_some_and(|names| !names.contains(value)) {
        return Some(format!("{value} is none of {}", schema["enum"]));
    }
    let items = value
        .as_array()
        .into_iter()
        .flatten()
        .map(|item| (&schema["items"], item));
    let fields = value.as_object().into_iter().flatten().map(|(name, value)| {
        let known = &schema["properties"][name];
        (
            if known.is_null() {
                &schema["additionalProperties"]
            } else {
                known
            },
            value,
        )
    });
    let mut inside = items.chain(fields);
    inside.find_map(|(schema, value)| match schema {
        Value::Bool(false) => Some(format!("{value} has no place")),
        schema => fault(document, schema, value),
    })
}

#[test]
fn what_is_sent_and_returned_is_as_the_schemas_say() {
    let document = document(&PATHS, "1");
    let check = |name: &str, value: Value| fault(&document, &reference(name), &value);
    let request = GetFeedRequest {
        viewer_id: u64::MAX,
        kind: FeedKind::Following as i32,
        seen_ids: vec![1, 2],
        local_time: Some(3),
        explain_posts: vec![PostKey::default()],
        experiment_overrides: [("a".to_owned(), "b".to_owned())].into(),
        ..GetFeedRequest::default()
    };
    assert_eq!(check("GetFeedRequest", serde_json::to_value(request).unwrap()), None);
    let post = FeedPost {
        post_id: 1,
        score: 0.5,
        screen_names: [(1, "a".to_owned())].into(),
        ..FeedPost::default()
    };
    let reply = GetFeedReply {
        posts: vec![post],
        no_history: true,
        ..GetFeedReply::default()
    };
    assert_eq!(check("GetFeedReply", serde_json::to_value(reply).unwrap()), None);
    // The check itself sees what is wrong.
    assert!(check("GetFeedRequest", json!({ "viewer": 1 })).is_some());
    assert!(check("GetFeedRequest", json!({ "limit": "many" })).is_some());
    assert!(check("GetFeedRequest", json!({ "kind": "FEED_KIND_NONE" })).is_some());
}
