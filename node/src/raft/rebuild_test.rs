//! A store that is damaged is replaced under a group that goes on.

use covey_env::Monotonic;
use covey_shared::codec::encode_versioned;
use covey_shared::ids::{LogIndex, NodeId};
use covey_shared::layout::FIRST_EPOCH;
use covey_shared::members::{ChangeKind, MEMBER_CHANGE_VERSION, MemberChange, Members};
use covey_shared::wire::{RaftMessage, RaftMessageKind, ReplicaRole, ShardError, WireEntry};
use covey_store::log::{EntryKind, HardState, LogEntry, LogPosition, RecoveredGroup};

use super::*;
use crate::raft::fixture::{SHARD, founding, limits, message, replica};
use crate::raft::{AppliedTask, Engine, Fetched, GroupStart, Ticket};

const TERM: u64 = 3;

/// Node 1, which would lead by preference; node 2 leads.
struct Replica {
    engine: Engine,
}

fn entry(index: u64) -> LogEntry {
    LogEntry {
        index,
        term: TERM,
        kind: EntryKind::Normal,
        data: vec![7; 100].into(),
    }
}

impl Replica {
    /// Its log holds entries 41 to 60, all committed.
    fn new(damaged: bool) -> Replica {
        Replica::of(damaged, founding(), (41..=60).map(entry).collect())
    }

    fn of(damaged: bool, descriptor: ShardDescriptor, entries: Vec<LogEntry>) -> Replica {
        let log = RecoveredGroup {
            hard_state: HardState {
                term: TERM,
                vote: 0,
                commit: 60,
            },
            compacted: LogPosition { index: 40, term: TERM },
            entries,
            ..RecoveredGroup::default()
        };
        let start = GroupStart {
            log,
            applied: if damaged { 0 } else { 50 },
            descriptor,
            damaged,
        };
        let engine = Engine::new(NodeId(1), [(replica(1), Some(start))], limits(), || 0);
        Replica { engine }
    }

    fn hear(&mut self, what: RaftMessage) -> Effects {
        let message = RaftMessage { to: replica(1), ..what };
        self.engine.step(message, Monotonic::default(), 0);
        self.turn()
    }

    /// A message of a node in some term, without anything in it.
    fn from(&self, node: u64, kind: RaftMessageKind, term: u64) -> RaftMessage {
        RaftMessage {
            term,
            ..message(kind, replica(node), replica(1))
        }
    }

    fn heartbeat(&mut self) {
        let what = self.from(2, RaftMessageKind::Heartbeat, TERM);
        let _ = self.hear(RaftMessage { commit: 60, ..what });
    }

    /// Ticks until it says something.
    fn wait(&mut self, ticks: usize) -> Option<Effects> {
        (0..ticks).find_map(|_| {
            self.engine.tick(|| 7);
            Some(self.turn()).filter(|effects| !effects.send.is_empty())
        })
    }

    /// Collects, and has the log on disk at once.
    fn turn(&mut self) -> Effects {
        let mut all = Effects::default();
        loop {
            let mut effects = Effects::default();
            self.engine.collect(&mut effects);
            let readies: Vec<_> = effects.append.iter().map(|task| (task.shard, task.ready)).collect();
            let more = !readies.is_empty();
            self.engine.persisted(&readies, &mut effects, || 0);
            all.send.append(&mut effects.send);
            all.apply.append(&mut effects.apply);
            all.install.append(&mut effects.install);
            all.damaged.append(&mut effects.damaged);
            if !more {
                return all;
            }
        }
    }

    fn applied(&mut self, index: u64) -> Effects {
        self.engine.applied(AppliedTask {
            shard: SHARD,
            index,
            results: vec![],
        });
        self.turn()
    }

    fn append(&mut self, index: u64) -> Effects {
        let entries = vec![WireEntry {
            index,
            term: TERM,
            kind: 0,
            data: vec![7; 100],
        }];
        let what = self.from(2, RaftMessageKind::Append, TERM);
        self.hear(RaftMessage {
            log_term: TERM,
            index: index - 1,
            entries,
            commit: index,
            ..what
        })
    }

    fn restore(&mut self, index: u64) -> Restore {
        let fetched = Fetched {
            at: LogPosition { index, term: TERM },
            descriptor: founding(),
        };
        self.engine.restore(SHARD, &fetched)
    }

    fn status(&self) -> crate::raft::GroupStatus {
        let status = self.engine.status(SHARD, Monotonic::default());
        status.expect("it is a member")
    }
}

fn given(effects: &Effects) -> Vec<u64> {
    let entries = effects.apply.iter().flat_map(|task| &task.entries);
    entries.map(|entry| entry.index).collect()
}

#[test]
fn a_store_that_was_found_empty_gets_a_snapshot_and_then_the_rest_of_the_log() {
    let mut replica = Replica::new(true);
    let first = replica.turn();
    assert_eq!(first.damaged[0], (SHARD, 40), "a snapshot from which the log goes on");
    assert!(given(&first).is_empty());
    let appended = replica.append(61);
    let acknowledged = appended
        .send
        .iter()
        .any(|(_, m)| m.kind == RaftMessageKind::AppendResponse && m.index == 61);
    assert!(acknowledged, "it goes on acknowledging: {:?}", appended.send);
    assert!(given(&appended).is_empty());
    assert!(replica.status().frozen);

    assert_eq!(replica.restore(45), Restore::Taken);
    let taken = replica.turn();
    assert_eq!((taken.install, taken.damaged), (vec![(SHARD, 45)], vec![]));
    replica.engine.installed(SHARD, 45);
    let rest = replica.turn();
    assert_eq!(given(&rest), (46..=61).collect::<Vec<_>>());
    assert_eq!(replica.engine.take_settled(), [SHARD]);
    replica.applied(61);
    let status = replica.status();
    assert_eq!((status.frozen, status.applied), (false, LogIndex(61)));
}

#[test]
fn one_that_knew_no_members_takes_those_of_the_snapshot_and_what_changed_behind_it() {
    let mut nobody = founding();
    (nobody.members, nobody.epoch.conf_ver) = (Members::default(), 0);
    let change = founding().add_learner(NodeId(4));
    let mut entries: Vec<LogEntry> = (41..=60).map(entry).collect();
    entries[55 - 41].kind = EntryKind::ConfChange;
    entries[55 - 41].data = encode_versioned(MEMBER_CHANGE_VERSION, &change).unwrap().into();
    let mut replica = Replica::of(true, nobody, entries);
    let _ = replica.turn();
    replica.heartbeat();
    let _ = replica.turn();
    assert_eq!(replica.status().descriptor.members, Members::default());
    assert_eq!(replica.restore(50), Restore::Taken);
    assert_eq!(replica.turn().install, [(SHARD, 50)]);
    replica.engine.installed(SHARD, 50);
    let rest = replica.turn();
    assert_eq!(given(&rest), (51..=60).collect::<Vec<u64>>());
    let _ = replica.applied(60);
    let mut expected = founding();
    expected.change(&change).unwrap();
    assert_eq!(*replica.status().descriptor, expected);
    assert!(replica.wait(100).is_some(), "it may stand for election now");
    assert_eq!(replica.status().role, ReplicaRole::Candidate);
}

#[test]
fn the_members_of_a_joint_snapshot_are_taken_too() {
    let mut nobody = founding();
    (nobody.members, nobody.epoch.conf_ver) = (Members::default(), 0);
    let mut joint = founding();
    joint.change(&joint.add_learner(NodeId(4))).unwrap();
    joint.change(&joint.add_learner(NodeId(5))).unwrap();
    let (promote, demote) = (vec![joint.members.learners[0]], vec![replica(2)]);
    let kind = ChangeKind::Replace { promote, demote };
    joint.change(&MemberChange { expected: 3, kind }).unwrap();
    assert!(joint.members.is_joint() && !joint.members.learners.is_empty());
    let mut replica = Replica::of(true, nobody, (41..=60).map(entry).collect());
    let _ = replica.turn();
    replica.heartbeat();
    let _ = replica.turn();
    let at = LogPosition { index: 50, term: TERM };
    let descriptor = joint.clone();
    assert_eq!(
        replica.engine.restore(SHARD, &Fetched { at, descriptor }),
        Restore::Taken
    );
    let _ = replica.turn();
    replica.engine.installed(SHARD, 50);
    let _ = replica.turn();
    assert_eq!(*replica.status().descriptor, joint);
}

#[test]
fn a_store_found_damaged_later_finishes_its_batch_and_applies_nothing_more() {
    let mut replica = Replica::new(false);
    assert_eq!(given(&replica.turn()), (51..=60).collect::<Vec<_>>());
    replica.engine.freeze(SHARD);
    assert_eq!(replica.turn().damaged, [], "the worker still has a batch");
    assert_eq!(replica.restore(60), Restore::NotNow);
    assert_eq!(replica.applied(60).damaged[0], (SHARD, 60));
    assert!(given(&replica.append(61)).is_empty());

    assert_eq!(replica.restore(59), Restore::NotNeeded, "older than what was asked for");
    assert_eq!(replica.restore(60), Restore::Taken);
    assert_eq!(replica.turn().install, [(SHARD, 60)]);
    replica.engine.installed(SHARD, 60);
    assert_eq!(given(&replica.turn()), [61]);
}

#[test]
fn a_snapshot_beyond_the_log_replaces_log_and_store() {
    let mut replica = Replica::new(true);
    let _ = replica.turn();
    replica.heartbeat();
    assert_eq!(replica.restore(90), Restore::Taken);
    let taken = replica.turn();
    assert_eq!(taken.install, [(SHARD, 90)]);
    replica.engine.installed(SHARD, 90);
    let _ = replica.turn();
    let status = replica.status();
    assert_eq!(
        (status.frozen, status.first, status.applied),
        (false, LogIndex(91), LogIndex(90))
    );
}

#[test]
fn a_damaged_replica_leaves_elections_to_the_others_and_votes_for_them() {
    let mut replica = Replica::new(true);
    let _ = replica.turn();
    replica.heartbeat();
    let called = replica.from(2, RaftMessageKind::TimeoutNow, TERM);
    let _ = replica.hear(called);
    assert!(replica.wait(PATIENCE * limits().election_ticks).is_none());
    assert_eq!(replica.status().role, ReplicaRole::Follower);
    let asked = RaftMessage {
        log_term: TERM,
        index: 60,
        ..replica.from(3, RaftMessageKind::RequestVote, TERM + 1)
    };
    let answer = replica.hear(asked).send;
    let granted = |m: &RaftMessage| m.kind == RaftMessageKind::RequestVoteResponse && !m.reject;
    assert!(answer.iter().any(|(_, m)| granted(m)), "{answer:?}");
}

#[test]
fn where_no_other_can_win_it_leads_to_bring_them_up_to_date_and_hand_over() {
    let mut replica = Replica::new(true);
    let _ = replica.turn();
    replica.heartbeat();
    let asked = replica.wait(10 * limits().election_ticks).expect("it stands at last");
    assert_eq!(asked.send[0].1.kind, RaftMessageKind::RequestPreVote);
    let next = TERM + 1;
    let granted = replica.from(3, RaftMessageKind::RequestPreVoteResponse, next);
    let _ = replica.hear(granted);
    let granted = replica.from(3, RaftMessageKind::RequestVoteResponse, next);
    let led = replica.hear(granted);
    let to_third = |effects: &Effects, kind| {
        let sent = |(to, m): &&(NodeId, RaftMessage)| *to == NodeId(3) && m.kind == kind;
        effects.send.iter().any(|message| sent(&message))
    };
    assert!(to_third(&led, RaftMessageKind::Append), "{:?}", led.send);
    let status = replica.status();
    assert_eq!(
        (status.role, status.leader),
        (ReplicaRole::Follower, None),
        "nobody is sent here"
    );
    replica.engine.propose(SHARD, FIRST_EPOCH, vec![1], Ticket(1));
    assert!(matches!(
        replica.engine.take_answers()[..],
        [(Ticket(1), Err(ShardError::NotLeader { hint: None }))]
    ));
    // Node 3 has it all: it leads.
    let answer = RaftMessage {
        index: 61,
        ..replica.from(3, RaftMessageKind::AppendResponse, next)
    };
    let _ = replica.hear(answer);
    let handed = replica.wait(2).expect("it hands over");
    assert!(to_third(&handed, RaftMessageKind::TimeoutNow), "{:?}", handed.send);
}
