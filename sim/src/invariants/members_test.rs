//! The invariants about members find what they are there for.

use covey_shared::ids::{LogIndex, NodeId, ReplicaId, ShardId, Term};
use covey_shared::layout::Layout;
use covey_shared::members::{Members, ShardDescriptor};
use covey_shared::wire::{MemberProgress, ShardReport};

use super::*;
use crate::history::{Heard, History};

const SHARD: ShardId = ShardId(1);

fn replica(born: u64, node: u64) -> ReplicaId {
    ReplicaId::new(born, SHARD, NodeId(node))
}

/// What the replica on host 1, which leads, says of a shard of hosts 1 to 3.
fn report() -> ShardReport {
    let nodes: Vec<NodeId> = (1..=3).map(NodeId).collect();
    ShardReport {
        replica: replica(0, 1),
        descriptor: ShardDescriptor::founding(&Layout::fixed(1, 3, &nodes).shards[0]),
        leader: Some(replica(0, 1)),
        term: Term(2),
        last: LogIndex(9),
        applied: LogIndex(9),
        members: vec![MemberProgress {
            replica: replica(0, 1),
            matched: LogIndex(9),
            heard: true,
            fit: true,
        }],
    }
}

/// How many violations these looks show.
fn broken(looks: &[(u64, ShardReport)]) -> usize {
    let mut history = History::default();
    for (host, report) in looks {
        let before = history.heard.clone();
        one_host_per_replica(&mut history, &before, NodeId(*host), report);
        one_list_per_version(&mut history, &before, report);
    }
    history.violations.len()
}

#[test]
fn two_lists_of_one_version_and_a_version_that_goes_back_are_found() {
    let (first, mut later) = (report(), report());
    later.descriptor.epoch.conf_ver += 1;
    assert_eq!(broken(&[(1, first.clone()), (1, later.clone())]), 0);
    assert_eq!(broken(&[(1, later), (1, first.clone())]), 1);
    let mut other = first.clone();
    other.descriptor.members = Members::of([replica(0, 1), replica(0, 2)]);
    assert_eq!(broken(&[(1, first), (1, other)]), 1);
}

#[test]
fn a_replica_on_two_hosts_and_one_that_comes_back_are_found() {
    let (first, mut newer) = (report(), report());
    assert_eq!(broken(&[(1, first.clone()), (1, first.clone())]), 0);
    assert_eq!(broken(&[(1, first.clone()), (2, first.clone())]), 1);
    newer.replica = replica(4, 1);
    assert_eq!(broken(&[(1, first.clone()), (1, newer.clone())]), 0);
    assert_eq!(broken(&[(1, newer), (1, first)]), 1);
}

#[test]
fn a_log_that_has_lost_a_replica_is_found_unless_its_disk_is_new() {
    let mut history = History::default();
    one_host_per_replica(&mut history, &Heard::default(), NodeId(1), &report());
    log_forgets_nobody(&mut history, NodeId(1), &[replica(0, 1)].into(), false);
    log_forgets_nobody(&mut history, NodeId(2), &[].into(), false);
    assert_eq!(history.violations.len(), 0);
    log_forgets_nobody(&mut history, NodeId(1), &[].into(), false);
    assert_eq!(history.violations.len(), 1);
    log_forgets_nobody(&mut history, NodeId(1), &[].into(), true);
    log_forgets_nobody(&mut history, NodeId(1), &[].into(), false);
    assert_eq!(history.violations.len(), 1);
}

#[test]
fn a_shard_that_ends_without_a_voter_or_behind_what_was_decided_is_found() {
    let whole = |descriptor: &ShardDescriptor| {
        let mut history = History::default();
        history.versions.insert((SHARD, 1), Members::default());
        whole_in_the_end(&mut history, descriptor);
        history.violations.len()
    };
    let mut known = report().descriptor;
    assert_eq!(whole(&known), 0);
    known.members.learners.push(replica(2, 4));
    assert_eq!(whole(&known), 1);
    (known.members, known.epoch.conf_ver) = (report().descriptor.members, 0);
    assert_eq!(whole(&known), 1);
}
