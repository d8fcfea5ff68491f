//! One replica goes on alone: the last resort of a shard that has lost a majority of its voters for good.
//!
//! It breaks the one rule of the log, that an entry counts once a majority has it, and so is asked for by an operator only. All else
//! stays as it is: what this replica has in its log is taken for committed and applied, then an entry behind it, of a term of its own, takes
//! the others out. That entry is replicated to whoever joins later, as any other one. Whoever asks asks until the members show it.
//!
//! A crash may come anywhere: term, vote, entry and commit index are one record of the log. If it was written the recovery has happened; if
//! not, nothing has. Until it is written this replica listens to nobody: others that are back would have other entries in the place of those that
//! it takes for committed. The version of the members that it yields lies far behind all that the lost ones can have made, so nobody here
//! listens to them any more, and each learns that it is a stranger.

use covey_shared::codec;
use covey_shared::ids::ReplicaId;
use covey_shared::members::{MEMBER_CHANGE_VERSION, MemberChange, Members, MembersError, ShardDescriptor};
use covey_shared::wire::{NotReady, ShardError};
use raft::GetEntriesContext;
use raft::eraftpb::{Entry, EntryType};

use super::group::Group;
use super::membership::{SOON, decode};

/// Election timeouts for which a group has to run first: before, it can have heard of nobody.
const LISTENS: u64 = 2;

impl Group {
    /// Takes the next step towards the recovery that `change` is. Returns why it has not happened yet.
    pub(super) fn recover(&mut self, change: &MemberChange) -> ShardError {
        let mut after = self.descriptor().as_ref().clone();
        if let Err(error) = after.change(change) {
            return ShardError::Members(error);
        }
        if after.members != Members::of([self.me]) {
            return ShardError::Members(MembersError::NotAVoter(self.me));
        }
        if self.is_frozen() || self.restoring.is_some() {
            return ShardError::NotReady(NotReady::Rebuilding);
        }
        if self.ticks < LISTENS * self.limits.election_ticks as u64 {
            return ShardError::NotReady(NotReady::Starting);
        }
        if !self.is_lost() {
            return ShardError::Members(MembersError::NotLost);
        }
        let Some(after) = self.behind_the_log() else {
            return ShardError::NotReady(NotReady::Rebuilding);
        };
        let raft = &mut self.raw.raft;
        let mut last = raft.raft_log.last_index();
        // Not if an earlier request has written it and could not commit it.
        if after.members != Members::of([self.me]) {
            let change = MemberChange {
                expected: after.epoch.conf_ver,
                kind: change.kind.clone(),
            };
            if let Err(error) = after.clone().change(&change) {
                return ShardError::Members(error);
            }
            raft.become_candidate();
            last += 1;
            let entry = entry(raft.term, last, &change);
            raft.raft_log.append(&[entry]);
            tracing::warn!(
                shard = self.me.shard().0,
                index = last,
                ?change,
                "this replica goes on alone: what only the others had acknowledged is lost"
            );
        }
        // Some of what lies before may have been acknowledged, and nobody is left who could say.
        raft.raft_log.commit_to(last);
        self.recovering = true;
        SOON
    }

    /// The shard as it is behind all that this replica has in its log.
    fn behind_the_log(&self) -> Option<ShardDescriptor> {
        let mut after = ShardDescriptor::clone(self.descriptor());
        let log = &self.raw.raft.raft_log;
        let tail = log.entries(self.applied + 1, None, GetEntriesContext::empty(false));
        for entry in tail.ok()? {
            if entry.get_entry_type() == EntryType::EntryConfChangeV2 {
                // What the descriptor reflects already, or what was overtaken, changes nothing.
                _ = after.change(&decode(&entry.context)?);
            }
        }
        Some(after)
    }

    /// No leader is heard of, and too few of the voters to elect one.
    fn is_lost(&self) -> bool {
        let members = &self.descriptor().members;
        let heard = |voters: &[ReplicaId]| voters.iter().filter(|voter| self.is_heard(**voter)).count();
        let most = |voters: &[ReplicaId]| heard(voters) > voters.len() / 2;
        let able = most(&members.voters) && (!members.is_joint() || most(&members.outgoing));
        let leader = ReplicaId(self.raw.raft.leader_id);
        let led = self.leads() || leader.0 != raft::INVALID_ID && self.is_heard(leader);
        !able && !led
    }
}

fn entry(term: u64, index: u64, change: &MemberChange) -> Entry {
    let context = codec::encode_versioned(MEMBER_CHANGE_VERSION, change).expect("a few ids can be encoded");
    let mut entry = Entry {
        index,
        term,
        context: context.into(),
        ..Entry::default()
    };
    entry.set_entry_type(EntryType::EntryConfChangeV2);
    entry
}

#[cfg(test)]
#[path = "recovery_test.rs"]
mod tests;
