//! Freshness is never claimed beyond what was proven.

use std::time::Duration;

use super::*;

fn at(ms: u64) -> Monotonic {
    Monotonic(Duration::from_millis(ms))
}

#[test]
fn a_follower_is_fresh_only_once_it_applied_what_the_leader_had_committed() {
    let mut fresh = Freshness::default();
    fresh.heard_from_leader(at(10), 5, 4);
    fresh.heard_from_leader(at(20), 6, 4);
    assert_eq!(fresh.of_follower(), None);
    fresh.applied(5);
    assert_eq!(fresh.of_follower(), Some(at(10)));
    fresh.heard_from_leader(at(40), 5, 5);
    assert_eq!(fresh.of_follower(), Some(at(40)));
}

#[test]
fn a_leader_is_as_fresh_as_its_quorum() {
    let ids = |ids: &[u64]| ids.iter().map(|id| ReplicaId(*id)).collect::<Vec<_>>();
    let me = ReplicaId(1);
    let mut members = Members::of(ids(&[1, 2, 3, 4, 5]));
    let mut fresh = Freshness::default();
    assert_eq!(fresh.of_leader(at(9), me, &members), None);
    fresh.heard_from_peer(ReplicaId(2), at(10));
    assert_eq!(fresh.of_leader(at(11), me, &members), None);
    fresh.heard_from_peer(ReplicaId(3), at(20));
    fresh.heard_from_peer(ReplicaId(4), at(5));
    fresh.heard_from_peer(ReplicaId(9), at(29));
    assert_eq!(fresh.of_leader(at(30), me, &members), Some(at(10)));
    // In a joint configuration both majorities count, and in one of them it may have no vote.
    members.outgoing = ids(&[2, 3, 4]);
    assert_eq!(fresh.of_leader(at(30), me, &members), Some(at(10)));
    members.outgoing = ids(&[3, 4, 6]);
    assert_eq!(fresh.of_leader(at(30), me, &members), Some(at(5)));
    assert_eq!(fresh.of_leader(at(30), me, &Members::of([me])), Some(at(30)));
}
