//! A shard that has lost its majority goes on with one replica, which keeps all that it has; nobody else is listened to any more.

use std::sync::Arc;

use covey_shared::ids::NodeId;
use covey_shared::layout::FIRST_EPOCH;
use covey_shared::members::{ChangeKind, RECOVERY_VERSIONS, ShardDescriptor};
use covey_shared::wire::{RaftMessage, RaftMessageKind, ReplicaRole};
use covey_store::log::{EntryKind, HardState, LogEntry, LogPosition, RecoveredGroup};

use super::*;
use crate::raft::engines::{Cluster, assert_one_order};
use crate::raft::fixture::{SHARD, founding, limits, message, replica};
use crate::raft::proposals::Ticket;
use crate::raft::{Engine, GroupStart};

fn write(cluster: &mut Cluster, host: usize, ticket: u64) {
    let data = ticket.to_le_bytes().to_vec();
    cluster.hosts[host]
        .engine
        .propose(SHARD, FIRST_EPOCH, data, Ticket(ticket));
    cluster.settle(host);
}

/// Time passes for these hosts, which hear each other and nobody else.
fn pass(cluster: &mut Cluster, hosts: &[usize], ticks: usize) {
    for _ in 0..ticks {
        for host in hosts {
            cluster.hosts[*host].engine.tick(|| *host);
            cluster.settle(*host);
        }
        for (host, lost) in cluster.hosts.iter_mut().enumerate() {
            if !hosts.contains(&host) {
                lost.inbox.clear();
            }
        }
        cluster.deliver();
    }
}

fn descriptor(cluster: &Cluster, host: usize) -> Arc<ShardDescriptor> {
    cluster.status(host).expect("it is here").descriptor
}

/// Asks once; why it has not happened yet.
fn ask(cluster: &mut Cluster, host: usize, seen: u64, ticket: u64) -> ShardError {
    let keep = replica(host as u64 + 1);
    let change = descriptor(cluster, host).recover(keep, seen);
    cluster.hosts[host]
        .engine
        .change_members(SHARD, &change, Ticket(ticket));
    cluster.settle(host);
    let answers = &cluster.hosts[host].answers;
    let answer = answers
        .iter()
        .find(|(of, _)| of.0 == ticket)
        .expect("it answers at once");
    answer.1.clone().expect_err("what came of it shows in the members")
}

fn recovered(cluster: &mut Cluster, host: usize) {
    let keep = replica(host as u64 + 1);
    for ticket in 5_000_000.. {
        if descriptor(cluster, host).members == Members::of([keep]) {
            break;
        }
        ask(cluster, host, 7, ticket);
        pass(cluster, &[host], 5);
        assert!(ticket < 5_000_050, "{:?}", cluster.status(host));
    }
    pass(cluster, &[host], 60);
    let status = cluster.status(host).expect("it is here");
    assert_eq!(status.role, ReplicaRole::Leader);
    assert_eq!(status.descriptor.epoch.conf_ver, 7 + RECOVERY_VERSIONS);
}

/// Three replicas with a few entries; the two that do not lead are lost, or the leader and another one.
fn lost(seed: u64, keeps_leader: bool) -> (Cluster, usize) {
    let mut cluster = Cluster::new(seed);
    let leader = cluster.run_until_leader();
    for ticket in 1..=5 {
        write(&mut cluster, leader, ticket);
        cluster.deliver();
    }
    let keep = if keeps_leader { leader } else { (leader + 1) % 3 };
    // The last one reaches one other at most, in a message that it does not answer any more.
    write(&mut cluster, leader, 6);
    (0..3)
        .filter(|host| *host != keep)
        .for_each(|host| cluster.hosts[host].inbox.clear());
    pass(&mut cluster, &[keep], 60);
    (cluster, keep)
}

#[test]
fn it_goes_on_alone_with_all_that_it_has_and_takes_writes() {
    for (seed, keeps_leader) in [(1, true), (2, false), (3, true), (4, false)] {
        let (mut cluster, keep) = lost(seed, keeps_leader);
        assert_ne!(cluster.status(keep).unwrap().role, ReplicaRole::Leader);
        recovered(&mut cluster, keep);
        write(&mut cluster, keep, 7);
        let applied: Vec<_> = cluster.hosts[keep]
            .store
            .applied
            .iter()
            .map(|(_, data)| data.clone())
            .collect();
        for ticket in 1..=7_u64 {
            assert!(applied.contains(&ticket.to_le_bytes().to_vec()), "{ticket}");
        }
        assert_eq!(cluster.hosts[keep].store.members, *descriptor(&cluster, keep));
        let done = cluster.hosts[keep].answers.iter().find(|(ticket, _)| ticket.0 == 7);
        assert!(done.unwrap().1.is_ok());
    }
}

#[test]
fn who_comes_back_is_a_stranger_even_if_it_is_elected_by_another_one() {
    let (mut cluster, keep) = lost(5, false);
    recovered(&mut cluster, keep);
    let old: Vec<usize> = (0..3).filter(|host| *host != keep).collect();
    pass(&mut cluster, &old, 100);
    assert!(
        old.iter()
            .any(|host| cluster.status(*host).unwrap().role == ReplicaRole::Leader)
    );
    let before = cluster.status(keep).unwrap();
    // All wires are there again.
    pass(&mut cluster, &[0, 1, 2], 200);
    let after = cluster.status(keep).unwrap();
    assert_eq!(
        (after.role, after.term, after.last),
        (before.role, before.term, before.last)
    );
    let shown = descriptor(&cluster, keep);
    for host in old {
        assert!(!shown.members.has(replica(host as u64 + 1)));
        assert!(descriptor(&cluster, host).epoch < shown.epoch, "so it is destroyed");
        cluster.hosts[host].engine.remove(SHARD);
        cluster.settle(host);
    }
    // They are replaced by new ones, on the same nodes.
    for node in (1..=3).filter(|node| *node != keep as u64 + 1) {
        let add = descriptor(&cluster, keep).add_learner(NodeId(node));
        cluster.hosts[keep]
            .engine
            .change_members(SHARD, &add, Ticket(100 + node));
        cluster.settle(keep);
        cluster.run_until("it has the log", |cluster| {
            let last = cluster.status(keep).map(|status| status.last);
            cluster.status(node as usize - 1).map(|status| status.applied) == last
        });
        let (expected, new) = (
            descriptor(&cluster, keep).epoch.conf_ver,
            descriptor(&cluster, keep).members.on(NodeId(node)),
        );
        for kind in [
            ChangeKind::Replace {
                promote: vec![new.unwrap()],
                demote: vec![],
            },
            ChangeKind::LeaveJoint,
        ] {
            let expected = expected + u64::from(kind == ChangeKind::LeaveJoint);
            cluster.run_until("its vote", |cluster| {
                cluster.step();
                let change = MemberChange {
                    expected,
                    kind: kind.clone(),
                };
                cluster.hosts[keep].engine.change_members(SHARD, &change, Ticket(0));
                cluster.settle(keep);
                descriptor(cluster, keep).epoch.conf_ver > expected
            });
        }
    }
    assert_eq!(descriptor(&cluster, keep).members.voters.len(), 3);
    (0..3_000).for_each(|_| cluster.step());
    assert_one_order(&cluster);
}

#[test]
fn what_is_not_lost_is_not_recovered() {
    let mut cluster = Cluster::new(6);
    let leader = cluster.run_until_leader();
    pass(&mut cluster, &[0, 1, 2], 60);
    let leader = cluster.leader().unwrap_or(leader);
    let not_lost = ShardError::Members(MembersError::NotLost);
    assert_eq!(ask(&mut cluster, leader, 0, 1), not_lost);
    assert_eq!(
        ask(&mut cluster, (leader + 1) % 3, 0, 2),
        not_lost,
        "the leader is heard of"
    );
    // Two of three can elect one of them, whoever is asked.
    let (one, other) = ((leader + 1) % 3, (leader + 2) % 3);
    pass(&mut cluster, &[one, other], 100);
    assert_eq!(ask(&mut cluster, one, 0, 3), not_lost);
    let before = founding();
    assert_eq!(*descriptor(&cluster, one), before);
    // It is no recovery of another replica.
    pass(&mut cluster, &[leader], 60);
    let change = before.recover(replica(one as u64 + 1), 0);
    cluster.hosts[leader].engine.change_members(SHARD, &change, Ticket(4));
    let answers = cluster.hosts[leader].engine.take_answers();
    assert!(matches!(
        answers[..],
        [(Ticket(4), Err(ShardError::Members(MembersError::NotAVoter(_))))]
    ));
}

#[test]
fn who_has_just_begun_has_heard_nobody_yet() {
    let mut cluster = Cluster::new(7);
    assert_eq!(ask(&mut cluster, 0, 0, 1), ShardError::NotReady(NotReady::Starting));
    pass(&mut cluster, &[0], LISTENS as usize * limits().election_ticks);
    assert_eq!(ask(&mut cluster, 0, 0, 2), SOON);
}

/// What a crash left: founded, some writes, and perhaps the entry of a recovery that was not committed.
fn restarted(recovery: Option<&MemberChange>) -> Engine {
    let normal = |index| LogEntry {
        index,
        term: 1,
        kind: EntryKind::Normal,
        data: vec![index as u8].into(),
    };
    let mut entries: Vec<LogEntry> = (1..=3).map(normal).collect();
    entries.extend(recovery.map(|change| LogEntry {
        index: 4,
        term: 2,
        kind: EntryKind::ConfChange,
        data: codec::encode_versioned(MEMBER_CHANGE_VERSION, change).unwrap().into(),
    }));
    let start = GroupStart {
        log: RecoveredGroup {
            hard_state: HardState {
                term: if recovery.is_some() { 2 } else { 1 },
                vote: replica(1).0,
                commit: 2,
            },
            compacted: LogPosition::default(),
            entries,
            ..RecoveredGroup::default()
        },
        applied: 2,
        descriptor: founding(),
        damaged: false,
    };
    Engine::new(NodeId(1), [(replica(1), Some(start))], limits(), || 0)
}

#[test]
fn a_crash_at_any_moment_leaves_what_can_be_asked_again() {
    let recovery = founding().recover(replica(1), 0);
    for (left, expected) in [(None, 4), (Some(&recovery), 4)] {
        let mut cluster = Cluster::new(8);
        cluster.hosts[0].engine = restarted(left);
        cluster.hosts[0].store.applied = (1..=2).map(|index| (index, vec![index as u8])).collect();
        cluster.settle(0);
        pass(&mut cluster, &[0], 40);
        assert_eq!(*descriptor(&cluster, 0), founding(), "nothing happens by itself");
        for ticket in 1..9 {
            ask(&mut cluster, 0, 0, ticket);
            pass(&mut cluster, &[0], 30);
        }
        let shown = descriptor(&cluster, 0);
        assert_eq!(
            (&shown.members, shown.epoch.conf_ver),
            (&Members::of([replica(1)]), 1 + RECOVERY_VERSIONS)
        );
        let applied = &cluster.hosts[0].store.applied;
        assert_eq!(applied[2].1, [3], "what was in the log is kept");
        let at = applied
            .iter()
            .position(|(_, data)| crate::raft::membership::decode(data).is_some());
        assert_eq!(at.map(|at| applied[at].0), Some(expected), "once");
    }
}

#[test]
fn one_request_is_enough_and_nobody_is_listened_to_before_the_log_has_it() {
    let (mut cluster, keep) = lost(9, false);
    let other = replica(((keep + 1) % 3) as u64 + 1);
    let me = replica(keep as u64 + 1);
    let change = descriptor(&cluster, keep).recover(me, 0);
    let heartbeat = |term| RaftMessage {
        term,
        ..message(RaftMessageKind::Heartbeat, other, me)
    };
    let engine = &mut cluster.hosts[keep].engine;
    engine.change_members(SHARD, &change, Ticket(1));
    let now = covey_env::Monotonic::default();
    let term = engine.status(SHARD, now).unwrap().term;
    // A majority is back, and has a leader.
    engine.step(heartbeat(term.0 + 9), now, 0);
    assert_eq!(engine.status(SHARD, now).unwrap().term, term);
    cluster.settle(keep);
    assert_eq!(descriptor(&cluster, keep).members, Members::of([me]));
    cluster.hosts[keep].engine.step(heartbeat(term.0 + 9), now, 0);
    pass(&mut cluster, &[keep], 60);
    assert_eq!(cluster.status(keep).unwrap().role, ReplicaRole::Leader);
}
