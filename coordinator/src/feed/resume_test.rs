//! Pages from the reserve: which request gets one, and what becomes of one of which less may be shown than is wanted.

use covey_shared::model::Language;
use covey_shared::model::labels::TAKEDOWN;
use covey_shared::wire::Verdict;

use super::tests::{feed, ids, popular, request, service};
use super::*;
use crate::feed::fake_shards::{FakeShards, verdict};

#[test]
fn a_short_page_of_the_reserve_is_made_anew_and_only_what_is_shown_is_recorded() {
    let (before, _) = service(FakeShards {
        popular: popular(1..60),
        ..FakeShards::default()
    });
    let first = feed(&before, request()).expect("a feed");
    assert_eq!(ids(&first), (1..11).collect::<Vec<_>>());
    // All but three of the reserve are taken down, and there are other posts.
    let taken_down = popular(14..60).into_iter().map(|post| {
        let verdict = Verdict {
            labels: TAKEDOWN,
            ..verdict(post.key)
        };
        (post.key, verdict)
    });
    let (mut after, shards) = service(FakeShards {
        popular: popular(1..100),
        verdicts: taken_down.collect(),
        ..FakeShards::default()
    });
    after.reserves = before.reserves;
    let next = FeedRequest {
        cursor: first.cursor,
        is_bottom_request: true,
        ..request()
    };
    let second = feed(&after, next).expect("a feed");
    let wanted: Vec<u64> = (11..14).chain(60..67).collect();
    assert_eq!(ids(&second), wanted);
    let asked = shards.asked.lock();
    let recorded: Vec<Vec<u64>> = asked
        .served
        .iter()
        .map(|served| served.posts.iter().map(|post| post.0).collect())
        .collect();
    assert_eq!(recorded, [wanted]);
}

#[test]
fn only_the_same_question_gets_a_page_of_the_reserve() {
    let (service, _) = service(FakeShards {
        popular: popular(1..60),
        ..FakeShards::default()
    });
    let first = feed(&service, request()).expect("a feed");
    let next = || FeedRequest {
        cursor: first.cursor.clone(),
        is_bottom_request: true,
        ..request()
    };
    let resumed = |request: FeedRequest| {
        let reply = feed(&service, request).expect("a page");
        let answer = reply.answer.expect("every reply has one");
        !answer.timings_ms.contains_key("source")
    };
    let others = [
        FeedRequest {
            language: Language(*b"de"),
            ..next()
        },
        FeedRequest {
            country: *b"BR",
            ..next()
        },
        FeedRequest {
            video_only: true,
            ..next()
        },
        FeedRequest {
            in_network_only: true,
            ..next()
        },
        FeedRequest {
            is_bottom_request: false,
            ..next()
        },
    ];
    for other in others {
        assert!(!resumed(other.clone()), "{other:?}");
    }
    assert!(resumed(next()), "it is still there");
}
