//! Freshness is never claimed beyond what was proven.

use std::collections::BTreeSet;

use covey_shared::layout::FIRST_EPOCH;
use covey_shared::wire::{ReplicaRole, Sent};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::*;
use crate::raft::engines::Cluster;
use crate::raft::fixture::{SHARD, message, replica};
use crate::raft::{Effects, GroupStatus, Ticket};

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

#[test]
fn who_followed_in_another_term_or_role_counts_for_nothing_in_this_one() {
    let (me, members) = (ReplicaId(1), Members::of([1, 2, 3].map(ReplicaId)));
    let mut fresh = Freshness::default();
    fresh.heard_from_peer(ReplicaId(2), at(10));
    assert_eq!(fresh.of_leader(at(11), me, &members), Some(at(10)));
    fresh.role_changed();
    assert_eq!(fresh.of_leader(at(12), me, &members), None);
}

/// A leader at rest, not the first, so that there is a term before its own; a follower, and the leader's next heartbeat to it.
fn heartbeat() -> (Cluster, usize, RaftMessage) {
    let mut cluster = Cluster::new(4);
    let first = cluster.run_until_leader();
    cluster.cut = Some(first);
    cluster.run_until_leader();
    cluster.cut = None;
    let follows = |status: GroupStatus| status.role == ReplicaRole::Follower;
    cluster.run_until("the fall of the first leader", |cluster| {
        cluster.status(first).is_some_and(follows)
    });
    let leader = cluster.run_until_leader();
    cluster.deliver();
    (0..3).for_each(|_| cluster.deliver_after_heartbeat(leader));
    cluster.now += 2_000;
    (0..2).for_each(|_| cluster.hosts[leader].engine.tick(|| 0));
    cluster.settle(leader);
    let follower = (leader + 1) % 3;
    let heartbeat = cluster.hosts[follower].inbox.pop_front();
    (cluster, follower, heartbeat.expect("it was sent"))
}

#[test]
fn a_follower_is_as_old_as_what_its_leader_knew_when_it_spoke() {
    for (confirmed_ms, age) in [
        (Some(0), 500),
        (Some(300), 800),
        (Some(u64::MAX / 1000), 2_500),
        (None, 2_500),
    ] {
        let (mut cluster, follower, mut heartbeat) = heartbeat();
        heartbeat.sent.confirmed_us = confirmed_ms.map(|ms| ms * 1000);
        // It was sent now, and is read half a second later.
        cluster.now += 500;
        let now = at(cluster.now);
        let engine = &mut cluster.hosts[follower].engine;
        let old = engine.status(SHARD, now).and_then(|status| status.fresh_as_of);
        assert_eq!(old, Some(at(cluster.now - 2_500)), "as the last time");
        engine.step(heartbeat, now, 0);
        let new = engine.status(SHARD, now).and_then(|status| status.fresh_as_of);
        assert_eq!(new, Some(at(cluster.now - age)), "{confirmed_ms:?}");
    }
}

#[test]
fn what_is_said_in_a_term_that_is_over_is_no_news() {
    let (mut cluster, follower, mut heartbeat) = heartbeat();
    heartbeat.sent.confirmed_us = Some(0);
    let leader = (follower + 2) % 3;
    let now = at(cluster.now);
    let of = |cluster: &Cluster, host: usize| cluster.status(host).and_then(|status| status.fresh_as_of);
    let before = of(&cluster, follower);
    let old = RaftMessage {
        term: heartbeat.term - 1,
        ..heartbeat.clone()
    };
    cluster.hosts[follower].engine.step(old, now, 0);
    assert_eq!(of(&cluster, follower), before);
    cluster.hosts[follower].engine.step(heartbeat, now, 0);
    assert!(of(&cluster, follower) > before);
    cluster.settle(follower);
    // Nor does a leader count an answer of that kind, or one that no follower gives.
    let answer = cluster.hosts[leader]
        .inbox
        .pop_front()
        .expect("the heartbeat was answered");
    let before = of(&cluster, leader);
    let old = RaftMessage {
        term: answer.term - 1,
        ..answer.clone()
    };
    let vote = RaftMessage {
        kind: RaftMessageKind::RequestVoteResponse,
        ..answer.clone()
    };
    for message in [old, vote] {
        cluster.hosts[leader].engine.step(message, now, 0);
        assert_eq!(of(&cluster, leader), before);
    }
    cluster.hosts[leader].engine.step(answer, now, 0);
    assert!(of(&cluster, leader) > before);
}

#[test]
fn a_message_that_was_held_until_its_term_was_over_says_nothing_of_now() {
    let (cluster, follower, heartbeat) = heartbeat();
    let old = RaftMessage {
        term: heartbeat.term - 1,
        ..heartbeat.clone()
    };
    let node = heartbeat.to.node();
    let mut send = [(node, heartbeat), (node, old)].map(|(node, message)| {
        (
            node,
            RaftMessage {
                sent: Sent::default(),
                ..message
            },
        )
    });
    cluster.hosts[(follower + 2) % 3]
        .engine
        .stamp(&mut send, at(cluster.now));
    assert!(send[0].1.sent.at > 0 && send[0].1.sent.confirmed_us.is_some());
    assert_eq!(send[1].1.sent, Sent::default());
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
