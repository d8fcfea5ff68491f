//! Values of the post store. Each is encoded behind a format version; a change of layout is a new version.

use bincode::{Decode, Encode};
use covey_shared::codec::{CodecError, decode_versioned, encode_versioned};
use covey_shared::command::Effect;
use covey_shared::ids::{ModelEpoch, PostId, UnixMillis, Version};
use covey_shared::model::{F16Vector, Post, PostV1, Profile};
use covey_shared::wire::{Counters, ViewerAction};

use crate::heat::{Heat, Heats};
use crate::keys::EDGE_KINDS;

/// Format version of records that have no count of their own.
pub(crate) const RECORD_VERSION: u16 = 1;

/// A value of the store, behind its format version.
pub(crate) trait Record: Encode + Sized {
    /// The version that is written.
    const VERSION: u16 = RECORD_VERSION;

    /// Reads that version and all before it.
    fn read(value: &[u8]) -> Result<Self, CodecError>;

    fn to_bytes(&self) -> Result<Vec<u8>, CodecError> {
        encode_versioned(Self::VERSION, self)
    }
}

/// A record of several versions. Replicas may have it in different ones, and a hash that lies in the log is compared by the releases to
/// come, too: what is hashed has a form that stays as it is, whatever is added.
pub(crate) trait Hashed: Record {
    /// What replicas hash of it.
    fn hashed(self) -> Result<Vec<u8>, CodecError>;
}

/// Records that have one version.
macro_rules! plain {
    ($($Record:ty),+) => {
        $(impl Record for $Record {
            fn read(value: &[u8]) -> Result<Self, CodecError> {
                decode_versioned(Self::VERSION, value)
            }
        })+
    };
}

plain!((), u64, Vec<PostId>, StoredProfile, StoredEdge, StoredKeywords);
plain!(ViewerAction, Effect, PendingRow, BloomGeneration);

/// The version that a value says it has.
fn version_of(value: &[u8]) -> Option<u16> {
    value.first_chunk().map(|version| u16::from_le_bytes(*version))
}

impl Record for Post {
    const VERSION: u16 = 2;

    fn read(value: &[u8]) -> Result<Post, CodecError> {
        match version_of(value) {
            Some(1) => Ok(decode_versioned::<PostV1>(1, value)?.into()),
            _ => decode_versioned(Self::VERSION, value),
        }
    }
}

impl Record for PostState {
    const VERSION: u16 = 3;

    fn read(value: &[u8]) -> Result<PostState, CodecError> {
        match version_of(value) {
            Some(1) => {
                let (base, engagement): (PostStateBase, Heat) = decode_versioned(1, value)?;
                let talk = Heat::default();
                Ok(base.with(Heats { engagement, talk }))
            }
            Some(2) => {
                let (base, heats): (PostStateBase, Heats) = decode_versioned(2, value)?;
                Ok(base.with(heats))
            }
            _ => decode_versioned(Self::VERSION, value),
        }
    }
}

impl Record for UserState {
    const VERSION: u16 = 2;

    fn read(value: &[u8]) -> Result<UserState, CodecError> {
        match version_of(value) {
            Some(1) => Ok(decode_versioned::<UserStateV1>(1, value)?.into()),
            _ => decode_versioned(Self::VERSION, value),
        }
    }
}

/// What is kept of a post besides its body.
#[derive(Clone, Debug, Default, PartialEq, Encode, Decode)]
pub(crate) struct PostState {
    /// Version of the body; `None` without one.
    pub(crate) version: Option<Version>,
    /// Creation time of the body.
    pub(crate) created_at: UnixMillis,
    /// Version of the tombstone: puts up to it are dead.
    pub(crate) deleted: Option<Version>,
    /// Labels set by a label write; they stand above those of the body.
    pub(crate) labels: Option<(Version, u32)>,
    /// Log time of the last change that needs no body (tombstone, label, count): when it expires.
    pub(crate) touched: UnixMillis,
    /// Recorded actions.
    pub(crate) counters: Counters,
    /// Time-decayed sums. Derived with the configured half-lives, which replicas may have read at different times.
    pub(crate) heats: Heats,
    /// Country of the author when the post was first written; zeros = not known, or a reply then.
    pub(crate) country: [u8; 2],
}

/// What all versions of it begin with. Version 1 goes on with the engagement, version 2 with both sums.
#[derive(Encode, Decode)]
struct PostStateBase {
    version: Option<Version>,
    created_at: UnixMillis,
    deleted: Option<Version>,
    labels: Option<(Version, u32)>,
    touched: UnixMillis,
    counters: Counters,
}

impl PostStateBase {
    fn with(self, heats: Heats) -> PostState {
        PostState {
            version: self.version,
            created_at: self.created_at,
            deleted: self.deleted,
            labels: self.labels,
            touched: self.touched,
            counters: self.counters,
            heats,
            country: [0; 2],
        }
    }
}

/// Version 2.
impl Hashed for Post {
    fn hashed(self) -> Result<Vec<u8>, CodecError> {
        encode_versioned(2, &self)
    }
}

/// Version 2 without sums.
impl Hashed for PostState {
    fn hashed(self) -> Result<Vec<u8>, CodecError> {
        let base = PostStateBase {
            version: self.version,
            created_at: self.created_at,
            deleted: self.deleted,
            labels: self.labels,
            touched: self.touched,
            counters: self.counters,
        };
        encode_versioned(2, &(base, Heats::default()))
    }
}

impl PostState {
    /// When the record may be dropped.
    pub(crate) fn expires_by(&self) -> UnixMillis {
        if self.version.is_some() {
            self.created_at
        } else {
            self.touched
        }
    }
}

/// What is kept of a user in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub(crate) struct UserState {
    /// A write named the user, or the user acted.
    pub(crate) known: bool,
    /// Followers counted so far; below 0 only while an effect is on its way.
    pub(crate) followers: i64,
    /// Edges that are on, by kind.
    pub(crate) edges: [u32; EDGE_KINDS],
    /// Number of the next action.
    pub(crate) next_action: u64,
    /// Served deltas that are kept.
    pub(crate) served: u32,
}

/// As it was before topics could be followed. Read and hashed, not written.
#[derive(Encode, Decode)]
struct UserStateV1 {
    known: bool,
    followers: i64,
    edges: [u32; 4],
    next_action: u64,
    served: u32,
}

impl From<UserStateV1> for UserState {
    fn from(old: UserStateV1) -> UserState {
        let [follows, blocks, mutes, subscriptions] = old.edges;
        UserState {
            known: old.known,
            followers: old.followers,
            edges: [follows, blocks, mutes, subscriptions, 0],
            next_action: old.next_action,
            served: old.served,
        }
    }
}

/// Version 1, and version 2 where that cannot say it.
impl Hashed for UserState {
    fn hashed(self) -> Result<Vec<u8>, CodecError> {
        let [follows, blocks, mutes, subscriptions, 0] = self.edges else {
            return encode_versioned(2, &self);
        };
        let old = UserStateV1 {
            known: self.known,
            followers: self.followers,
            edges: [follows, blocks, mutes, subscriptions],
            next_action: self.next_action,
            served: self.served,
        };
        encode_versioned(1, &old)
    }
}

/// Profile with its version.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub(crate) struct StoredProfile {
    pub(crate) version: Version,
    pub(crate) profile: Profile,
}

/// One edge. Kept when off, so that an older `on` cannot come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct StoredEdge {
    pub(crate) version: Version,
    pub(crate) on: bool,
}

/// Muted keywords with their version.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub(crate) struct StoredKeywords {
    pub(crate) version: Version,
    pub(crate) keywords: Vec<String>,
}

/// A vector that waits for a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct PendingRow {
    pub(crate) model_epoch: ModelEpoch,
    pub(crate) version: Version,
    /// The filter word of the row.
    pub(crate) tag: u64,
    pub(crate) vector: F16Vector,
}

/// One generation of a viewer's impression bloom.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct BloomGeneration {
    /// Counts up from 1; the highest is the newest.
    pub(crate) number: u64,
    /// Posts put in.
    pub(crate) inserted: u32,
    pub(crate) bits: Vec<u64>,
}

#[cfg(test)]
#[path = "records_test.rs"]
pub(crate) mod tests;
