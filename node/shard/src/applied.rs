//! What a replica has applied, and what it is given to apply.

use bincode::{Decode, Encode};
use covey_shared::codec::{CodecError, decode_versioned, encode_versioned};
use covey_shared::command::Proposal;
use covey_shared::ids::{Generation, LogIndex, ReplicaId, ShardEpoch, ShardId, Term, UnixMillis};
use covey_shared::members::{MemberChange, Members, ShardDescriptor};
use covey_shared::slots::SlotRange;
use covey_store::kv::KvRead;

use crate::error::ShardStoreError;
use crate::keys::{Keys, kind_name};

/// Format version of [`Applied`], a count of its own.
const APPLIED_VERSION: u16 = 2;

/// The durable record of a replica, written in the same batch as the effects of the entry at `index`. Nothing else
/// says what was applied.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Applied {
    /// Last applied entry.
    pub index: LogIndex,
    /// Its term.
    pub term: Term,
    /// The replicas of the shard, as of `index`.
    pub members: Members,
    /// Epoch of the shard.
    pub epoch: ShardEpoch,
    /// Slots that the shard owns.
    pub slots: SlotRange,
    /// Log time: the highest that an entry carried. The only clock of apply.
    pub log_time: UnixMillis,
    /// Posts created before this are gone, even where their records are not yet removed.
    pub trimmed_before: UnixMillis,
}

/// As it was before members could change. The voters had an order of their own: the preferred leader came first.
#[derive(Decode)]
struct AppliedV1 {
    index: LogIndex,
    term: Term,
    voters: Vec<ReplicaId>,
    learners: Vec<ReplicaId>,
    epoch: ShardEpoch,
    slots: SlotRange,
    log_time: UnixMillis,
    trimmed_before: UnixMillis,
}

impl Applied {
    /// Of a replica that has applied nothing.
    pub(crate) fn nothing(descriptor: &ShardDescriptor) -> Applied {
        Applied {
            index: LogIndex(0),
            term: Term(0),
            members: descriptor.members.clone(),
            epoch: descriptor.epoch,
            slots: descriptor.slots,
            log_time: UnixMillis(0),
            trimmed_before: UnixMillis(0),
        }
    }

    /// What it says of `shard`, whose record it is.
    pub fn descriptor(&self, shard: ShardId) -> ShardDescriptor {
        ShardDescriptor {
            shard,
            slots: self.slots,
            epoch: self.epoch,
            members: self.members.clone(),
        }
    }

    /// The record of one generation of a replica, whatever the state of the rest of it; `None` if there is none.
    ///
    /// # Errors
    /// A failed store, a damaged record.
    pub fn of(kv: &dyn KvRead, shard: ShardId, generation: Generation) -> Result<Option<Applied>, ShardStoreError> {
        let key = Keys { generation, shard }.applied();
        let value = kv.get(&key)?;
        value.map(|value| Applied::decode(shard, &key, &value)).transpose()
    }

    /// What lies under `key`.
    pub(crate) fn decode(shard: ShardId, key: &[u8], value: &[u8]) -> Result<Applied, ShardStoreError> {
        read(value).map_err(|source| ShardStoreError::Record {
            shard,
            kind: kind_name(key),
            key: key.to_vec(),
            source,
        })
    }

    /// For the store.
    pub(crate) fn encode(&self) -> Result<Vec<u8>, ShardStoreError> {
        encode_versioned(APPLIED_VERSION, self).map_err(ShardStoreError::Encode)
    }
}

fn read(value: &[u8]) -> Result<Applied, CodecError> {
    if value.first_chunk() == Some(&1_u16.to_le_bytes()) {
        return Ok(decode_versioned::<AppliedV1>(1, value)?.into());
    }
    decode_versioned(APPLIED_VERSION, value)
}

impl From<AppliedV1> for Applied {
    fn from(old: AppliedV1) -> Applied {
        Applied {
            index: old.index,
            term: old.term,
            members: Members {
                learners: Members::of(old.learners).voters,
                ..Members::of(old.voters)
            },
            epoch: old.epoch,
            slots: old.slots,
            log_time: old.log_time,
            trimmed_before: old.trimmed_before,
        }
    }
}

/// One committed entry.
#[derive(Clone, Debug)]
pub struct EntryToApply {
    /// Position in the log. Entries up to the applied index are skipped and yield no results.
    pub index: LogIndex,
    /// Its term.
    pub term: Term,
    /// What it holds.
    pub payload: Payload,
}

/// Content of a committed entry.
#[derive(Clone, Debug)]
pub enum Payload {
    /// Nothing: a new leader's first entry.
    Empty,
    /// A change of the shard's state.
    Command(Proposal),
    /// The members change, unless they have changed since it was made. No results.
    Members(MemberChange),
}

#[cfg(test)]
#[path = "applied_test.rs"]
mod tests;
