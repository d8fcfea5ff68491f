//! Who belongs to a shard, and how that changes: one pure function that store, Raft group and operators share.
//!
//! A change names the `conf_ver` that it was made for and yields the next one. So a change that was overtaken, or is applied
//! again, changes nothing, on all replicas alike; and a `conf_ver` means one list of members, for ever.

use std::collections::BTreeSet;

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::ids::{NodeId, ReplicaId, ShardEpoch, ShardId};
use crate::layout::ShardPlan;
use crate::slots::SlotRange;

/// Replicas of one shard at most, of all kinds.
pub const MAX_MEMBERS: usize = 16;

/// Versions that a recovery leaves out: more than a majority that is lost can have made of which nobody else knows.
pub const RECOVERY_VERSIONS: u64 = 1000;

/// Version of an encoded [`MemberChange`].
pub const MEMBER_CHANGE_VERSION: u16 = 1;

/// The members of a shard, each list ascending. While `outgoing` is not empty the configuration is joint: an entry then needs
/// a majority of the voters *and* one of the outgoing ones.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Members {
    /// Voters; of a joint configuration the incoming ones.
    pub voters: Vec<ReplicaId>,
    /// Voters before the change that is under way.
    pub outgoing: Vec<ReplicaId>,
    /// They get the log, and have no vote.
    pub learners: Vec<ReplicaId>,
    /// Outgoing voters that are learners once the joint configuration is left.
    pub learners_next: Vec<ReplicaId>,
}

/// One change of the members. Append-only.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub enum ChangeKind {
    /// A new replica, without a vote.
    AddLearner(ReplicaId),
    /// Learners get a vote and voters lose it, in a joint configuration.
    Replace {
        /// Learners that become voters.
        promote: Vec<ReplicaId>,
        /// Voters that become learners.
        demote: Vec<ReplicaId>,
    },
    /// The outgoing voters have no say any more.
    LeaveJoint,
    /// A learner leaves.
    Remove(ReplicaId),
    /// One replica goes on alone, since a majority of the voters is lost for good. What only these have acknowledged is lost.
    Recover {
        /// The one that stays.
        keep: ReplicaId,
        /// The version that this yields: higher than any that the others can have.
        conf_ver: u64,
    },
}

/// A change as the log carries it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct MemberChange {
    /// The `conf_ver` that it was made for.
    pub expected: u64,
    /// What changes.
    pub kind: ChangeKind,
}

/// Why members do not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error, Encode, Decode, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MembersError {
    /// They have changed since.
    #[error("the members have changed since, to conf_ver {have}")]
    Overtaken {
        /// Their version now.
        have: u64,
    },
    /// One change at a time.
    #[error("an earlier change of the members is under way")]
    Joint,
    /// There is nothing to leave.
    #[error("no change of the members is under way")]
    NotJoint,
    /// Its id names another shard, or an earlier birth.
    #[error("{0:?} cannot be a new replica of this shard")]
    BadId(ReplicaId),
    /// One replica per node.
    #[error("node {0} has a replica of this shard")]
    NodeTaken(NodeId),
    /// It is not what the change needs it to be.
    #[error("{0:?} is no learner of this shard")]
    NotALearner(ReplicaId),
    /// It is not what the change needs it to be.
    #[error("{0:?} is no voter of this shard")]
    NotAVoter(ReplicaId),
    /// Nobody would vote, or nothing would change.
    #[error("a shard needs a voter, and a change something to change")]
    Empty,
    /// It would have a vote before it has the log.
    #[error("{replica:?} is {entries} entries behind")]
    Behind {
        /// The learner.
        replica: ReplicaId,
        /// How many it lacks.
        entries: u64,
    },
    /// Nothing could be committed.
    #[error("too few of the voters to be have been heard of lately")]
    Silent,
    /// It would lead without a vote.
    #[error("{0:?} leads and would have no vote: hand the leadership over first")]
    Leads(ReplicaId),
    /// More than [`MAX_MEMBERS`].
    #[error("a shard has at most {MAX_MEMBERS} replicas")]
    Full,
    /// It can change its members as it always does.
    #[error("the leader of the shard, or most of its voters, are heard of: it needs no recovery")]
    NotLost,
}

impl Members {
    /// Voters only.
    pub fn of(voters: impl IntoIterator<Item = ReplicaId>) -> Members {
        let voters: BTreeSet<ReplicaId> = voters.into_iter().collect();
        Members {
            voters: voters.into_iter().collect(),
            ..Members::default()
        }
    }

    /// Every member once, ascending.
    pub fn all(&self) -> BTreeSet<ReplicaId> {
        [&self.voters, &self.outgoing, &self.learners]
            .into_iter()
            .flatten()
            .copied()
            .collect()
    }

    /// Whether it is a member of any kind.
    pub fn has(&self, replica: ReplicaId) -> bool {
        [&self.voters, &self.outgoing, &self.learners]
            .into_iter()
            .any(|list| list.contains(&replica))
    }

    /// The member on `node`.
    pub fn on(&self, node: NodeId) -> Option<ReplicaId> {
        self.all().into_iter().find(|replica| replica.node() == node)
    }

    /// Whether it has a vote, be it an outgoing one.
    pub fn votes(&self, replica: ReplicaId) -> bool {
        self.voters.contains(&replica) || self.outgoing.contains(&replica)
    }

    /// Whether a change is under way.
    pub fn is_joint(&self) -> bool {
        !self.outgoing.is_empty()
    }

    fn after(&self, shard: ShardId, conf_ver: u64, kind: &ChangeKind) -> Result<Members, MembersError> {
        match kind {
            ChangeKind::LeaveJoint if self.is_joint() => Ok(Members {
                voters: self.voters.clone(),
                learners: merged(&self.learners, &self.learners_next),
                ..Members::default()
            }),
            ChangeKind::LeaveJoint => Err(MembersError::NotJoint),
            ChangeKind::Recover { keep, conf_ver: new } => match self.has(*keep) {
                true if *new > conf_ver => Ok(Members::of([*keep])),
                true => Err(MembersError::Overtaken { have: conf_ver }),
                false => Err(MembersError::NotAVoter(*keep)),
            },
            _ if self.is_joint() => Err(MembersError::Joint),
            ChangeKind::AddLearner(new) => self.add(shard, conf_ver, *new),
            ChangeKind::Replace { promote, demote } => self.replace(promote, demote),
            ChangeKind::Remove(learner) => {
                self.require_learner(*learner)?;
                Ok(Members {
                    learners: without(&self.learners, &[*learner]),
                    ..self.clone()
                })
            }
        }
    }

    fn add(&self, shard: ShardId, conf_ver: u64, new: ReplicaId) -> Result<Members, MembersError> {
        // The version that this change yields: it is yielded once, so the id is never used again.
        let born = conf_ver + 1;
        if new != ReplicaId::new(born, shard, new.node()) || new.born() != born {
            return Err(MembersError::BadId(new));
        }
        if self.on(new.node()).is_some() {
            return Err(MembersError::NodeTaken(new.node()));
        }
        if self.all().len() >= MAX_MEMBERS {
            return Err(MembersError::Full);
        }
        Ok(Members {
            learners: merged(&self.learners, &[new]),
            ..self.clone()
        })
    }

    fn replace(&self, promote: &[ReplicaId], demote: &[ReplicaId]) -> Result<Members, MembersError> {
        promote.iter().try_for_each(|replica| self.require_learner(*replica))?;
        if let Some(stranger) = demote.iter().find(|replica| !self.voters.contains(replica)) {
            return Err(MembersError::NotAVoter(*stranger));
        }
        let voters = merged(&without(&self.voters, demote), promote);
        if voters.is_empty() || voters == self.voters {
            return Err(MembersError::Empty);
        }
        Ok(Members {
            voters,
            outgoing: self.voters.clone(),
            learners: without(&self.learners, promote),
            learners_next: merged(&[], demote),
        })
    }

    fn require_learner(&self, replica: ReplicaId) -> Result<(), MembersError> {
        match self.learners.contains(&replica) {
            true => Ok(()),
            false => Err(MembersError::NotALearner(replica)),
        }
    }
}

fn merged(list: &[ReplicaId], more: &[ReplicaId]) -> Vec<ReplicaId> {
    let all: BTreeSet<ReplicaId> = list.iter().chain(more).copied().collect();
    all.into_iter().collect()
}

fn without(list: &[ReplicaId], gone: &[ReplicaId]) -> Vec<ReplicaId> {
    list.iter().filter(|replica| !gone.contains(replica)).copied().collect()
}

/// What is true of a shard at one epoch.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct ShardDescriptor {
    /// The shard.
    pub shard: ShardId,
    /// Slots that it owns.
    pub slots: SlotRange,
    /// Which of its descriptors this is.
    pub epoch: ShardEpoch,
    /// Its replicas.
    pub members: Members,
}

impl ShardDescriptor {
    /// As the cluster was founded.
    pub fn founding(plan: &ShardPlan) -> ShardDescriptor {
        ShardDescriptor {
            shard: plan.shard,
            slots: plan.slots,
            epoch: plan.epoch,
            members: Members::of(plan.voters.iter().map(|place| place.replica)),
        }
    }

    /// Applies a change.
    ///
    /// # Errors
    /// It was made for another version or for other members; nothing has changed then.
    pub fn change(&mut self, change: &MemberChange) -> Result<(), MembersError> {
        let have = self.epoch.conf_ver;
        if change.expected != have {
            return Err(MembersError::Overtaken { have });
        }
        self.members = self.members.after(self.shard, have, &change.kind)?;
        self.epoch.conf_ver = match change.kind {
            ChangeKind::Recover { conf_ver, .. } => conf_ver,
            _ => have + 1,
        };
        Ok(())
    }

    /// The change that leaves `keep` alone, with a version that lies behind this one and behind `seen`.
    pub fn recover(&self, keep: ReplicaId, seen: u64) -> MemberChange {
        let expected = self.epoch.conf_ver;
        let conf_ver = expected.max(seen).saturating_add(RECOVERY_VERSIONS);
        MemberChange {
            expected,
            kind: ChangeKind::Recover { keep, conf_ver },
        }
    }

    /// The change that adds a replica on `node`.
    pub fn add_learner(&self, node: NodeId) -> MemberChange {
        let expected = self.epoch.conf_ver;
        MemberChange {
            expected,
            kind: ChangeKind::AddLearner(ReplicaId::new(expected + 1, self.shard, node)),
        }
    }
}

#[cfg(test)]
#[path = "members_test.rs"]
mod tests;
