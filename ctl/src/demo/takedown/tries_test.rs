//! Every kind has its turn, and is shown by somebody whom the viewers follow.

use std::collections::BTreeSet;

use super::*;

#[test]
fn every_kind_has_its_turn() {
    let kinds: BTreeSet<Kind> = (0..10).map(Kind::of_try).collect();
    assert_eq!(kinds, Kind::ALL.into_iter().collect());
    let names: BTreeSet<&str> = Kind::ALL.into_iter().map(Kind::name).collect();
    assert_eq!(names.len(), Kind::ALL.len());
}

#[test]
fn viewers_get_every_try_by_a_followed_user() {
    let pair = Pair {
        followed: 11,
        stranger: 22,
    };
    for number in 0..10 {
        let plan = Plan::new(number, 100 + 2 * number, pair, "text");
        let shown = plan.by.as_ref().unwrap_or(&plan.target);
        assert_eq!(shown.author_id, 11, "{plan:?}");
        assert_eq!(plan.ids().len(), 1 + usize::from(plan.by.is_some()));
        let Some(by) = &plan.by else {
            assert!(matches!(plan.kind, Kind::Takedown | Kind::Delete));
            continue;
        };
        assert_eq!((plan.target.author_id, plan.target.post_id + 1), (22, by.post_id));
        let refers = [by.repost_of, by.quote_of, by.reply_to].into_iter().flatten();
        let refers: Vec<(u64, u64)> = refers.map(|key| (key.author_id, key.post_id)).collect();
        assert_eq!(refers, [(22, plan.target.post_id)]);
        assert_eq!(by.text.is_empty(), by.repost_of.is_some());
    }
}
