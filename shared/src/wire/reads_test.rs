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
