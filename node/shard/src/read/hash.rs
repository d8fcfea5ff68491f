//! A hash over what replicas share: the logical records, and the bits of every vector.

use covey_shared::ids::{LogIndex, PostId, PostKey, UserId};
use covey_shared::model::Post;
use covey_shared::slots::SlotRange;
use covey_store::kv::KvRead;
use xxhash_rust::xxh3::Xxh3;

use super::ShardView;
use crate::db::Db;
use crate::error::ShardStoreError;
use crate::keys::{GENERATION, Kind, kind_of, number};
use crate::records::{Hashed, PostState, UserState};

/// How often a hash is begun: each is a scan of the whole shard.
const STARTS: usize = 4;

impl ShardView {
    /// Equal on two replicas that have applied the same entries, whatever their generations, files and batches; and the
    /// index of the last of these entries. It reads all records of the shard, and starts over if something was applied
    /// meanwhile. `None` after `stop`, or if something was applied each time.
    ///
    /// Left out: vectors that wait for a checkpoint (their bits count once, with the post), time-decayed sums (they
    /// depend on a configured half-life), countries of posts (earlier releases kept none), and the applied record.
    ///
    /// # Errors
    /// A failed store.
    pub fn logical_hash(&self, stop: &dyn Fn() -> bool) -> Result<Option<(LogIndex, u64)>, ShardStoreError> {
        for _ in 0..STARTS {
            // Published last, stored first: if they are equal nothing is half applied.
            let before = self.applied_index();
            let vector = |post, hash: &mut Xxh3| hash.update(&self.vector(post).0);
            let hash = hash_records(&self.db, &*self.db.snapshot(), self.slots(), &vector, stop)?;
            if stop() {
                break;
            }
            if self.stored_index()? == before {
                return Ok(Some((before, hash)));
            }
        }
        Ok(None)
    }

    /// Of the record that is committed with what was applied.
    fn stored_index(&self) -> Result<LogIndex, ShardStoreError> {
        Ok(self.db.applied()?.map_or(LogIndex(0), |applied| applied.index))
    }

    /// Whether it is a copy of another replica, and was not found equal to the others since.
    ///
    /// # Errors
    /// A failed store.
    pub fn is_copy(&self) -> Result<bool, ShardStoreError> {
        self.db.exists(&self.db.keys.copy())
    }

    /// It was found equal.
    ///
    /// # Errors
    /// A failed store.
    pub fn confirm_copy(&self) -> Result<(), ShardStoreError> {
        self.db.commit(std::iter::once((self.db.keys.copy(), None)))
    }

    /// It is damaged, and is not opened any more. Durable when this returns.
    ///
    /// # Errors
    /// A failed store.
    pub fn condemn(&self) -> Result<(), ShardStoreError> {
        let mark = (self.db.keys.condemned(), Some(vec![1]));
        self.db.commit(std::iter::once(mark))?;
        self.db.persist()
    }

    /// The records as they are now, to be hashed on another thread.
    pub fn records(&self) -> RecordsAt {
        RecordsAt {
            moment: self.db.snapshot(),
            db: self.db.clone(),
            slots: self.slots(),
        }
    }
}

/// The records of a replica at one moment. While it is kept, old versions stay on the disk.
pub struct RecordsAt {
    moment: Box<dyn KvRead>,
    db: Db,
    slots: SlotRange,
}

impl RecordsAt {
    /// As [`ShardView::logical_hash`], but without the bits of vectors, which have checksums of their own. `None` after `stop`.
    ///
    /// # Errors
    /// A failed store, a damaged record.
    pub fn hash(&self, stop: &dyn Fn() -> bool) -> Result<Option<u64>, ShardStoreError> {
        let hash = hash_records(&self.db, &*self.moment, self.slots, &|_, _| {}, stop)?;
        Ok((!stop()).then_some(hash))
    }
}

/// Of a part only, after `stop`.
fn hash_records(
    db: &Db,
    moment: &dyn KvRead,
    slots: SlotRange,
    vector: &dyn Fn(PostKey, &mut Xxh3),
    stop: &dyn Fn() -> bool,
) -> Result<u64, ShardStoreError> {
    let mut hash = Xxh3::new();
    let (start, end) = db.keys.slots(slots);
    Db::scan_of(moment, &start, &end, |key, value| {
        add_record(db, &mut hash, key, value)?;
        if kind_of(key) == Some(Kind::Post as u8) {
            let post = PostKey {
                author: UserId(number(key, 0)),
                post: PostId(number(key, 8)),
            };
            vector(post, &mut hash);
        }
        Ok(!stop())
    })?;
    // Behind the generation, the kind and the shard, which say nothing here.
    let behind = db.keys.outbox_seen_prefix().len();
    for (start, end) in db.keys.of_whole_shard() {
        Db::scan_of(moment, &start, &end, |key, value| {
            add(&mut hash, key.get(behind..).unwrap_or_default(), value);
            Ok(!stop())
        })?;
    }
    Ok(hash.digest())
}

fn add_record(db: &Db, hash: &mut Xxh3, key: &[u8], value: &[u8]) -> Result<(), ShardStoreError> {
    let kind = kind_of(key);
    let is = |of: Kind| kind == Some(of as u8);
    if is(Kind::PendingRow) {
        return Ok(());
    }
    let bytes = if is(Kind::Post) {
        Some(db.decode::<Post>(key, value)?.hashed())
    } else if is(Kind::User) {
        Some(db.decode::<UserState>(key, value)?.hashed())
    } else if is(Kind::PostState) {
        Some(db.decode::<PostState>(key, value)?.hashed())
    } else {
        None
    };
    let bytes = bytes.transpose().map_err(ShardStoreError::Encode)?;
    let logical = key.get(GENERATION..).unwrap_or_default();
    add(hash, logical, bytes.as_deref().unwrap_or(value));
    Ok(())
}

fn add(hash: &mut Xxh3, key: &[u8], value: &[u8]) {
    for part in [key, value] {
        hash.update(&(part.len() as u64).to_le_bytes());
        hash.update(part);
    }
}
