//! Ownership of slots under overlap, against the definition.

use proptest::prelude::*;

use super::*;

fn claim(start: u16, end: u16, range_ver: u64, applied: u64) -> Claim {
    Claim {
        slots: SlotRange { start, end },
        range_ver,
        applied: LogIndex(applied),
    }
}

#[test]
fn child_wins_over_its_lagging_parent() {
    let owners = Owners::new(vec![claim(0, 100, 1, 90), claim(50, 100, 2, 6)]);
    assert!(owners.owns(0, Slot(49)) && !owners.owns(1, Slot(49)));
    assert!(owners.owns(1, Slot(50)) && !owners.owns(0, Slot(50)));
    assert!(!owners.owns(0, Slot(100)) && !owners.owns(1, Slot(100)));
    assert_eq!(owners.covered().count(), 100);
}

#[test]
fn claims_from_the_wire_are_clamped() {
    let owners = Owners::new(vec![claim(16_000, u16::MAX, 1, 1), claim(200, 100, 9, 9)]);
    assert_eq!(owners.covered().count(), SLOTS - 16_000);
    assert!(!owners.owns(0, Slot(u16::MAX)) && !owners.owns(1, Slot(150)));
}

proptest! {
    #[test]
    fn every_claimed_slot_has_exactly_the_owner_of_the_definition(
        ranges in proptest::collection::vec((0u16..SLOTS, 1u16..5000, 1u64..4, 1u64..4), 0..7),
        probes in proptest::collection::vec(0u16..SLOTS, 50),
    ) {
        let claims: Vec<Claim> = ranges
            .iter()
            .map(|&(start, len, ver, applied)| claim(start, start.saturating_add(len).min(SLOTS), ver, applied))
            .collect();
        let owners = Owners::new(claims.clone());
        for slot in probes.into_iter().map(Slot) {
            let best = claims.iter().filter(|c| c.slots.contains(slot)).map(|c| (c.range_ver, c.applied)).max();
            let first = claims
                .iter()
                .position(|c| c.slots.contains(slot) && Some((c.range_ver, c.applied)) == best);
            let owning: Vec<usize> = (0..claims.len()).filter(|i| owners.owns(*i, slot)).collect();
            prop_assert_eq!(owning, first.into_iter().collect::<Vec<_>>());
            prop_assert_eq!(owners.covered().contains(slot), best.is_some());
        }
    }
}
