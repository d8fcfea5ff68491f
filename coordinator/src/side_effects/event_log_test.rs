//! What the reply shows is what the log says.

use std::time::Duration;

use covey_api::v1::GetFeedReply;
use covey_config::{Config, RuleAction, Secret};
use covey_env::Monotonic;
use covey_eventlog::ServedRow;
use covey_shared::ids::LogIndex;
use covey_shared::score::Score;
use covey_shared::settings::Settings;
use covey_shared::wire::{Candidate, ViewerState};

use super::*;
use crate::feed::fake_shards::FakeShards;
use crate::feed::testing::{MINUTE, NOW, VIEWER, ago, core, env, key};
use crate::feed::{FeedRequest, FeedService};
use crate::request::RequestContext;
use crate::rules::testing::{id, inject, pin, rule};
use crate::seal::Sealer;

fn service(shards: FakeShards, config: Config) -> (FeedService, Arc<FakeShards>) {
    let shards = Arc::new(shards);
    let sealer = Arc::new(Sealer::new(&Secret::new("a")));
    (
        FeedService::over(shards.clone(), sealer, Arc::new(config), env()),
        shards,
    )
}

/// One reply, and what was logged of it.
fn feed(service: &FeedService, shards: &FakeShards, request: FeedRequest) -> (GetFeedReply, Vec<ServedRow>) {
    let context = RequestContext {
        deadline: Monotonic(Duration::from_secs(102)),
        trace_id: String::new(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let reply = runtime.expect("a runtime").block_on(async {
        let reply = service.feed(request, &context).await;
        // Side effects are tasks of the same thread.
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        reply
    });
    let logged = std::mem::take(&mut shards.asked.lock().logged);
    (reply.expect("the shards answer"), logged)
}

fn request() -> FeedRequest {
    FeedRequest {
        viewer: VIEWER,
        limit: 10,
        ..FeedRequest::default()
    }
}

/// Popular posts by authors of their own, and one of a followed author.
fn world() -> FakeShards {
    let one = |id: u64| Candidate {
        source_score: Score::or_lowest(1.0 / id as f32),
        created_at: ago(id * MINUTE),
        ..core(1000 + id, id)
    };
    FakeShards {
        state: ViewerState {
            follows: vec![UserId(1001)],
            ..ViewerState::default()
        },
        in_network: vec![one(1)],
        popular: (1..31).map(one).collect(),
        ..FakeShards::default()
    }
}

#[test]
fn each_post_of_a_reply_is_a_row_with_what_ranked_it() {
    let (service, shards) = service(world(), Config::default());
    service.learn(&Arc::new(Settings {
        version: LogIndex(7),
        ..Settings::default()
    }));
    let (reply, rows) = feed(&service, &shards, request());
    assert_eq!(rows.len(), 10);
    for ((post, row), slot) in reply.posts.iter().zip(&rows).zip(1..) {
        assert_eq!(
            (row.post.0, row.author.0, row.slot),
            (post.post_id, post.author_id, slot)
        );
        assert_eq!(
            (row.viewer, row.asked_at, row.created_at.0),
            (VIEWER, NOW, post.created_at_ms)
        );
        assert_eq!(row.prediction_request_id, post.prediction_request_id);
        assert_eq!((row.request, row.scored_at), (post.prediction_request_id, Some(NOW)));
        assert_eq!(row.config_version, 7);
        assert_eq!(row.score, Some(post.score));
        assert_eq!(
            (row.in_network, row.model, row.propensity),
            (Some(post.in_network), None, 1.0)
        );
        assert!(row.l1_score.is_some() && row.weighted_score.is_some() && row.diversified_score.is_some());
    }
    let channels = |row: &ServedRow| {
        row.channels
            .iter()
            .map(|hit| (hit.name.clone(), hit.rank))
            .collect::<Vec<_>>()
    };
    let followed = rows
        .iter()
        .find(|row| row.post == PostId(1))
        .expect("it is the best one");
    assert_eq!(
        channels(followed),
        [("InNetwork".to_owned(), 1), ("Popular".to_owned(), 1)]
    );
    assert!(
        rows.iter()
            .any(|row| channels(row) == [("Popular".to_owned(), row.post.0 as u32)])
    );
}

#[test]
fn a_post_that_a_pin_or_an_inject_put_there_says_so_and_others_do_not() {
    let mut config = Config::default();
    let halved = rule("halved", RuleAction::Demote { factor: 0.5 }, id(5));
    config.feed.rules.0 = vec![pin("pinned", 2, id(7)), inject("injected", 4, id(9)), halved];
    let (service, shards) = service(world(), config);
    let (_, rows) = feed(&service, &shards, request());
    let placed = rows.iter().filter(|row| row.rule_placed);
    assert_eq!(
        placed.map(|row| (row.slot, row.post)).collect::<Vec<_>>(),
        [(2, PostId(7)), (4, PostId(9))]
    );
    assert_eq!(rows.len(), 10);
}

#[test]
fn a_page_from_the_reserve_names_the_request_that_scored_it() {
    let (service, shards) = service(world(), Config::default());
    let (first, of_first) = feed(&service, &shards, request());
    let next = FeedRequest {
        cursor: first.cursor,
        is_bottom_request: true,
        ..request()
    };
    let (second, of_second) = feed(&service, &shards, next);
    assert_eq!(of_second.len(), second.posts.len());
    for row in &of_second {
        assert_eq!(row.prediction_request_id, of_first[0].request);
        assert_ne!(row.request, of_first[0].request);
    }
}

#[test]
fn a_repost_names_what_it_repeats() {
    let original = key(50, 500);
    let mut shards = world();
    let repost = Candidate {
        repost_of: original,
        ..core(60, 99)
    };
    shards.state.follows = vec![UserId(60), UserId(1001)];
    shards.in_network.push(repost);
    shards.posts.insert(original, core(50, 500));
    let (service, shards) = service(shards, Config::default());
    let (_, rows) = feed(&service, &shards, request());
    let row = rows
        .iter()
        .find(|row| row.post == PostId(99))
        .expect("the repost is shown");
    assert_eq!(
        (row.repeated_post, row.repeated_author),
        (Some(PostId(500)), Some(UserId(50)))
    );
    assert!(
        rows.iter()
            .filter(|row| row.post != PostId(99))
            .all(|row| row.repeated_post.is_none())
    );
}

#[test]
fn dry_runs_leave_no_rows_and_neither_does_a_log_that_is_off() {
    let (on, shards) = service(world(), Config::default());
    let dry = FeedRequest {
        dry_run: true,
        ..request()
    };
    assert_eq!(feed(&on, &shards, dry).1, []);
    let mut config = Config::default();
    config.event_log.enabled = false;
    let (off, shards) = service(world(), config);
    assert_eq!(feed(&off, &shards, request()).1, []);
}
