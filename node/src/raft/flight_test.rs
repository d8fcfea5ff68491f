//! What is said of a message's age is never too young.

use proptest::prelude::*;

use super::*;

const A: NodeId = NodeId(1);
const B: NodeId = NodeId(2);

fn at(ms: u64) -> Monotonic {
    Monotonic(Duration::from_millis(ms))
}

#[test]
fn the_age_of_a_message_that_waited_shows() {
    // B's clock is 50 s ahead; a flight takes 5 ms.
    let (mut a, mut b) = (Flights::new(7 << 20), Flights::new(9 << 30));
    assert_eq!(
        b.arrived(A, a.stamp(B, at(100)), at(50_105)),
        None,
        "nothing was brought back"
    );
    let answer = b.stamp(A, at(50_305));
    assert_eq!(
        a.arrived(B, answer, at(310)),
        Some(at(300)),
        "short of the truth by one flight"
    );
    // The same message, read 3 s later by a process that was stopped.
    let mut late = Flights {
        base: a.base,
        seen: BTreeMap::new(),
    };
    assert_eq!(late.arrived(B, answer, at(3_310)), Some(at(300)));
}

#[test]
fn what_was_said_before_a_restart_means_nothing() {
    let (mut before, mut b) = (Flights::new(7 << 20), Flights::new(9 << 30));
    _ = b.arrived(A, before.stamp(B, at(9_000)), at(10));
    let answer = b.stamp(A, at(20));
    assert!(before.arrived(B, answer, at(9_030)).is_some());
    for random in [5 << 40, 0] {
        assert_eq!(Flights::new(random).arrived(B, answer, at(40)), None);
    }
}

proptest! {
    /// Two nodes exchange messages with any flight times, any times between and clocks that are apart.
    #[test]
    fn the_bound_lies_before_the_truth_by_no_more_than_the_flight_there(
        hops in prop::collection::vec((0_u64..500, 0_u64..2_000), 2..40),
        apart in 0_u64..100_000,
    ) {
        let mut nodes = [Flights::new(3 << 33), Flights::new(5 << 41)];
        let (mut time, mut there) = (1, 0);
        for (i, (flight, pause)) in hops.into_iter().enumerate() {
            let (from, to) = (i % 2, (i + 1) % 2);
            let clock = |node: usize, time: u64| at(time + apart * node as u64);
            let sent = nodes[from].stamp([A, B][to], clock(from, time));
            let bound = nodes[to].arrived([A, B][from], sent, clock(to, time + flight));
            prop_assert_eq!(bound.is_some(), i > 0);
            if let Some(bound) = bound {
                prop_assert_eq!(bound.plus(Duration::from_millis(there)), clock(to, time));
            }
            there = flight;
            time += flight + pause;
        }
    }
}
