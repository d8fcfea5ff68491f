//! A fetched snapshot takes the place of the store first, then of the log, and only then the leader hears of it.

use covey_env::Monotonic;
use covey_shared::ids::{LogIndex, NodeId};
use covey_shared::wire::{RaftMessageKind, ReplicaRole};

use super::*;
use crate::raft::fixture::{SHARD, founding, limits, message, replica};
use crate::raft::{Engine, GroupStart};

const LEADER_TERM: u64 = 3;

/// Node 2 follows node 1.
struct Follower {
    engine: Engine,
}

impl Follower {
    fn new() -> Follower {
        let shards = [(replica(2), Some(GroupStart::fresh()))];
        let engine = Engine::new(NodeId(2), shards, limits(), || 0);
        let mut follower = Follower { engine };
        follower.hear(RaftMessageKind::Heartbeat, 0);
        let heard = follower.collect();
        follower.persist(&heard);
        follower
    }

    /// A message of the leader.
    fn hear(&mut self, kind: RaftMessageKind, index: u64) {
        let message = RaftMessage {
            term: LEADER_TERM,
            index,
            ..message(kind, replica(1), replica(2))
        };
        self.engine.step(message, Monotonic::default(), 0);
    }

    fn collect(&mut self) -> Effects {
        let mut effects = Effects::default();
        self.engine.collect(&mut effects);
        effects
    }

    /// The log has everything; returns what goes out then.
    fn persist(&mut self, collected: &Effects) -> Effects {
        let readies: Vec<_> = collected.append.iter().map(|task| (task.shard, task.ready)).collect();
        let mut effects = Effects::default();
        self.engine.persisted(&readies, &mut effects, || 0);
        effects
    }

    fn fetched(&self, index: u64) -> Fetched {
        Fetched {
            at: LogPosition { index, term: 2 },
            descriptor: founding(),
        }
    }
}

#[test]
fn a_call_to_pull_is_followed_until_what_it_asks_for_is_here() {
    let mut follower = Follower::new();
    follower.hear(RaftMessageKind::Snapshot, 40);
    assert_eq!(follower.engine.take_pulls(), [(SHARD, NodeId(1))]);
    let fetched = follower.fetched(45);
    assert_eq!(follower.engine.restore(SHARD, &fetched), Restore::Taken);
    let _ = follower.collect();
    follower.engine.installed(SHARD, 45);
    let collected = follower.collect();
    follower.persist(&collected);
    follower.hear(RaftMessageKind::Snapshot, 40);
    assert_eq!(follower.engine.take_pulls(), [], "the leader has not heard yet");
    let answers = follower.collect().send;
    assert!(
        matches!(&answers[..], [(NodeId(1), answer)] if answer.kind == RaftMessageKind::AppendResponse && answer.index == 45),
        "{answers:?}"
    );
    assert_eq!(follower.engine.restore(SHARD, &fetched), Restore::NotNeeded);
}

#[test]
fn the_store_changes_first_then_the_log_and_no_election_is_held_meanwhile() {
    let mut follower = Follower::new();
    let fetched = follower.fetched(45);
    assert_eq!(follower.engine.restore(SHARD, &fetched), Restore::Taken);
    let taken = follower.collect();
    assert_eq!(taken.install, [(SHARD, 45)]);
    assert!(taken.append.is_empty() && taken.send.is_empty(), "{taken:?}");
    // The leader is gone; the disk takes its time.
    for _ in 0..100 {
        follower.engine.tick(|| 7);
        let waiting = follower.collect();
        assert!(waiting.append.is_empty() && waiting.send.is_empty(), "{waiting:?}");
    }
    follower.engine.installed(SHARD, 45);
    let reset = follower.collect();
    assert!(
        matches!(&reset.append[..], [task] if task.reset == Some(fetched.at) && task.must_sync),
        "{reset:?}"
    );
    assert!(reset.send.is_empty(), "nobody hears of what a crash could still take");
    let answers = follower.persist(&reset).send;
    assert!(
        matches!(&answers[..], [(NodeId(1), answer)] if answer.index == 45 && !answer.reject),
        "{answers:?}"
    );
    let status = follower
        .engine
        .status(SHARD, Monotonic::default())
        .expect("it is a member");
    assert_eq!((status.first, status.applied), (LogIndex(46), LogIndex(45)));
    for _ in 0..100 {
        follower.engine.tick(|| 7);
    }
    let status = follower
        .engine
        .status(SHARD, Monotonic::default())
        .expect("it is a member");
    assert_eq!(status.role, ReplicaRole::Candidate, "now it may campaign");
}

#[test]
fn without_a_leader_a_snapshot_waits() {
    let follower = Follower::new();
    let shards = [(replica(2), Some(GroupStart::fresh()))];
    let mut engine = Engine::new(NodeId(2), shards, limits(), || 0);
    assert_eq!(engine.restore(SHARD, &follower.fetched(45)), Restore::NotNow);
}
