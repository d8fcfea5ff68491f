//! Tests of service.

use std::collections::BTreeSet;
use std::time::Duration;

use covey_api::v1;
use covey_config::Secret;
use covey_env::Monotonic;
use covey_shared::ids::{PostId, UserId};
use covey_shared::model::labels;
use covey_shared::score::Score;
use covey_shared::wire::{Candidate, Verdict, ViewerState};

use super::*;
use crate::feed::fake_shards::{FakeShards, verdict};
use crate::feed::testing::{MINUTE, VIEWER, ago, core, env, key};

pub(super) fn service(shards: FakeShards) -> (FeedService, Arc<FakeShards>) {
    let shards = Arc::new(shards);
    let sealer = Arc::new(Sealer::new(&Secret::new("a")));
    (
        FeedService::over(shards.clone(), sealer, Arc::new(Config::default()), env()),
        shards,
    )
}

pub(super) fn request() -> FeedRequest {
    FeedRequest {
        viewer: VIEWER,
        limit: 10,
        ..FeedRequest::default()
    }
}

pub(super) fn feed(service: &FeedService, request: FeedRequest) -> Result<GetFeedReply, FeedError> {
    let context = RequestContext {
        deadline: Monotonic(Duration::from_secs(102)),
        trace_id: String::new(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let reply = service.feed(request, &context).await;
        // Side effects are tasks of the same thread.
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        reply
    })
}

/// Popular posts by authors of their own, best first.
pub(super) fn popular(ids: std::ops::Range<u64>) -> Vec<Candidate> {
    let one = |id: u64| Candidate {
        source_score: Score::or_lowest(1.0 / id as f32),
        ..core(1000 + id, id)
    };
    ids.map(|id| Candidate {
        created_at: ago(id * MINUTE),
        ..one(id)
    })
    .collect()
}

fn answer(reply: &GetFeedReply) -> &v1::Answer {
    reply.answer.as_ref().expect("every reply has an answer block")
}

fn reasons(reply: &GetFeedReply) -> BTreeSet<(&str, &str)> {
    let degraded = &answer(reply).degraded;
    degraded
        .iter()
        .map(|entry| (entry.component.as_str(), entry.reason.as_str()))
        .collect()
}

pub(super) fn ids(reply: &GetFeedReply) -> Vec<u64> {
    reply.posts.iter().map(|post| post.post_id).collect()
}

#[test]
fn an_unknown_viewer_gets_a_full_feed_without_history() {
    let (service, _) = service(FakeShards {
        popular: popular(1..40),
        ..FakeShards::default()
    });
    let reply = feed(&service, request()).expect("a feed");
    assert_eq!(ids(&reply), (1..11).collect::<Vec<_>>());
    assert!(reply.no_history);
    assert_eq!(reply.posts[0].text, "text of 1");
    assert_eq!(reply.posts[0].screen_names[&1001], "user1001");
    assert_eq!(reply.posts[0].served_type, [v1::Channel::Popular as i32]);
    assert_eq!(reply.posts[0].visibility, v1::Visibility::Allow as i32);
    assert!(!reply.posts[0].in_network);
}

#[test]
fn the_answer_says_how_it_was_made() {
    let (service, _) = service(FakeShards {
        popular: popular(1..40),
        ..FakeShards::default()
    });
    let reply = feed(&service, request()).expect("a feed");
    let answer = answer(&reply);
    assert_eq!(
        (
            answer.coverage,
            answer.staleness_ms,
            answer.map_version,
            answer.model_version
        ),
        (1.0, 20, 4, 0)
    );
    assert_eq!(
        reasons(&reply),
        [("ModelScorer", "no ranking model: ordered by L1")].into()
    );
    assert!(answer.timings_ms.contains_key("source") && answer.timings_ms.contains_key("post_filter"));
    let sealer = Sealer::new(&Secret::new("a"));
    let token = sealer.open_token(&reply.session_token).expect("our own token");
    assert_eq!(token.min_index(covey_shared::ids::ShardId(1)).0, 9);
}

#[test]
fn a_viewer_with_follows_sees_in_network_posts_first_and_has_history() {
    let state = ViewerState {
        known: true,
        follows: vec![UserId(2)],
        ..ViewerState::default()
    };
    let in_network = vec![core(2, 500)];
    let shards = FakeShards {
        state,
        in_network,
        popular: popular(1..40),
        ..FakeShards::default()
    };
    let (service, shards) = service(shards);
    let reply = feed(&service, request()).expect("a feed");
    assert_eq!(reply.posts[0].post_id, 500);
    assert!(reply.posts[0].in_network && !reply.no_history);
    assert_eq!(shards.asked.lock().viewers, 1);
}

#[test]
fn a_page_may_be_larger_than_the_slate() {
    let (service, _) = service(FakeShards {
        popular: popular(1..120),
        ..FakeShards::default()
    });
    let reply = feed(
        &service,
        FeedRequest {
            limit: 100,
            ..request()
        },
    )
    .expect("a feed");
    assert_eq!(ids(&reply), (1..101).collect::<Vec<_>>());
}

#[test]
fn no_page_repeats_an_earlier_one_with_the_reserve_and_without_it() {
    for keeps_reserves in [true, false] {
        let (mut service, shards) = service(FakeShards {
            popular: popular(1..100),
            ..FakeShards::default()
        });
        if !keeps_reserves {
            service.reserves = Mutex::new(Reserves::new(0, Duration::ZERO));
        }
        let (mut seen, mut runs) = (BTreeSet::new(), BTreeSet::new());
        let mut cursor = String::new();
        for page in 0..6 {
            let next = FeedRequest {
                cursor,
                is_bottom_request: page > 0,
                ..request()
            };
            let reply = feed(&service, next).expect("a feed");
            runs.extend(reply.posts.iter().map(|post| post.prediction_request_id));
            assert_eq!(reply.posts.len(), 10, "page {page}");
            assert!(
                ids(&reply).iter().all(|id| seen.insert(*id)),
                "page {page} repeats a post"
            );
            cursor = reply.cursor;
        }
        let reads = shards.asked.lock().lists.len();
        // One read, for Popular, New and Active, per full run, which all that it scored is told to come from.
        assert_eq!((reads, runs.len()), if keeps_reserves { (1, 1) } else { (6, 6) });
    }
}

#[test]
fn the_same_cursor_again_gives_the_same_page() {
    let (service, _) = service(FakeShards {
        popular: popular(1..100),
        ..FakeShards::default()
    });
    let first = feed(&service, request()).expect("a feed");
    let next = FeedRequest {
        cursor: first.cursor,
        is_bottom_request: true,
        ..request()
    };
    let (one, two) = (
        feed(&service, next.clone()).expect("a feed"),
        feed(&service, next).expect("a feed"),
    );
    assert_eq!(ids(&one), ids(&two));
}

#[test]
fn a_session_ends_without_a_cursor() {
    let (service, _) = service(FakeShards {
        popular: popular(1..15),
        ..FakeShards::default()
    });
    let mut cursor = String::new();
    let mut pages = Vec::new();
    for _ in 0..3 {
        let reply = feed(
            &service,
            FeedRequest {
                cursor,
                is_bottom_request: true,
                ..request()
            },
        )
        .expect("a feed");
        pages.push(reply.posts.len());
        cursor = reply.cursor;
    }
    assert_eq!((pages, cursor.as_str()), (vec![10, 4, 0], ""));
}

#[test]
fn a_forged_cursor_is_refused() {
    let (service, _) = service(FakeShards::default());
    let forged = FeedRequest {
        cursor: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".to_owned(),
        ..request()
    };
    assert!(matches!(
        feed(&service, forged),
        Err(FeedError::Cursor(SealError::Forged))
    ));
}

#[test]
fn a_takedown_is_not_served_and_the_next_post_takes_its_place() {
    let mut shards = FakeShards {
        popular: popular(1..80),
        ..FakeShards::default()
    };
    for id in 1..=45 {
        let labels = labels::TAKEDOWN;
        let taken_down = Verdict {
            labels,
            ..verdict(key(1000 + id, id))
        };
        shards.verdicts.insert(taken_down.key, taken_down);
    }
    let (service, _) = service(shards);
    let reply = feed(&service, request()).expect("a feed");
    assert_eq!(ids(&reply), (46..56).collect::<Vec<_>>());
}

#[test]
fn channels_that_fail_are_named_and_the_others_serve() {
    let state = ViewerState {
        follows: vec![UserId(2)],
        ..ViewerState::default()
    };
    let shards = FakeShards {
        state,
        popular: popular(1..40),
        down: ["in_network"].into(),
        ..FakeShards::default()
    };
    let (service, _) = service(shards);
    let reply = feed(&service, request()).expect("a feed");
    assert_eq!(reply.posts.len(), 10);
    assert!(reasons(&reply).contains(&("InNetwork", "no_answer")));
    let answer = answer(&reply);
    assert!(answer.coverage < 1.0);
    assert_eq!(answer.missing_shards, [1]);
}

#[test]
fn without_the_viewers_lists_or_without_verdicts_there_is_no_feed() {
    for (read, component) in [("viewer", "Viewer"), ("verdicts", "Verdicts")] {
        let shards = FakeShards {
            popular: popular(1..40),
            down: [read].into(),
            ..FakeShards::default()
        };
        let (service, _) = service(shards);
        match feed(&service, request()) {
            Err(FeedError::Unavailable {
                component: found,
                retry_after_ms,
            }) => {
                assert_eq!((found.as_str(), retry_after_ms), (component, 500));
            }
            other => panic!("{read} is required, but there is {other:?}"),
        }
    }
}

#[test]
fn posts_without_a_verdict_are_left_out_and_damaged_rows_are_told() {
    let silent = (1..=5).map(|id| key(1000 + id, id)).collect();
    let (service, _) = service(FakeShards {
        popular: popular(1..40),
        silent,
        damaged: ["lists"].into(),
        ..FakeShards::default()
    });
    let reply = feed(&service, request()).expect("a feed");
    assert_eq!(ids(&reply), (6..16).collect::<Vec<_>>());
    assert!(reasons(&reply).contains(&("Verdicts", "partial")));
    assert!(reasons(&reply).contains(&("shard 5", "damaged rows skipped")));
    assert_eq!(answer(&reply).coverage, 1.0);
}

#[test]
fn what_was_served_is_recorded_and_a_dry_run_leaves_no_trace() {
    let (service, shards) = service(FakeShards {
        popular: popular(1..40),
        ..FakeShards::default()
    });
    feed(
        &service,
        FeedRequest {
            dry_run: true,
            ..request()
        },
    )
    .expect("a feed");
    assert!(shards.asked.lock().served.is_empty());
    feed(&service, request()).expect("a feed");
    let served = shards.asked.lock().served.clone();
    assert_eq!(served.len(), 1);
    assert_eq!((served[0].viewer, served[0].posts.len()), (VIEWER, 10));
    assert_eq!(served[0].posts[0], PostId(1));
}

#[test]
fn a_deadline_that_has_passed_is_an_error() {
    let (service, _) = service(FakeShards::default());
    let context = RequestContext {
        deadline: Monotonic(Duration::from_secs(99)),
        trace_id: String::new(),
    };
    let result = futures::executor::block_on(service.feed(request(), &context));
    assert!(matches!(result, Err(FeedError::DeadlineExceeded)));
}

#[test]
fn in_network_only_asks_no_other_channel() {
    let state = ViewerState {
        follows: vec![UserId(2)],
        ..ViewerState::default()
    };
    let shards = FakeShards {
        state,
        in_network: vec![core(2, 500)],
        popular: popular(1..40),
        ..Default::default()
    };
    let (service, shards) = service(shards);
    let reply = feed(
        &service,
        FeedRequest {
            in_network_only: true,
            ..request()
        },
    )
    .expect("a feed");
    assert_eq!(ids(&reply), [500]);
    assert!(shards.asked.lock().lists.is_empty());
}
