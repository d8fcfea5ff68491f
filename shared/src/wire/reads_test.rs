//! Tests of what reads return.

use super::*;

#[test]
fn engagement_sums_what_the_first_score_looks_at() {
    let mut counters = Counters::default();
    for kind in ActionKind::ALL {
        counters.by_kind[kind.index()] = 1 << kind.index();
    }
    let bits = |kinds: &[ActionKind]| kinds.iter().map(|kind| 1 << kind.index()).sum::<u32>();
    use ActionKind::*;
    let wanted = Engagement {
        engaged: bits(&[
            Favorite,
            Reply,
            Repost,
            Quote,
            Share,
            ShareViaDm,
            ShareViaCopyLink,
            FollowAuthor,
        ]),
        unwanted: bits(&[NotInterested, BlockAuthor, MuteAuthor, Report]),
        views: bits(&[Impression]),
    };
    assert_eq!(Engagement::of(&counters), wanted);
    counters.by_kind = [u32::MAX; 20];
    assert_eq!(Engagement::of(&counters).engaged, u32::MAX);
}

#[test]
fn places_go_back_in_time_and_through_the_ids_of_a_moment() {
    let place = |at: u64, post: u64| Place {
        created_at: UnixMillis(at),
        post: PostId(post),
    };
    let order = [
        place(7, 1),
        place(7, 2),
        place(7, u64::MAX),
        place(6, 0),
        place(6, 5),
        place(0, u64::MAX),
    ];
    assert!(order.is_sorted() && !order.iter().rev().is_sorted());
    assert_eq!(place(7, 1).next(), place(7, 2));
    assert_eq!(place(7, u64::MAX).next(), place(6, 0), "nothing lies between");
    assert_eq!(place(0, u64::MAX).next(), place(0, u64::MAX));
}
