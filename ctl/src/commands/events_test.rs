//! Rows of the event log on a screen and as JSON.

use std::path::Path;
use std::time::Duration;

use covey_eventlog::{ActionRow, Batch, ChannelHit, EventLog, ServedRow, Settings};
use covey_shared::ids::{PostId, UnixMillis, UserId};
use covey_shared::model::ActionKind;

use super::*;

/// A log with one row of each kind.
async fn log(env: &Env, dir: &Path) {
    let settings = Settings {
        dir: dir.to_owned(),
        budget: u64::MAX,
        min_free: 0.0,
        rotate: Duration::from_secs(3600),
        queue: 10,
    };
    let (log, thread) = EventLog::start(env, settings).unwrap();
    let hit = |name: &str| ChannelHit {
        name: name.to_owned(),
        rank: 1,
        score: 0.5,
    };
    log.record(Batch::Served(vec![ServedRow {
        asked_at: UnixMillis(1_795_449_600_000),
        viewer: UserId(5),
        slot: 1,
        post: PostId(8),
        author: UserId(9),
        channels: vec![hit("InNetwork"), hit("Popular")],
        score: Some(1.25),
        prediction_request_id: 77,
        ..ServedRow::default()
    }]));
    log.record(Batch::Actions(vec![ActionRow {
        acted_at: UnixMillis(1_795_449_600_000),
        recorded_at: UnixMillis(1_795_449_600_100),
        viewer: UserId(5),
        kind: ActionKind::Favorite,
        post: PostId(8),
        author: UserId(9),
        dwell_ms: 0,
        surface: 1,
        prediction_request_id: 77,
        client: 1,
        sequence: 1,
        item: 0,
    }]));
    thread.stop(Duration::from_secs(60)).await.unwrap();
}

#[tokio::test]
async fn rows_are_shown_as_a_table_and_as_json() {
    let dir = tempfile::tempdir().unwrap();
    let env = Env::production(1).unwrap();
    log(&env, dir.path()).await;
    let rows = |kind| {
        let hour = *partitions(&*env.disk, dir.path(), kind).unwrap().last().unwrap();
        look(&*env.disk, dir.path(), kind, hour, 10).unwrap()
    };
    let served = human(Kind::Served, &rows(Kind::Served), Style::plain());
    let words: Vec<&str> = served.lines().last().unwrap().split_whitespace().collect();
    assert_eq!(
        words,
        [
            "2026-11-23T16:00:00.000Z",
            "5",
            "1",
            "8",
            "9",
            "InNetwork",
            "Popular",
            "1.2500",
            "77"
        ],
        "{served}"
    );
    assert!(human(Kind::Actions, &rows(Kind::Actions), Style::plain()).contains("favorite"));
    let json = json(&rows(Kind::Served)).unwrap();
    assert!(
        json.starts_with("{\"asked_at\":1795449600000,") && json.ends_with("}\n"),
        "{json}"
    );
}
