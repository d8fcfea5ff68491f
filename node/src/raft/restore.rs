//! Snapshots as a group sees them: who needs one is told to pull it, and what was pulled replaces log and store.
//!
//! The library never waits for a transfer. A leader tells a member that it no longer has what that member needs; the member
//! fetches, verifies and takes in a snapshot beside its running store, and only then steps it into the library, as if the
//! leader had just sent it. The store changes first, then the log: a crash in between leaves a store that is ahead of
//! its log, and says so ([`covey_shard::Incarnation`]).

use std::sync::Arc;

use covey_shared::ids::NodeId;
use covey_shared::members::ShardDescriptor;
use covey_shared::wire::RaftMessage;
use covey_store::log::LogPosition;
use raft::StateRole;
use raft::eraftpb::{Message, MessageType, SnapshotMetadata};

use super::group::Group;
use super::membership::conf_state;
use super::{AppendTask, Effects};

/// A fetched snapshot, as far as Raft is concerned.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// Its last entry.
    pub at: LogPosition,
    /// The shard at that entry.
    pub descriptor: ShardDescriptor,
}

/// What became of a fetched snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restore {
    /// The store is to be installed; see [`Effects::install`].
    Taken,
    /// The log has caught up meanwhile.
    NotNeeded,
    /// There is no leader to answer to, or the log does not reach that far yet: try again.
    NotNow,
}

/// A snapshot on its way from the library into store and log.
#[derive(Debug)]
pub(crate) struct Restoring {
    index: u64,
    /// The ready that holds it.
    number: u64,
    /// For the log, once the store is installed.
    task: Option<AppendTask>,
    installed: bool,
}

impl Group {
    /// Tells members that need entries which are gone to pull a snapshot, and answers such calls.
    pub(super) fn call_to_pull(&mut self, effects: &mut Effects) {
        let answers = std::mem::take(&mut self.answers);
        self.send(answers, effects);
        for to in self.raw.store().take_wanting() {
            let mut call = Message::default();
            call.set_msg_type(MessageType::MsgSnapshot);
            (call.from, call.to) = (self.me.0, to);
            (call.term, call.index) = (self.raw.raft.term, self.raw.store().first() - 1);
            self.send(vec![call], effects);
        }
    }

    /// Takes in such a call. Returns where to pull from, if it comes from the leader and is still true.
    pub(crate) fn called_to_pull(&mut self, call: &RaftMessage) -> Option<NodeId> {
        let raft = &self.raw.raft;
        let from_leader = raft.leader_id == call.from.0 && raft.term == call.term;
        if !from_leader || raft.state != StateRole::Follower || self.restoring.is_some() {
            return None;
        }
        if raft.raft_log.committed < call.index {
            return Some(call.from.node());
        }
        let durable = raft.raft_log.committed.min(raft.raft_log.persisted);
        if durable < call.index {
            return None;
        }
        // The leader did not hear that the snapshot arrived, and would call for ever.
        let mut answer = Message::default();
        answer.set_msg_type(MessageType::MsgAppendResponse);
        (answer.from, answer.to) = (self.me.0, call.from.0);
        (answer.term, answer.index, answer.commit) = (raft.term, durable, durable);
        self.answers.push(answer);
        None
    }

    /// Steps a fetched snapshot into the library.
    pub(crate) fn restore(&mut self, fetched: &Fetched) -> Restore {
        let raft = &self.raw.raft;
        if self.restoring.is_some() {
            return Restore::NotNeeded;
        }
        if fetched.at.index <= raft.raft_log.committed {
            return self.replace(fetched);
        }
        if raft.state != StateRole::Follower || raft.leader_id == raft::INVALID_ID {
            return Restore::NotNow;
        }
        let mut message = Message::default();
        message.set_msg_type(MessageType::MsgSnapshot);
        (message.from, message.to, message.term) = (raft.leader_id, self.me.0, raft.term);
        let meta = message.mut_snapshot().mut_metadata();
        (meta.index, meta.term) = (fetched.at.index, fetched.at.term);
        meta.set_conf_state(conf_state(&fetched.descriptor.members));
        if let Err(error) = self.raw.step(message) {
            tracing::warn!(shard = self.descriptor.shard.0, %error, "a fetched snapshot is refused");
        }
        match self.raw.snap() {
            Some(_) => {
                self.descriptor = Arc::new(fetched.descriptor.clone());
                self.conf_index = fetched.at.index;
                Restore::Taken
            }
            // The log has that entry already.
            None => self.replace(fetched),
        }
    }

    /// The library has taken a snapshot: the log begins anew behind it. Returns where.
    pub(super) fn begin_restore(&mut self, snapshot: &SnapshotMetadata) -> LogPosition {
        let at = (snapshot.index, snapshot.term);
        self.raw.mut_store().restore(at, snapshot.get_conf_state().clone());
        self.backlog.begin_anew(snapshot.index);
        LogPosition {
            index: snapshot.index,
            term: snapshot.term,
        }
    }

    /// The log waits until the store is installed.
    pub(super) fn install_first(&mut self, task: AppendTask, effects: &mut Effects) {
        let index = task.reset.map_or(0, |at| at.index);
        effects.install.push((self.descriptor.shard, index));
        self.restoring = Some(Restoring {
            index,
            number: task.ready,
            task: Some(task),
            installed: false,
        });
    }

    /// The store holds the snapshot, safe from any crash. Whether that was all; else the log is next.
    pub(crate) fn installed(&mut self, index: u64) -> bool {
        match self.restoring.as_mut().filter(|restoring| restoring.index == index) {
            Some(restoring) => {
                restoring.installed = true;
                false
            }
            None => self.end_rebuild(index),
        }
    }

    /// Whether readies may be taken: what comes after a snapshot goes into the log after it.
    pub(super) fn may_go_on(&mut self, effects: &mut Effects) -> bool {
        let Some(restoring) = &mut self.restoring else {
            return true;
        };
        if restoring.installed {
            effects.append.extend(restoring.task.take());
        }
        restoring.task.is_none()
    }

    /// The log has this ready: if it is that of a snapshot, everything before it is applied. Whether it was.
    pub(super) fn end_restore(&mut self, number: u64) -> bool {
        let Some(restoring) = self.restoring.take_if(|restoring| restoring.number <= number) else {
            return false;
        };
        self.rebuild = None;
        self.applied = restoring.index;
        self.durable_applied = restoring.index;
        self.raw.advance_apply_to(restoring.index);
        self.freshness.applied(restoring.index);
        true
    }
}

#[cfg(test)]
#[path = "restore_test.rs"]
mod tests;
