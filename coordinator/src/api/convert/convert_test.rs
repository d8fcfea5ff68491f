//! Every rule about what callers send.

use covey_api::v1;
use covey_config::Config;
use covey_shared::ids::{ActionId, PostId, PostKey, ShardId, UnixMillis, UserId, Version};
use covey_shared::model::{ActionKind, Language};
use covey_shared::slots::SlotRange;

use super::*;
use crate::cluster::ReadReport;
use crate::ingest::{VectorError, WriteFailure, Written};

const NOW: UnixMillis = UnixMillis(1_700_000_000_000);

fn limits() -> Limits {
    Limits::new(&Config::default())
}

fn valid() -> v1::Post {
    v1::Post {
        post_id: 7,
        author_id: 3,
        text: "a cat on the mat".into(),
        language: "EN".into(),
        ..v1::Post::default()
    }
}

fn fault(change: impl FnOnce(&mut v1::Post)) -> ItemFault {
    let mut message = valid();
    change(&mut message);
    post(message, NOW, &limits()).unwrap_err()
}

#[test]
fn post_gets_its_defaults() {
    let stored = post(valid(), NOW, &limits()).unwrap();
    assert_eq!(
        stored.key,
        PostKey {
            author: UserId(3),
            post: PostId(7)
        }
    );
    assert_eq!((stored.created_at, stored.version), (NOW, Version(NOW.0)));
    assert_eq!(stored.language, Language(*b"en"));
    assert_eq!(stored.vector.dim(), 128);
}

#[test]
fn post_survives_the_way_in_and_out() {
    let message = v1::Post {
        language: "en".into(),
        media: vec![v1::Media {
            kind: v1::MediaKind::Video as i32,
            url: "https://x/v".into(),
            duration_ms: 12_000,
        }],
        reply_to: Some(v1::PostKey {
            author_id: 1,
            post_id: 2,
        }),
        quote_of: Some(v1::PostKey {
            author_id: 4,
            post_id: 5,
        }),
        conversation_id: 2,
        labels: vec![v1::Label::Nsfw as i32, v1::Label::Graphic as i32],
        created_at_ms: 1_600_000_000_000,
        version: 9,
        subscribers_only: true,
        topics: vec![4, 9],
        ..valid()
    };
    let mut out = post_message(&post(message.clone(), NOW, &limits()).unwrap());
    out.vector.clear();
    assert_eq!(out, message);
}

#[test]
fn each_broken_rule_of_a_post_is_named() {
    let missing = |field| ItemFault::ZeroId { field };
    assert_eq!(fault(|p| p.post_id = 0), missing("post_id"));
    assert_eq!(fault(|p| p.author_id = 0), missing("author_id"));
    assert_eq!(fault(|p| p.text.clear()), ItemFault::Empty);
    assert!(matches!(
        fault(|p| p.text = "x".repeat(20_000)),
        ItemFault::TooLong {
            field: "text",
            found: 20_000,
            limit: 16_384
        }
    ));
    assert!(matches!(
        fault(|p| p.language = "english".into()),
        ItemFault::NotACode { .. }
    ));
    assert!(matches!(
        fault(|p| p.labels = vec![99]),
        ItemFault::UnknownValue { value: 99, .. }
    ));
    assert!(matches!(
        fault(|p| p.media = vec![v1::Media::default()]),
        ItemFault::UnknownValue {
            field: "media.kind",
            ..
        }
    ));
    let photo = v1::Media {
        kind: v1::MediaKind::Photo as i32,
        ..v1::Media::default()
    };
    assert!(matches!(
        fault(|p| p.media = vec![photo; 17]),
        ItemFault::TooMany { field: "media", .. }
    ));
    let itself = v1::PostKey {
        author_id: 3,
        post_id: 7,
    };
    assert_eq!(
        fault(|p| p.quote_of = Some(itself)),
        ItemFault::SelfReference { field: "quote_of" }
    );
    assert_eq!(
        fault(|p| p.reply_to = Some(v1::PostKey::default())),
        missing("reply_to")
    );
    assert_eq!(
        fault(|p| p.vector = vec![0.0; 128]),
        ItemFault::Vector(VectorError::Zero)
    );
    assert_eq!(
        fault(|p| p.vector = vec![1.0; 3]),
        ItemFault::Vector(VectorError::WrongDimension { found: 3, wanted: 128 })
    );
    assert_eq!(
        fault(|p| p.created_at_ms = NOW.0 + 3 * 86_400_000),
        ItemFault::Future { field: "created_at_ms" }
    );
}

#[test]
fn repost_may_be_empty_and_has_no_vector() {
    let message = v1::Post {
        text: String::new(),
        repost_of: Some(v1::PostKey {
            author_id: 0,
            post_id: 2,
        }),
        vector: vec![1.0; 128],
        ..valid()
    };
    let stored = post(message, NOW, &limits()).unwrap();
    assert_eq!(stored.vector.dim(), 0);
    assert_eq!(stored.repost_of.unwrap().key.author, UserId(0));
}

#[test]
fn user_edges_and_keywords_are_checked() {
    let edge = |kind: v1::EdgeKind, target_id| v1::EdgeUpdate {
        kind: kind as i32,
        target_id,
        remove: false,
    };
    let user = |edges, words: Option<Vec<String>>| v1::UserUpdate {
        user_id: 3,
        edges,
        muted_keywords: words.map(|words| v1::MutedKeywords { words }),
        ..v1::UserUpdate::default()
    };
    let check = |message| user_update(message, NOW, &limits());
    let good = check(user(vec![edge(v1::EdgeKind::Follow, 9)], Some(vec![]))).unwrap();
    assert!(good.edges[0].on);
    assert_eq!(
        good.muted_keywords,
        Some(vec![]),
        "an empty list is a list; a missing one is none"
    );
    assert_eq!(check(user(vec![], None)).unwrap().muted_keywords, None);
    assert_eq!(
        check(user(vec![edge(v1::EdgeKind::Mute, 3)], None)),
        Err(ItemFault::SelfEdge)
    );
    let topic = |number| check(user(vec![edge(v1::EdgeKind::FollowTopic, number)], None));
    assert_eq!(
        topic(3).unwrap().edges[0].kind,
        covey_shared::model::EdgeKind::Topic,
        "a number that is the user's own"
    );
    let beyond = u64::from(u32::MAX) + 1;
    assert_eq!(topic(beyond), Err(ItemFault::Topic(beyond)));
    assert!(matches!(topic(0), Err(ItemFault::ZeroId { .. })));
    assert!(matches!(
        check(user(vec![edge(v1::EdgeKind::Block, 0)], None)),
        Err(ItemFault::ZeroId { .. })
    ));
    assert!(matches!(
        check(user(vec![edge(v1::EdgeKind::Unspecified, 4)], None)),
        Err(ItemFault::UnknownValue { .. })
    ));
    assert!(matches!(
        check(user(vec![], Some(vec!["x".into(); 201]))),
        Err(ItemFault::TooMany { .. })
    ));
    assert!(matches!(
        check(user(vec![], Some(vec!["x".repeat(257)]))),
        Err(ItemFault::TooLong { .. })
    ));
}

#[test]
fn action_kinds_match_ours_one_by_one() {
    for kind in ActionKind::ALL {
        let dwell_ms = u32::from(kind == ActionKind::DwellTime);
        let message = v1::Action {
            viewer_id: 1,
            kind: kind.index() as i32 + 1,
            post_id: 2,
            author_id: 3,
            dwell_ms,
            ..v1::Action::default()
        };
        assert_eq!(action(&message, ActionId::default(), NOW).unwrap().kind, kind);
        let ours = serde_json::to_value(kind).unwrap();
        assert_eq!(counter_name(kind), ours.as_str().unwrap());
    }
}

#[test]
fn bad_actions_are_refused() {
    let good = v1::Action {
        viewer_id: 1,
        kind: v1::ActionKind::Favorite as i32,
        post_id: 2,
        author_id: 3,
        ..v1::Action::default()
    };
    let fault = |change: &dyn Fn(&mut v1::Action)| {
        let mut message = good;
        change(&mut message);
        action(&message, ActionId::default(), NOW).unwrap_err()
    };
    assert_eq!(fault(&|a| a.viewer_id = 0), ItemFault::ZeroId { field: "viewer_id" });
    assert!(matches!(fault(&|a| a.kind = 21), ItemFault::UnknownValue { .. }));
    assert!(matches!(fault(&|a| a.kind = -1), ItemFault::UnknownValue { .. }));
    assert_eq!(fault(&|a| a.dwell_ms = 5), ItemFault::Dwell);
    assert_eq!(fault(&|a| a.kind = v1::ActionKind::DwellTime as i32), ItemFault::Dwell);
    assert_eq!(fault(&|a| a.surface = 16), ItemFault::Surface(16));
}

#[test]
fn search_takes_exactly_one_query() {
    let check = |message| search(message, &limits());
    let empty = v1::SearchRequest::default();
    assert_eq!(check(empty.clone()).unwrap_err(), RequestFault::NotOneQuery);
    let text = v1::SearchRequest {
        text: "cats".into(),
        ..empty.clone()
    };
    assert!(matches!(check(text.clone()).unwrap().0, SearchFor::Vector(v) if v.len() == 128));
    let both = v1::SearchRequest {
        vector: vec![1.0; 128],
        ..text.clone()
    };
    assert_eq!(check(both).unwrap_err(), RequestFault::NotOneQuery);
    let absurd = v1::SearchRequest {
        k: u32::MAX,
        ..text.clone()
    };
    assert!(matches!(
        check(absurd).unwrap_err(),
        RequestFault::TooMany { field: "k", .. }
    ));
    for recall_target in [0.3, 1.5, f32::NAN, -1.0] {
        let bad = v1::SearchRequest {
            recall_target,
            ..text.clone()
        };
        assert!(matches!(check(bad).unwrap_err(), RequestFault::OutOfRange { .. }));
    }
    let filter = v1::SearchFilter {
        authors: vec![9, 3, 9],
        language: "de".into(),
        video: Some(false),
        ..v1::SearchFilter::default()
    };
    let (_, ask) = check(v1::SearchRequest {
        filter: Some(filter),
        ..text
    })
    .unwrap();
    assert_eq!(ask.k, 10);
    assert_eq!(ask.filter.authors, [UserId(3), UserId(9)]);
    assert_eq!(
        (ask.filter.language, ask.filter.video),
        (Some(Language(*b"de")), Some(false))
    );
}

#[test]
fn results_keep_the_order_of_the_items() {
    let refused = [
        None,
        Some(ItemFault::Empty),
        None,
        None,
        Some(ItemFault::SelfEdge),
        None,
    ];
    let outcomes = vec![
        Ok(Written::Ok),
        Ok(Written::Superseded),
        Err(WriteFailure::Unavailable { retry_after_ms: 70 }),
        Err(WriteFailure::Uncertain),
    ];
    let reply = item_results(&refused, outcomes);
    let statuses: Vec<v1::ItemStatus> = reply.results.iter().map(|r| r.status()).collect();
    assert_eq!(statuses, {
        use v1::ItemStatus::*;
        [Ok, Invalid, Superseded, Unavailable, Invalid, Uncertain]
    });
    assert_eq!((reply.succeeded, reply.failed, reply.retry_after_ms), (2, 4, 70));
    assert!(reply.results.iter().enumerate().all(|(i, r)| r.index == i as u32));
    assert!(
        reply
            .results
            .iter()
            .all(|r| r.message.is_empty() == matches!(r.status(), v1::ItemStatus::Ok | v1::ItemStatus::Superseded))
    );
}

#[test]
fn answer_tells_what_is_missing() {
    let mut report = ReadReport::default();
    report.asked.insert(SlotRange::ALL);
    report.holes.insert(SlotRange::tile(0, 4));
    report.missing_shards.insert(ShardId(1));
    report.partial = true;
    report.damaged_shards.insert(ShardId(7));
    report.staleness_ms = 40;
    let answer = answer(&report, 3, "abc");
    assert_eq!(
        (answer.coverage, answer.staleness_ms, answer.map_version),
        (0.75, 40, 3)
    );
    assert_eq!(answer.missing_shards, [1]);
    let degraded: Vec<_> = answer.degraded.iter().map(|d| (&*d.component, &*d.reason)).collect();
    assert_eq!(
        degraded,
        [
            ("shards", "a shard ran out of time and returned what it had"),
            ("shard 7", "damaged rows skipped")
        ]
    );
    assert_eq!(answer.trace_id, "abc");
}
