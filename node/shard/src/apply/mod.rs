//! Applies committed entries. Deterministic: no clock, no randomness, no dependence on how entries are grouped.
//!
//! Each rule reads and writes through [`Txn`]; what memory must learn is collected as [`Change`]s and done after the
//! commit. Configured limits take part in decisions, so they must be equal on all replicas.

mod actions;
mod change;
mod effects;
mod metadata;
mod posts;
mod served;
mod trim;
mod txn;
mod users;

use std::sync::Arc;

use covey_embeddings::SpaceSpec;
use covey_metadata::Metadata;
use covey_shared::command::{ItemResult, Proposal, RejectReason, ShardCommand};
use covey_shared::ids::{PostKey, UnixMillis, UserId};
use covey_shared::members::MemberChange;
use covey_shared::slots::Slot;

pub(crate) use change::Change;
#[cfg(test)]
pub(crate) use metadata::AUDIT_LINES;
pub(crate) use txn::Txn;

use crate::applied::{Applied, EntryToApply, Payload};
use crate::error::ShardStoreError;
use crate::expiry::Expiry;
use crate::keys::{Keys, Kind};
use crate::options::ShardOptions;
use crate::records::{PostState, UserState};

pub(crate) type ItemOutcome = Result<ItemResult, ShardStoreError>;

/// The work on one group of entries.
pub(crate) struct Group<'a> {
    pub(crate) txn: Txn<'a>,
    pub(crate) keys: Keys,
    pub(crate) options: &'a ShardOptions,
    pub(crate) content: &'a SpaceSpec,
    pub(crate) applied: Applied,
    pub(crate) expiry: &'a mut Expiry,
    pub(crate) changes: Vec<Change>,
    /// Of the cluster, in its shard.
    pub(crate) metadata: Arc<Metadata>,
}

impl Group<'_> {
    /// Applies one entry; its results are those of its items.
    pub(crate) fn entry(&mut self, entry: &EntryToApply) -> Result<Vec<ItemResult>, ShardStoreError> {
        if entry.index <= self.applied.index {
            return Ok(Vec::new());
        }
        if entry.index.0 != self.applied.index.0 + 1 {
            return Err(ShardStoreError::Gap {
                shard: self.keys.shard,
                applied: self.applied.index,
                found: entry.index,
            });
        }
        self.applied.index = entry.index;
        self.applied.term = entry.term;
        match &entry.payload {
            Payload::Empty => Ok(Vec::new()),
            Payload::Command(proposal) => self.command(proposal),
            Payload::Members(change) => {
                self.change_members(change);
                Ok(Vec::new())
            }
        }
    }

    /// What was made for other members changes nothing, on all replicas alike.
    fn change_members(&mut self, change: &MemberChange) {
        let mut descriptor = self.applied.descriptor(self.keys.shard);
        if descriptor.change(change).is_ok() {
            self.applied.members = descriptor.members;
            self.applied.epoch = descriptor.epoch;
        }
    }

    fn command(&mut self, proposal: &Proposal) -> Result<Vec<ItemResult>, ShardStoreError> {
        self.applied.log_time = self.applied.log_time.max(proposal.log_time);
        match &proposal.body {
            ShardCommand::PutPosts(items) => items.iter().map(|item| self.put_post(item)).collect(),
            ShardCommand::DeletePosts(items) => items.iter().map(|item| self.delete_post(item)).collect(),
            ShardCommand::PutUsers(items) => items.iter().map(|item| self.put_user(item)).collect(),
            ShardCommand::RecordActions(items) => self.record_actions(items),
            ShardCommand::ApplyEffects(items) => items.iter().map(|item| self.apply_effect(item)).collect(),
            ShardCommand::TrimOutbox(items) => items.iter().map(|item| self.trim_outbox(item)).collect(),
            ShardCommand::TrimBefore(before) => Ok(vec![self.trim_before(*before)?]),
            ShardCommand::RecordServed(items) => items.iter().map(|item| self.record_served(item)).collect(),
            ShardCommand::SetLabels(items) => items.iter().map(|item| self.set_labels(item)).collect(),
            ShardCommand::ComputeHash | ShardCommand::VerifyHash { .. } => Ok(vec![ItemResult::Ok]),
            ShardCommand::Metadata(change) => Ok(vec![self.change_metadata(change)?]),
        }
    }

    pub(crate) fn owns(&self, user: UserId) -> bool {
        self.applied.slots.contains(Slot::of(user))
    }

    /// What the item's owner says before anything else is looked at; `None` = go on.
    pub(crate) fn refused(&self, ids: &[u64], owner: UserId) -> Option<ItemResult> {
        if ids.contains(&0) {
            return Some(ItemResult::Rejected(RejectReason::ZeroId));
        }
        (!self.owns(owner)).then_some(ItemResult::StaleEpoch)
    }

    pub(crate) fn post_state(&self, key: PostKey) -> Result<PostState, ShardStoreError> {
        Ok(self
            .txn
            .read(&self.keys.of_post(Kind::PostState, key))?
            .unwrap_or_default())
    }

    /// Writes the state of a post, and has it expire when it is due.
    pub(crate) fn write_post_state(&mut self, key: PostKey, state: &PostState) -> Result<(), ShardStoreError> {
        self.txn.write(self.keys.of_post(Kind::PostState, key), state)
    }

    pub(crate) fn user_state(&self, user: UserId) -> Result<UserState, ShardStoreError> {
        Ok(self.txn.read(&self.keys.of_user(Kind::User, user))?.unwrap_or_default())
    }

    pub(crate) fn write_user_state(&mut self, user: UserId, state: &UserState) -> Result<(), ShardStoreError> {
        self.txn.write(self.keys.of_user(Kind::User, user), state)
    }

    /// Marks the user as known.
    pub(crate) fn know(&mut self, state: &mut UserState) {
        if !state.known {
            state.known = true;
            self.changes.push(Change::NewUser);
        }
    }

    /// A client's time, not later than the log's: a clock that runs ahead wins nothing.
    pub(crate) fn past(&self, at: UnixMillis) -> UnixMillis {
        at.min(self.applied.log_time)
    }
}

#[cfg(test)]
#[path = "apply_test.rs"]
mod tests;

#[cfg(test)]
#[path = "viewer_test.rs"]
mod viewer_tests;
