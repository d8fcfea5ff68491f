//! Slots: the function is frozen and ranges tile.

use super::*;

#[test]
fn slot_function_is_frozen() {
    assert_eq!(Slot::of(UserId(1)), Slot((xxh3_64(&1u64.to_le_bytes()) >> 50) as u16));
    let golden: Vec<u16> = [1, 2, 3, 1_000_000, u64::MAX]
        .iter()
        .map(|u| Slot::of(UserId(*u)).0)
        .collect();
    assert_eq!(golden, GOLDEN, "the slot of a user may never change: data lies there");
}

const GOLDEN: [u16; 5] = [3055, 2081, 4964, 2825, 5188];

#[test]
fn tiles_cover_every_slot_exactly_once() {
    for n in [1, 2, 3, 7, 8, 64, 1024] {
        let mut all = SlotSet::default();
        let mut total = 0u32;
        for i in 0..n {
            let range = SlotRange::tile(i, n);
            total += u32::from(range.count());
            all.insert(range);
        }
        assert_eq!(total, u32::from(SLOTS));
        assert_eq!(all.coverage(), 1.0);
    }
}

#[test]
fn coverage_counts_a_slot_once() {
    let mut set = SlotSet::default();
    set.insert(SlotRange { start: 0, end: 8192 });
    set.insert(SlotRange { start: 4096, end: 8192 });
    assert_eq!(set.coverage(), 0.5);
    assert!(set.contains(Slot(8191)) && !set.contains(Slot(8192)));
}

#[test]
fn union_and_difference_of_slot_sets() {
    let of = |start, end| {
        let mut set = SlotSet::default();
        set.insert(SlotRange { start, end });
        set
    };
    let mut set = of(0, 100);
    set.union(&of(50, 200));
    assert_eq!(set, of(0, 200));
    set.subtract(&of(100, 300));
    assert_eq!(set, of(0, 100));
}
