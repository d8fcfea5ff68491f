//! Keys of the post store: `generation(4) | slot(2) | kind(1) | id…`, all big-endian, so that byte order is key order.

use covey_shared::ids::{ActionId, Generation, PostKey, ShardId, UserId};
use covey_shared::model::EdgeKind;
use covey_shared::slots::{Slot, SlotRange};

/// Not a slot: records of the shard as a whole.
const SHARD_SLOT: u16 = u16::MAX;

/// Bytes of the generation in front of every key; the rest is the same on all replicas.
pub(crate) const GENERATION: usize = 4;
/// Bytes in front of the id.
pub(crate) const PREFIX: usize = 7;

/// What a record is. The kinds up to [`Kind::LAST_IN_MEMORY`] are read when a replica opens, so they lie together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Kind {
    /// Versions, counters and labels of a post, its tombstone; exists without a body too.
    PostState = 1,
    /// The post itself, without its vector.
    Post = 2,
    /// Numbers of a user: followers, edges, actions.
    User = 3,
    /// A vector that no checkpoint has made durable yet. Local to the replica.
    PendingRow = 4,
    /// An effect on its way to another shard.
    Outbox = 5,
    /// Next sequence number of a slot's outbox.
    OutboxNext = 6,
    Profile = 16,
    Edge = 17,
    Keywords = 18,
    Action = 19,
    /// Ids of recorded actions, by the period of log time in which they came.
    ActionId = 20,
    Bloom = 21,
    Served = 22,
}

impl Kind {
    pub(crate) const LAST_IN_MEMORY: u8 = Kind::OutboxNext as u8;
}

/// Whether a key without its generation is one that a replica of this shard can have.
pub(crate) fn is_of_shard(logical: &[u8], shard: ShardId, slots: SlotRange) -> bool {
    let key = [&[0; GENERATION], logical].concat();
    let (Some(slot), Some(kind)) = (slot_of(&key), kind_of(&key)) else {
        return false;
    };
    if slot != SHARD_SLOT {
        return slots.contains(Slot(slot)) && kind_name(&key) != UNKNOWN;
    }
    let id = key.get(PREFIX..).unwrap_or_default();
    let bytes_behind = match kind {
        0 | 5 => 0,
        1 => 2,
        6 => 8,
        _ => return false,
    };
    id.strip_prefix(&shard.0.to_be_bytes()).map(<[u8]>::len) == Some(bytes_behind)
}

const UNKNOWN: &str = "unknown";

/// What kind of record `key` names, for error texts.
pub(crate) fn kind_name(key: &[u8]) -> &'static str {
    if slot_of(key) == Some(SHARD_SLOT) {
        return "shard";
    }
    match kind_of(key).unwrap_or(0) {
        1 => "post state",
        2 => "post",
        3 => "user",
        4 => "pending row",
        5 => "outbox",
        6 => "outbox sequence",
        16 => "profile",
        17 => "edge",
        18 => "muted keywords",
        19 => "action",
        20 => "action id",
        21 => "impressions",
        22 => "served",
        _ => UNKNOWN,
    }
}

/// Builds keys of one generation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Keys {
    pub(crate) generation: Generation,
    pub(crate) shard: ShardId,
}

impl Keys {
    fn raw(&self, slot: u16, kind: u8) -> Vec<u8> {
        let mut key = Vec::with_capacity(PREFIX + 32);
        key.extend_from_slice(&self.generation.0.to_be_bytes());
        key.extend_from_slice(&slot.to_be_bytes());
        key.push(kind);
        key
    }

    fn shard_record(&self, kind: u8) -> Vec<u8> {
        let mut key = self.raw(SHARD_SLOT, kind);
        key.extend_from_slice(&self.shard.0.to_be_bytes());
        key
    }

    /// The applied record of the shard.
    pub(crate) fn applied(&self) -> Vec<u8> {
        self.shard_record(0)
    }

    /// In front of the sequences that the shard has seen.
    pub(crate) fn outbox_seen_prefix(&self) -> Vec<u8> {
        self.shard_record(1)
    }

    /// Last sequence that the shard has seen from the outbox of `source`.
    pub(crate) fn outbox_seen(&self, source: Slot) -> Vec<u8> {
        let mut key = self.outbox_seen_prefix();
        key.extend_from_slice(&source.0.to_be_bytes());
        key
    }

    /// Which incarnation of the shard is current. Not one's own record: it lies under generation 0.
    pub(crate) fn incarnation(shard: ShardId) -> Vec<u8> {
        let mut key = Keys::incarnations();
        key.extend_from_slice(&shard.0.to_be_bytes());
        key
    }

    /// In front of the shard's id in those keys.
    pub(crate) fn incarnations() -> Vec<u8> {
        let (generation, shard) = (Generation(0), ShardId(0));
        Keys { generation, shard }.raw(SHARD_SLOT, 2)
    }

    /// There while the replica is a copy of another one that was not yet found equal to the others.
    pub(crate) fn copy(&self) -> Vec<u8> {
        self.shard_record(3)
    }

    /// There once the replica was found to be damaged: it must not be used any more.
    pub(crate) fn condemned(&self) -> Vec<u8> {
        self.shard_record(4)
    }

    /// The metadata of the cluster.
    pub(crate) fn metadata(&self) -> Vec<u8> {
        self.shard_record(5)
    }

    /// In front of the lines of the audit log.
    fn audit_prefix(&self) -> Vec<u8> {
        self.shard_record(6)
    }

    /// A line of the audit log.
    pub(crate) fn audit(&self, number: u64) -> Vec<u8> {
        let mut key = self.audit_prefix();
        key.extend_from_slice(&number.to_be_bytes());
        key
    }

    /// `[start, end)` of the records that all replicas share, as far as they are the shard's as a whole and not its
    /// applied record, in key order.
    pub(crate) fn of_whole_shard(&self) -> [(Vec<u8>, Vec<u8>); 3] {
        [self.outbox_seen_prefix(), self.metadata(), self.audit_prefix()].map(|prefix| {
            let end = prefix_end(&prefix);
            (prefix, end)
        })
    }

    /// First possible key of `slot`; of the slot after the last one, the end of the shard.
    pub(crate) fn slot_start(&self, slot: u16) -> Vec<u8> {
        self.raw(slot, 0)
    }

    /// `[start, end)` of all records of the slots.
    pub(crate) fn slots(&self, slots: SlotRange) -> (Vec<u8>, Vec<u8>) {
        (self.slot_start(slots.start), self.slot_start(slots.end))
    }

    pub(crate) fn of_slot(&self, slot: Slot, kind: Kind) -> Vec<u8> {
        self.raw(slot.0, kind as u8)
    }

    pub(crate) fn of_user(&self, kind: Kind, user: UserId) -> Vec<u8> {
        let mut key = self.of_slot(Slot::of(user), kind);
        key.extend_from_slice(&user.0.to_be_bytes());
        key
    }

    pub(crate) fn of_post(&self, kind: Kind, post: PostKey) -> Vec<u8> {
        self.of_user_number(kind, post.author, post.post.0)
    }

    /// Key of a user's record number `number` (a post id, a sequence number, a time).
    pub(crate) fn of_user_number(&self, kind: Kind, user: UserId, number: u64) -> Vec<u8> {
        let mut key = self.of_user(kind, user);
        key.extend_from_slice(&number.to_be_bytes());
        key
    }

    pub(crate) fn edge(&self, user: UserId, kind: EdgeKind, target: UserId) -> Vec<u8> {
        let mut key = self.of_user(Kind::Edge, user);
        key.push(edge_index(kind) as u8);
        key.extend_from_slice(&target.0.to_be_bytes());
        key
    }

    pub(crate) fn action_id(&self, period: u32, viewer: UserId, id: ActionId) -> Vec<u8> {
        let mut key = self.of_slot(Slot::of(viewer), Kind::ActionId);
        key.extend_from_slice(&period.to_be_bytes());
        for word in [viewer.0, id.client, id.sequence] {
            key.extend_from_slice(&word.to_be_bytes());
        }
        key.extend_from_slice(&id.item.to_be_bytes());
        key
    }

    pub(crate) fn outbox(&self, slot: Slot, sequence: u64) -> Vec<u8> {
        let mut key = self.of_slot(slot, Kind::Outbox);
        key.extend_from_slice(&sequence.to_be_bytes());
        key
    }
}

/// Kinds of edges.
pub(crate) const EDGE_KINDS: usize = EdgeKind::ALL.len();

/// Place of a kind of edge in [`EdgeKind::ALL`], per-kind arrays and keys.
pub(crate) fn edge_index(kind: EdgeKind) -> usize {
    match kind {
        EdgeKind::Follow => 0,
        EdgeKind::Block => 1,
        EdgeKind::Mute => 2,
        EdgeKind::Subscribe => 3,
        EdgeKind::Topic => 4,
    }
}

/// The slot in a key.
pub(crate) fn slot_of(key: &[u8]) -> Option<u16> {
    Some(u16::from_be_bytes([*key.get(4)?, *key.get(5)?]))
}

/// The byte of the kind in a key.
pub(crate) fn kind_of(key: &[u8]) -> Option<u8> {
    key.get(6).copied()
}

/// The 8-byte number that starts at byte `at` of the id; 0 if the key is shorter.
pub(crate) fn number(key: &[u8], at: usize) -> u64 {
    let bytes = key.get(PREFIX + at..).and_then(|rest| rest.first_chunk::<8>());
    bytes.map_or(0, |b| u64::from_be_bytes(*b))
}

/// The end of all keys that start with `prefix`.
pub(crate) fn prefix_end(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < u8::MAX {
            end.push(last + 1);
            break;
        }
    }
    end
}

#[cfg(test)]
#[path = "keys_test.rs"]
mod tests;
