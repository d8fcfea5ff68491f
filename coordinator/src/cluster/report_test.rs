//! Coverage is honest.

use covey_shared::slots::SlotRange;

use super::*;

fn report(asked: (u16, u16), holes: (u16, u16)) -> ReadReport {
    let mut report = ReadReport::default();
    let range = |(start, end)| SlotRange { start, end };
    report.asked.insert(range(asked));
    report.holes.insert(range(holes));
    report
}

#[test]
fn coverage_is_the_share_of_asked_slots_that_answered() {
    assert_eq!(report((0, 100), (0, 25)).coverage(), 0.75);
    assert_eq!(report((0, 100), (0, 0)).coverage(), 1.0);
    assert_eq!(ReadReport::default().coverage(), 1.0, "nothing asked, nothing missing");
}

#[test]
fn a_hole_in_one_read_of_a_request_stays_a_hole() {
    let mut whole = report((0, 200), (0, 0));
    whole.absorb(&report((0, 100), (50, 100)));
    assert_eq!(whole.coverage(), 0.75);
    whole.absorb(&report((0, 200), (0, 0)));
    assert_eq!(whole.coverage(), 0.75);
}
