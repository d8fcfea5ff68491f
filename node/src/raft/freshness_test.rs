//! Freshness is never claimed beyond what was proven.

use std::collections::BTreeSet;

use covey_shared::layout::FIRST_EPOCH;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::*;
use crate::raft::engines::Cluster;
use crate::raft::fixture::{SHARD, message, replica};
use crate::raft::{Effects, Ticket};

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

/// Whatever stands still, is cut off or is read late: a replica lacks nothing that was acknowledged before the moment that it
/// claims to be as new as.
#[test]
fn no_replica_claims_to_be_newer_than_it_is() {
    let (mut fresh, mut stale) = (0, 0);
    for seed in 0..60 {
        let mut rng = StdRng::seed_from_u64(seed);
        let mut cluster = Cluster::new(seed);
        let mut acknowledged: Vec<(Monotonic, Vec<u8>)> = Vec::new();
        for turn in 0..4_000_u64 {
            if turn % 200 == 0 {
                cluster.cut = rng.random_bool(0.5).then(|| rng.random_range(0..3));
                cluster.stopped = rng.random_bool(0.5).then(|| rng.random_range(0..3));
            }
            if turn % 8 == 0
                && let Some(leader) = cluster.leader().filter(|leader| cluster.stopped != Some(*leader))
            {
                let data = turn.to_le_bytes().to_vec();
                let engine = &mut cluster.hosts[leader].engine;
                engine.propose(SHARD, FIRST_EPOCH, data, Ticket(turn));
                cluster.settle(leader);
            }
            cluster.step();
            let now = Monotonic(Duration::from_millis(cluster.now));
            for host in &mut cluster.hosts {
                let answers = host.answers.drain(..).filter(|(_, outcome)| outcome.is_ok());
                acknowledged.extend(answers.map(|(ticket, _)| (now, ticket.0.to_le_bytes().to_vec())));
            }
            for host in 0..3 {
                let Some(as_of) = cluster.status(host).and_then(|status| status.fresh_as_of) else {
                    continue;
                };
                assert!(as_of <= now);
                *if now.since(as_of) < Duration::from_secs(1) {
                    &mut fresh
                } else {
                    &mut stale
                } += 1;
                if turn % 10 == 0 {
                    let store: BTreeSet<_> = cluster.hosts[host].store.applied.iter().map(|(_, data)| data).collect();
                    let mut before = acknowledged.iter().filter(|(at, _)| *at < as_of);
                    let lost = before.find(|(_, data)| !store.contains(data));
                    assert_eq!(lost, None, "seed {seed}, host {host} at {now:?}, as of {as_of:?}");
                }
            }
        }
    }
    assert!(fresh > 100_000 && stale > 1_000, "{fresh} fresh, {stale} stale");
}

/// What a disk that stands still holds back is the answer about entries, not the one to a heartbeat: else all leaders would
/// look alone whenever disks are slow.
#[test]
fn a_follower_whose_disk_stands_still_answers_heartbeats() {
    let mut cluster = Cluster::new(4);
    cluster.run_until_leader();
    cluster.deliver();
    let leader = cluster.leader().expect("no time has passed since the election");
    let engine = &mut cluster.hosts[leader].engine;
    engine.propose(SHARD, FIRST_EPOCH, vec![1], Ticket(1));
    cluster.settle(leader);
    (0..2).for_each(|_| cluster.hosts[leader].engine.tick(|| 0));
    cluster.settle(leader);
    let follower = &mut cluster.hosts[(leader + 1) % 3];
    let mut effects = Effects::default();
    for message in follower.inbox.drain(..) {
        follower.engine.step(message, at(1), 0);
        follower.engine.collect(&mut effects);
    }
    assert!(!effects.append.is_empty(), "nothing of it is on disk yet");
    let said: Vec<RaftMessageKind> = effects.send.iter().map(|(_, message)| message.kind).collect();
    assert_eq!(said, [RaftMessageKind::HeartbeatResponse]);
    // Before a new term is on disk, nothing is said in it.
    let other = replica((leader + 2) as u64 % 3 + 1);
    let mut heartbeat = message(RaftMessageKind::Heartbeat, other, follower.engine.groups[&SHARD].me);
    heartbeat.term = 50;
    let mut effects = Effects::default();
    follower.engine.step(heartbeat, at(2), 0);
    follower.engine.collect(&mut effects);
    assert!(effects.send.is_empty() && !effects.append.is_empty(), "{effects:?}");
}
