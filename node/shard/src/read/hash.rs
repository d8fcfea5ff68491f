//! A hash over what replicas share: the logical records, and the bits of every vector.

use covey_shared::codec::encode_versioned;
use covey_shared::ids::{LogIndex, PostId, PostKey, UserId};
use xxhash_rust::xxh3::Xxh3;

use super::ShardView;
use crate::applied::Applied;
use crate::error::ShardStoreError;
use crate::heat::Heat;
use crate::keys::{GENERATION, Kind, kind_of, number, prefix_end};
use crate::records::{PostState, RECORD_VERSION};

/// How often a hash is begun: each is a scan of the whole shard.
const STARTS: usize = 4;

impl ShardView {
    /// Equal on two replicas that have applied the same entries, whatever their generations, files and batches; and the
    /// index of the last of these entries. It reads all records of the shard, and starts over if something was applied
    /// meanwhile. `None` after `stop`, or if something was applied each time.
    ///
    /// Left out: vectors that wait for a checkpoint (their bits count once, with the post), time-decayed engagement (it
    /// depends on a configured half-life), and the applied record.
    ///
    /// # Errors
    /// A failed store.
    pub fn logical_hash(&self, stop: &dyn Fn() -> bool) -> Result<Option<(LogIndex, u64)>, ShardStoreError> {
        for _ in 0..STARTS {
            // Published last, stored first: if they are equal nothing is half applied.
            let before = self.applied_index();
            let hash = self.hash_records(stop)?;
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
        let applied: Option<Applied> = self.db.read(&self.db.keys.applied())?;
        Ok(applied.map_or(LogIndex(0), |applied| applied.index))
    }

    /// Of a part only, after `stop`.
    fn hash_records(&self, stop: &dyn Fn() -> bool) -> Result<u64, ShardStoreError> {
        let mut hash = Xxh3::new();
        let (start, end) = self.db.keys.slots(self.slots());
        self.db.scan(&start, &end, |key, value| {
            self.add_record(&mut hash, key, value)?;
            Ok(!stop())
        })?;
        let seen = self.db.keys.outbox_seen_prefix();
        self.db.scan(&seen, &prefix_end(&seen), |key, value| {
            add(&mut hash, &key[key.len().saturating_sub(2)..], value);
            Ok(!stop())
        })?;
        Ok(hash.digest())
    }

    fn add_record(&self, hash: &mut Xxh3, key: &[u8], value: &[u8]) -> Result<(), ShardStoreError> {
        let kind = kind_of(key);
        if kind == Some(Kind::PendingRow as u8) {
            return Ok(());
        }
        let logical = key.get(GENERATION..).unwrap_or_default();
        if kind == Some(Kind::PostState as u8) {
            let state = PostState {
                heat: Heat::default(),
                ..self.db.decode(key, value)?
            };
            add(
                hash,
                logical,
                &encode_versioned(RECORD_VERSION, &state).map_err(ShardStoreError::Encode)?,
            );
            return Ok(());
        }
        add(hash, logical, value);
        if kind == Some(Kind::Post as u8) {
            let post = PostKey {
                author: UserId(number(key, 0)),
                post: PostId(number(key, 8)),
            };
            hash.update(&self.vector(post).0);
        }
        Ok(())
    }
}

fn add(hash: &mut Xxh3, key: &[u8], value: &[u8]) {
    for part in [key, value] {
        hash.update(&(part.len() as u64).to_le_bytes());
        hash.update(part);
    }
}
