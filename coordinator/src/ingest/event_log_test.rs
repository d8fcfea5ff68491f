//! Accepted actions reach the files of the log.

use std::collections::BTreeSet;
use std::time::Duration;

use covey_config::Config;
use covey_env::Env;
use covey_eventlog::{Kind, Settings, look, partitions};
use covey_shared::ids::{ActionId, NodeId, PostId, PostKey, UserId};
use covey_shared::model::{ActionKind, Post};

use super::*;
use crate::cluster::Threads;
use crate::cluster::testing::cluster;
use crate::ingest::Ingest;

fn action(viewer: UserId, item: u32) -> WriteItem {
    let key = |author, post| PostKey {
        author: UserId(author),
        post: PostId(post),
    };
    WriteItem::Action(Action {
        viewer,
        id: ActionId {
            client: 3,
            sequence: 4,
            item,
        },
        kind: ActionKind::DwellTime,
        post: key(8, 9),
        at: UnixMillis(1000),
        dwell_ms: 700,
        surface: 1,
        prediction_request_id: 77,
    })
}

#[actix::test]
async fn accepted_actions_are_in_the_log_and_others_are_not() {
    let dir = tempfile::tempdir().unwrap();
    let env = Env::production(1).unwrap();
    let settings = Settings {
        dir: dir.path().to_owned(),
        budget: u64::MAX,
        min_free: 0.0,
        rotate: Duration::from_secs(3600),
        queue: 100,
    };
    let (log, thread) = EventLog::start(&env, settings).unwrap();
    let (cluster, world) = cluster();
    let ingest = Ingest::start(cluster.clone(), &Config::default(), &Threads::Here);
    let ingest = ingest.logging_to(log, env.clock.clone());
    let (first, second) = (UserId(5), UserId(6));
    // The leader of this shard is said to be a node that does not exist.
    let lost = (7..).map(UserId).find(|user| {
        let shard = cluster.shard_of(*user);
        shard != cluster.shard_of(first) && shard != cluster.shard_of(second)
    });
    let lost = lost.unwrap();
    world.leaders.lock().insert(cluster.shard_of(lost), NodeId(99));
    let deadline = cluster.now().plus(Duration::from_secs(3));
    let items = vec![
        WriteItem::PutPost(Post::default()),
        action(first, 0),
        action(lost, 1),
        action(second, 2),
    ];
    let submitted = ingest.submit(items, deadline).await;
    let accepted: Vec<bool> = submitted.outcomes.iter().map(Result::is_ok).collect();
    assert_eq!(accepted[1..], [true, false, true]);
    thread.stop(Duration::from_secs(60)).await.unwrap();
    let totals = ingest.logged();
    assert_eq!((totals.written_rows, totals.lost_rows()), (2, 0));
    let mut items = BTreeSet::new();
    for hour in partitions(&*env.disk, dir.path(), Kind::Actions).unwrap() {
        for row in look(&*env.disk, dir.path(), Kind::Actions, hour, 100).unwrap() {
            let row = serde_json::to_value(&row).unwrap();
            assert_eq!(row["kind"], "dwell_time");
            assert_eq!(
                (&row["dwell_ms"], &row["prediction_request_id"]),
                (&700.into(), &77.into())
            );
            assert!(row["recorded_at"].as_u64() > row["acted_at"].as_u64());
            items.insert((row["viewer"].as_u64(), row["item"].as_u64()));
        }
    }
    assert_eq!(items, BTreeSet::from([(Some(5), Some(0)), (Some(6), Some(2))]));
}
