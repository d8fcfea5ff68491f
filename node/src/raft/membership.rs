//! Members come and go by entries of the group's own log, one change at a time; who votes changes by joint consensus.
//!
//! The library takes a change when it is *committed* here, whatever the store has applied: so it holds for a replica whose
//! store is damaged, too. The store applies the same entry by the same function, in the batch of its other effects. The next
//! change, and a campaign, wait for the store all the same.

use std::sync::Arc;

use covey_metadata::moving::MAX_BEHIND;
use covey_shared::codec;
use covey_shared::ids::{LogIndex, ReplicaId, ShardEpoch, Term};
use covey_shared::members::{ChangeKind, MEMBER_CHANGE_VERSION, MemberChange, Members, MembersError, ShardDescriptor};
use covey_shared::wire::{MemberProgress, RaftMessage, ShardError, ShardReport};
use raft::eraftpb::{
    ConfChangeSingle, ConfChangeTransition, ConfChangeType, ConfChangeV2, ConfState, Entry, EntryType,
};

use super::group::Group;
use super::proposals::Ticket;

/// When a change cannot be proposed now, but soon.
pub(super) const SOON: ShardError = ShardError::Overloaded { retry_after_ms: 100 };

impl Group {
    /// The shard's state as committed here.
    pub(crate) fn descriptor(&self) -> &Arc<ShardDescriptor> {
        &self.descriptor
    }

    /// Appends a change of the members to the log if this replica leads.
    pub(crate) fn propose_members(&mut self, change: &MemberChange, ticket: Ticket) -> Result<(), ShardError> {
        if !self.serves() {
            return Err(ShardError::NotLeader { hint: self.leader() });
        }
        if matches!(change.kind, ChangeKind::Recover { .. }) {
            return Err(ShardError::Members(MembersError::NotLost));
        }
        let mut after = ShardDescriptor::clone(&self.descriptor);
        after.change(change).map_err(ShardError::Members)?;
        self.check_members(&change.kind, &after.members)
            .map_err(ShardError::Members)?;
        let raft = &self.raw.raft;
        if raft.has_pending_conf() || raft.lead_transferee.is_some() {
            return Err(SOON);
        }
        let context = codec::encode_versioned(MEMBER_CHANGE_VERSION, change).expect("a few ids can be encoded");
        let [wanted] = <[ConfChangeV2; 1]>::try_from(for_library(&change.kind, &self.descriptor.members))
            .expect("what is proposed is one step");
        match self.raw.propose_conf_change(context, wanted) {
            // The library appends an empty entry instead of a change that it does not want now, and says nothing.
            Ok(()) if self.raw.raft.pending_conf_index == self.raw.raft.raft_log.last_index() => {
                self.note_proposal(ticket);
                Ok(())
            }
            Ok(()) | Err(raft::Error::ProposalDropped) => Err(SOON),
            Err(_) => Err(ShardError::NotLeader { hint: self.leader() }),
        }
    }

    /// What a change must not do to those who wait for commits.
    fn check_members(&self, kind: &ChangeKind, after: &Members) -> Result<(), MembersError> {
        let raft = &self.raw.raft;
        match kind {
            ChangeKind::Replace { promote, .. } => {
                let last = raft.raft_log.last_index();
                for replica in promote {
                    let matched = raft.prs().get(replica.0).map_or(0, |progress| progress.matched);
                    // Without an answer it may not be here yet. In its vote it would be taken for one that has lost its disk.
                    if matched == 0 || matched + MAX_BEHIND < last {
                        let (replica, entries) = (*replica, last - matched);
                        return Err(MembersError::Behind { replica, entries });
                    }
                }
                let heard = |replica: &&ReplicaId| self.is_heard(**replica);
                match after.voters.iter().filter(heard).count() > after.voters.len() / 2 {
                    true => Ok(()),
                    false => Err(MembersError::Silent),
                }
            }
            ChangeKind::LeaveJoint if !after.voters.contains(&self.me) => Err(MembersError::Leads(self.me)),
            ChangeKind::LeaveJoint | ChangeKind::AddLearner(_) | ChangeKind::Remove(_) | ChangeKind::Recover { .. } => {
                Ok(())
            }
        }
    }

    /// Takes the changes among newly committed entries.
    pub(super) fn commit_members(&mut self, committed: &[Entry]) {
        for entry in committed {
            if entry.get_entry_type() == EntryType::EntryConfChangeV2 {
                self.commit_change(entry);
            }
        }
    }

    fn commit_change(&mut self, entry: &Entry) {
        let change = decode(&entry.context).expect("only what decodes is proposed or taken in");
        let mut descriptor = ShardDescriptor::clone(&self.descriptor);
        // A replica that begins anew behind a damaged store is given changes again that its members already reflect.
        if descriptor.change(&change).is_err() {
            return;
        }
        self.conf_index = entry.index;
        self.recovering &= !matches!(change.kind, ChangeKind::Recover { .. });
        let mut conf = ConfState::default();
        for step in for_library(&change.kind, &self.descriptor.members) {
            let taken = self.raw.apply_conf_change(&step);
            conf = taken.expect("the library takes what the shard's own rules allow");
        }
        assert!(
            same(&conf, &descriptor.members),
            "shard {}: the library has the members {conf:?}, the shard {descriptor:?}",
            descriptor.shard
        );
        self.raw.mut_store().set_conf_state(conf);
        tracing::info!(shard = descriptor.shard.0, epoch = ?descriptor.epoch, members = ?descriptor.members, "members changed");
        self.descriptor = Arc::new(descriptor);
        let members = &self.descriptor.members;
        self.unfit.retain(|replica| members.has(*replica));
        self.heard.retain(|replica, _| members.has(*replica));
        self.freshness.retain(|replica| members.has(replica));
        // The library lets a leader without a vote go on for ever.
        if self.leads() && !members.voters.contains(&self.me) && !members.is_joint() {
            let term = self.raw.raft.term;
            self.raw.raft.become_follower(term, raft::INVALID_ID);
        }
    }

    /// A group that knew no members, since its store could not say, takes those of the snapshot at `at` that became its store,
    /// and then the changes that its log has behind it.
    pub(super) fn adopt(&mut self, fetched: &ShardDescriptor, at: u64) {
        if !self.descriptor.members.voters.is_empty() {
            return;
        }
        let members = &fetched.members;
        let (voters, mut learners) = match members.is_joint() {
            true => (&members.outgoing, members.learners.clone()),
            false => (&members.voters, members.learners.clone()),
        };
        let promote: Vec<ReplicaId> = members
            .voters
            .iter()
            .filter(|id| !voters.contains(id))
            .copied()
            .collect();
        learners.extend(&promote);
        // The library restores a configuration only at its own start, and enters no joint one from an empty one: one voter after the
        // other.
        let mut steps: Vec<ConfChangeV2> = voters
            .iter()
            .map(|voter| change_of(vec![one(ConfChangeType::AddNode, voter)]))
            .collect();
        steps.extend(
            learners
                .iter()
                .map(|learner| change_of(vec![one(ConfChangeType::AddLearnerNode, learner)])),
        );
        if members.is_joint() {
            steps.push(replacing(&promote, &members.learners_next));
        }
        let mut conf = ConfState::default();
        for step in &steps {
            conf = self.raw.apply_conf_change(step).expect("a shard has been like this");
        }
        assert!(
            same(&conf, members),
            "the library has the members {conf:?}, the snapshot {fetched:?}"
        );
        self.raw.mut_store().set_conf_state(conf);
        (self.descriptor, self.conf_index) = (Arc::new(fetched.clone()), at);
        let committed = self.raw.raft.raft_log.committed;
        let behind: Vec<Entry> = self
            .raw
            .store()
            .after(at)
            .take((committed - at) as usize)
            .cloned()
            .collect();
        self.commit_members(&behind);
    }

    /// What is known of the members.
    pub(crate) fn report(&self) -> ShardReport {
        let raft = &self.raw.raft;
        let progress = |replica: ReplicaId| {
            let progress = raft.prs().get(replica.0)?;
            Some(MemberProgress {
                replica,
                matched: LogIndex(progress.matched),
                heard: self.is_heard(replica),
                fit: !self.unfit.contains(&replica),
            })
        };
        let members = self.descriptor.members.all();
        ShardReport {
            replica: self.me,
            descriptor: ShardDescriptor::clone(&self.descriptor),
            leader: (raft.leader_id != raft::INVALID_ID).then_some(ReplicaId(raft.leader_id)),
            term: Term(raft.term),
            last: LogIndex(raft.raft_log.last_index()),
            applied: LogIndex(self.applied),
            members: match self.serves() {
                true => members.into_iter().filter_map(progress).collect(),
                false => Vec::new(),
            },
        }
    }

    /// Whether a message is meant for this incarnation of the group and comes from a member of it: of its present members, or
    /// of ones that it has not heard of yet. So nobody who was removed is listened to.
    pub(crate) fn is_for(&self, message: &RaftMessage) -> bool {
        let ShardEpoch { range_ver, conf_ver } = self.descriptor.epoch;
        message.to == self.me
            && !self.recovering
            && message.from.shard() == message.shard
            && message.epoch.range_ver == range_ver
            && (self.descriptor.members.has(message.from) || message.epoch.conf_ver > conf_ver)
    }

    /// Whether the caller knows newer members than this replica does: then others may lead by now, and the ones that it leads may have been
    /// given up. A leader that has only just been elected learns it within a round trip.
    pub(super) fn is_behind(&self, caller: ShardEpoch) -> bool {
        caller.conf_ver > self.descriptor.epoch.conf_ver
    }

    /// Whether others would have to do without a leader if this replica did not stand for election: the first to do so is the
    /// same everywhere, and another one for each shard.
    pub(super) fn is_preferred(&self) -> bool {
        let mut voters = self.descriptor.members.voters.clone();
        voters.sort_unstable_by_key(|replica| replica.node());
        let first = self.descriptor.shard.0.saturating_sub(1) as usize % voters.len().max(1);
        voters.get(first) == Some(&self.me)
    }
}

/// The change in an entry's context. `None`: it is none.
pub(super) fn decode(context: &[u8]) -> Option<MemberChange> {
    codec::decode_versioned(MEMBER_CHANGE_VERSION, context).ok()
}

/// Members as the library has them.
pub(super) fn conf_state(members: &Members) -> ConfState {
    let ids = |list: &[ReplicaId]| list.iter().map(|replica| replica.0).collect::<Vec<u64>>();
    ConfState {
        voters: ids(&members.voters),
        voters_outgoing: ids(&members.outgoing),
        learners: ids(&members.learners),
        learners_next: ids(&members.learners_next),
        ..ConfState::default()
    }
}

fn same(conf: &ConfState, members: &Members) -> bool {
    let sorted = |list: &[u64]| {
        let mut ids: Vec<ReplicaId> = list.iter().map(|id| ReplicaId(*id)).collect();
        ids.sort_unstable();
        ids
    };
    let found = Members {
        voters: sorted(&conf.voters),
        outgoing: sorted(&conf.voters_outgoing),
        learners: sorted(&conf.learners),
        learners_next: sorted(&conf.learners_next),
    };
    found == *members && !conf.auto_leave
}

/// What the library has to do, step by step, where the members are these: one step, but for a recovery.
fn for_library(kind: &ChangeKind, before: &Members) -> Vec<ConfChangeV2> {
    use ConfChangeType::{AddLearnerNode, AddNode, RemoveNode};
    match kind {
        ChangeKind::AddLearner(new) => vec![change_of(vec![one(AddLearnerNode, new)])],
        ChangeKind::Remove(gone) => vec![change_of(vec![one(RemoveNode, gone)])],
        ChangeKind::LeaveJoint => vec![change_of(vec![])],
        ChangeKind::Replace { promote, demote } => vec![replacing(promote, demote)],
        ChangeKind::Recover { keep, .. } => {
            // It takes one voter after the other, and none while a change is under way.
            let leave = before.is_joint().then(|| change_of(vec![]));
            let others = before.all().into_iter().filter(|replica| replica != keep);
            let rest = std::iter::once(one(AddNode, keep)).chain(others.map(|gone| one(RemoveNode, &gone)));
            leave
                .into_iter()
                .chain(rest.map(|step| change_of(vec![step])))
                .collect()
        }
    }
}

/// Only we leave a joint configuration: the library would do so by itself on whoever leads when it is entered, and never if
/// that one is gone.
fn replacing(promote: &[ReplicaId], demote: &[ReplicaId]) -> ConfChangeV2 {
    let promoted = promote.iter().map(|replica| one(ConfChangeType::AddNode, replica));
    let demoted = demote
        .iter()
        .map(|replica| one(ConfChangeType::AddLearnerNode, replica));
    let mut change = change_of(promoted.chain(demoted).collect());
    change.set_transition(ConfChangeTransition::Explicit);
    change
}

fn one(what: ConfChangeType, replica: &ReplicaId) -> ConfChangeSingle {
    let mut single = ConfChangeSingle::default();
    single.set_change_type(what);
    single.node_id = replica.0;
    single
}

fn change_of(changes: Vec<ConfChangeSingle>) -> ConfChangeV2 {
    let mut change = ConfChangeV2::default();
    change.set_changes(changes.into());
    change
}

#[cfg(test)]
#[path = "membership_test.rs"]
mod tests;
