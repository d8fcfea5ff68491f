//! What a group of entries changes outside the key-value store, done after its batch is committed.

use covey_embeddings::{Partition, RowMeta};
use covey_shared::ids::{PostKey, UserId};
use covey_shared::slots::Slot;
use covey_shared::wire::Counters;
use half::f16;

use crate::heat::Heats;
use crate::memory::{Memory, PostColumns};

pub(crate) enum Change {
    Put(Box<PostColumns>),
    /// A vector of a post, in place of an older one.
    Vector(RowMeta, Vec<f16>),
    NoVector(PostKey),
    Deleted(PostKey),
    Expired(PostKey),
    Counts(PostKey, Box<Counters>, Heats),
    Labels(PostKey, u32),
    Followers(UserId, i64),
    NewUser,
    /// An effect came to the outbox of a slot.
    Emitted(Slot),
    /// So many effects of a slot were delivered.
    Delivered(Slot, u64),
}

impl Change {
    pub(crate) fn run(self, memory: &Memory, partition: &mut Partition) {
        match self {
            Change::Put(columns) => memory.put(&columns),
            Change::Vector(meta, row) => {
                partition
                    .append(meta, &row)
                    .expect("rows are checked before they are committed");
            }
            Change::NoVector(key) => {
                partition.delete(key.post);
            }
            Change::Deleted(key) => {
                memory.delete(key);
                partition.delete(key.post);
            }
            Change::Expired(key) => {
                memory.expire(key);
                partition.delete(key.post);
            }
            Change::Counts(key, counters, heats) => memory.set_counts(key, &counters, heats),
            Change::Labels(key, labels) => memory.set_labels(key, labels),
            Change::Followers(user, followers) => memory.set_followers(user, followers),
            Change::NewUser => memory.add_user(),
            Change::Emitted(slot) => memory.outbox.add(slot, 1),
            Change::Delivered(slot, effects) => memory.outbox.remove(slot, effects),
        }
    }
}
