//! Freshness is never claimed beyond what was proven.

use std::time::Duration;

use super::*;

fn at(ms: u64) -> Monotonic {
    Monotonic(Duration::from_millis(ms))
}

#[test]
fn a_follower_is_fresh_only_once_it_applied_what_the_leader_had_committed() {
    let mut fresh = Freshness::new(3);
    fresh.heard_from_leader(at(10), 5, 4);
    fresh.heard_from_leader(at(20), 6, 4);
    assert_eq!(fresh.as_of(at(30), false), None);
    fresh.applied(5);
    assert_eq!(fresh.as_of(at(30), false), Some(at(10)));
    fresh.heard_from_leader(at(40), 5, 5);
    assert_eq!(fresh.as_of(at(50), false), Some(at(40)));
}

#[test]
fn a_leader_is_as_fresh_as_its_quorum() {
    let mut fresh = Freshness::new(5);
    assert_eq!(fresh.as_of(at(9), true), None);
    fresh.heard_from_peer(ReplicaId(2), at(10));
    assert_eq!(fresh.as_of(at(11), true), None);
    fresh.heard_from_peer(ReplicaId(3), at(20));
    fresh.heard_from_peer(ReplicaId(4), at(5));
    assert_eq!(fresh.as_of(at(30), true), Some(at(10)));
    assert_eq!(Freshness::new(1).as_of(at(30), true), Some(at(30)));
}
