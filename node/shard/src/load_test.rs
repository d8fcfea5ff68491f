//! Parts cover the slots, and hold what the records say.

use super::*;
use crate::fixture::*;

#[test]
fn the_parts_cover_all_slots_once_in_order() {
    for (start, end) in [(0, 16_384), (5, 6), (5, 5), (100, 333), (16_000, 16_384)] {
        let parts = parts(SlotRange { start, end });
        let mut at = start;
        for part in &parts {
            assert!(part.start == at && part.end > at, "{part:?} follows {at}");
            at = part.end;
        }
        assert_eq!(at, end, "{start}..{end}");
    }
}

#[test]
fn a_body_belongs_to_its_own_state_and_one_without_is_passed_over() {
    let mut replica = Replica::new();
    for number in 1..=5 {
        replica.put(post(1, number, 1));
    }
    let db = replica.view().db.clone();
    for number in [2, 4] {
        let state = db.keys.of_post(Kind::PostState, key(1, number));
        db.commit(std::iter::once((state, None))).unwrap();
    }
    let body = db.keys.of_post(Kind::Post, key(1, 3));
    db.commit(std::iter::once((body, None))).unwrap();
    let slot = Slot::of(UserId(1)).0;
    let slots = SlotRange {
        start: slot,
        end: slot + 1,
    };
    let part = Part::read(&db, slots).unwrap();
    let posts: Vec<PostKey> = part.posts.iter().map(|post| post.key).collect();
    assert_eq!(posts, [key(1, 1), key(1, 5)]);
    assert_eq!(part.expiry.len(), 3);
}
