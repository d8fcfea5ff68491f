//! How far along a reader is.

use super::*;

#[test]
fn the_share_is_that_of_the_slots_behind() {
    let slots = SlotRange { start: 100, end: 300 };
    for (slot, expected) in [(100, 0.005), (150, 0.25), (299, 0.995), (400, 1.0)] {
        assert!((share(slots, Slot(slot)) - expected).abs() < 1e-9, "slot {slot}");
    }
    assert!(share(SlotRange { start: 5, end: 5 }, Slot(5)) > 0.0);
}
