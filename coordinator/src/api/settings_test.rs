//! Settings through the API.

use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::api::testing::api;
use crate::cluster::testing::World;

async fn change(api: &Api, json: &str) -> Result<v1::ChangeSettingsReply, ApiError> {
    let context = RequestContext {
        deadline: api.deps.cluster.now().plus(Duration::from_secs(5)),
        trace_id: "t".to_owned(),
    };
    let request = serde_json::from_str(json).expect("a message");
    api.change_settings(request, context).await
}

fn told(reply: &v1::ChangeSettingsReply) -> Vec<String> {
    let changes = reply.changes.iter();
    changes
        .map(|change| format!("{} {} to {}", change.key, change.before, change.after))
        .collect()
}

fn set_by_somebody(world: &World, key: &str, value: &str) {
    let change = MetadataChange::Set {
        on: world.settings().version,
        changes: [(key.to_owned(), Some(value.to_owned()))].into(),
        by: "bob".to_owned(),
    };
    *world.meanwhile.lock() = Some(change);
}

fn start() -> (Arc<Api>, Arc<World>) {
    api(10)
}

#[actix::test]
async fn what_is_set_is_kept_served_and_told_with_its_version() {
    let (api, world) = start();
    let served = || api.deps.feed.service().in_service().serving.settings.version.0;
    let reply = change(&api, r#"{"set": {"feed.oon_factor": "0.5"}, "by": "ann"}"#)
        .await
        .expect("it is sound");
    assert_eq!(
        (reply.version, told(&reply)),
        (1, vec!["feed.oon_factor 0.75 to 0.5".to_owned()])
    );
    assert_eq!(served(), 1);
    assert_eq!(world.settings().values["feed.oon_factor"], "0.5");
    let again = change(&api, r#"{"set": {"feed.oon_factor": "0.5"}}"#)
        .await
        .expect("it is so already");
    assert_eq!(
        (again.version, told(&again).len(), world.changes.lock().len()),
        (1, 0, 1)
    );
    let back = change(&api, r#"{"unset": ["feed.oon_factor"]}"#)
        .await
        .expect("it was set");
    assert_eq!(
        (back.version, told(&back)),
        (2, vec!["feed.oon_factor 0.5 to 0.75".to_owned()])
    );
}

#[actix::test]
async fn a_dry_run_and_what_is_wrong_change_nothing() {
    let (api, world) = start();
    let reply = change(&api, r#"{"set": {"feed.oon_factor": "0.5"}, "dry_run": true}"#)
        .await
        .expect("it is sound");
    assert_eq!((reply.version, told(&reply).len()), (0, 1));
    for (json, expected) in [
        (
            r#"{"set": {"feed.oon_factor": "11", "feed.top_k": "60"}}"#,
            "out of range: 0.0 to 10.0",
        ),
        (r#"{"set": {"raft.tick": "1s"}}"#, "is read when a process starts"),
        (r#"{"set": {"feed.oon_facto": "1"}}"#, "the nearest is feed.oon_factor"),
        (
            r#"{"set": {"feed.top_k": "2000"}}"#,
            "is larger than feed.l2_candidates",
        ),
        (r#"{"set": {"feed.top_k": "60\u0007"}}"#, "cannot be printed"),
        (r#"{"set": {"feed.top_k": "60"}, "on_version": 9}"#, "version 0 now"),
        (r#"{"unset": ["feed.top_k"]}"#, "feed.top_k is not set"),
    ] {
        let error = change(&api, json).await.expect_err("it is wrong");
        assert!(
            error.text().contains(expected) && error.outside().http == 400,
            "{json}: {}",
            error.text()
        );
    }
    assert!(world.changes.lock().is_empty());
}

#[actix::test]
async fn what_others_set_meanwhile_is_looked_at_and_kept() {
    let (api, world) = start();
    set_by_somebody(&world, "feed.top_k", "70");
    let reply = change(&api, r#"{"set": {"feed.oon_factor": "0.5"}}"#)
        .await
        .expect("both go together");
    assert_eq!((reply.version, world.settings().values.len()), (2, 2));
    set_by_somebody(&world, "feed.l2_candidates", "80");
    let error = change(&api, r#"{"set": {"feed.top_k": "90"}}"#)
        .await
        .expect_err("it does not go with that");
    assert!(
        error.text().contains("larger than feed.l2_candidates"),
        "{}",
        error.text()
    );
    set_by_somebody(&world, "feed.top_k", "75");
    let error = change(&api, r#"{"set": {"feed.oon_factor": "1"}, "on_version": 3}"#).await;
    assert!(
        matches!(error, Err(ApiError::Operation(OperationFault::SettingsChanged(_)))),
        "{error:?}"
    );
    assert_eq!(world.settings().values["feed.oon_factor"], "0.5");
}

#[actix::test]
async fn a_change_whose_reply_was_lost_is_told_as_it_was_made() {
    for json in [
        r#"{"set": {"feed.oon_factor": "0.5"}}"#,
        r#"{"set": {"feed.oon_factor": "0.5"}, "on_version": 0}"#,
    ] {
        let (api, world) = start();
        *world.lost_changes.lock() = 1;
        let reply = change(&api, json).await.expect("it was carried out");
        assert_eq!(
            (reply.version, told(&reply)),
            (1, vec!["feed.oon_factor 0.75 to 0.5".to_owned()])
        );
        assert_eq!(api.deps.feed.service().in_service().serving.settings.version.0, 1);
        assert_eq!(world.changes.lock().len(), 1);
    }
}

#[actix::test]
async fn a_coordinator_that_starts_with_settings_that_do_not_fit_is_not_ready() {
    let (api, _) = start();
    let learn = |version, key: &str| {
        let values = [(key.to_owned(), "0.5".to_owned())].into();
        let version = covey_shared::ids::LogIndex(version);
        api.deps.feed.service().learn(&Arc::new(Settings { version, values }));
    };
    let fits = |api: &Api| api.not_ready().is_none_or(|why| !why.contains("does not fit"));
    assert!(fits(&api));
    learn(7, "feed.of_a_newer_release");
    assert!(!fits(&api), "it would serve by the file alone");
    learn(8, "feed.oon_factor");
    assert!(fits(&api));
    learn(9, "feed.of_a_newer_release");
    assert!(fits(&api), "it goes on with what it has");
}

#[actix::test]
async fn without_a_leader_of_the_metadata_nothing_is_set_and_what_is_served_is_shown() {
    let (api, world) = start();
    (1..=3).for_each(|node| world.set(node, crate::cluster::testing::Mood::Down));
    let error = change(&api, r#"{"set": {"feed.oon_factor": "0.5"}, "deadline_ms": 300}"#).await;
    assert!(matches!(error, Err(ApiError::Metadata(_))), "{error:?}");
    let context = RequestContext {
        deadline: api.deps.cluster.now(),
        trace_id: String::new(),
    };
    let shown = api
        .get_settings(v1::GetSettingsRequest {}, context)
        .await
        .expect("it needs nobody");
    assert_eq!((shown.version, shown.problem.as_str()), (0, ""));
    assert!(shown.settings.len() > 50);
}
