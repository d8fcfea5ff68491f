//! Pages from the reserve of which less may be shown than is wanted.

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
