//! The key-value store as a shard sees it: its keys, typed records.

use std::ops::ControlFlow;
use std::sync::Arc;

use bincode::Decode;
use covey_metadata::Metadata;
use covey_shared::codec::{CodecError, decode_versioned};
use covey_shared::ids::PostKey;
use covey_shared::metadata::METADATA_VERSION;
use covey_shared::model::Post;
use covey_store::kv::{KeyRange, KvBatch, KvRead, KvStore};

use crate::applied::Applied;
use crate::error::ShardStoreError;
use crate::keys::{Keys, Kind, kind_name};
use crate::records::Record;

#[derive(Clone)]
pub(crate) struct Db {
    kv: Arc<dyn KvStore>,
    pub(crate) keys: Keys,
}

impl Db {
    pub(crate) fn new(kv: Arc<dyn KvStore>, keys: Keys) -> Self {
        Db { kv, keys }
    }

    /// Everything committed survives a power loss.
    pub(crate) fn persist(&self) -> Result<(), ShardStoreError> {
        Ok(self.kv.persist()?)
    }

    /// Records of all replicas of the node, roughly.
    pub(crate) fn approximate_len(&self) -> Result<u64, ShardStoreError> {
        Ok(self.kv.usage()?.approximate_len)
    }

    /// Reads of this moment.
    pub(crate) fn snapshot(&self) -> Box<dyn KvRead> {
        self.kv.snapshot()
    }

    pub(crate) fn exists(&self, key: &[u8]) -> Result<bool, ShardStoreError> {
        Ok(self.kv.get(key)?.is_some())
    }

    pub(crate) fn read<T: Record>(&self, key: &[u8]) -> Result<Option<T>, ShardStoreError> {
        self.read_at(&*self.kv, key)
    }

    /// A record of a moment.
    pub(crate) fn read_at<T: Record>(&self, moment: &dyn KvRead, key: &[u8]) -> Result<Option<T>, ShardStoreError> {
        moment.get(key)?.map(|value| self.decode(key, &value)).transpose()
    }

    pub(crate) fn applied(&self) -> Result<Option<Applied>, ShardStoreError> {
        Applied::of(&*self.kv, self.keys.shard, self.keys.generation)
    }

    pub(crate) fn decode<T: Record>(&self, key: &[u8], value: &[u8]) -> Result<T, ShardStoreError> {
        T::read(value).map_err(|source| self.damaged(key, source))
    }

    /// A record of the metadata.
    pub(crate) fn metadata_record<T: Decode<()>>(&self, key: &[u8], value: &[u8]) -> Result<T, ShardStoreError> {
        self.decode_version(METADATA_VERSION, key, value)
    }

    pub(crate) fn metadata(&self) -> Result<Option<Metadata>, ShardStoreError> {
        let key = self.keys.metadata();
        let record = self.kv.get(&key)?;
        let state = record.map(|value| Metadata::decode(&value)).transpose();
        state.map_err(|source| self.damaged(&key, source))
    }

    pub(crate) fn post(&self, key: PostKey) -> Result<Option<Post>, ShardStoreError> {
        self.read(&self.keys.of_post(Kind::Post, key))
    }

    fn decode_version<T: Decode<()>>(&self, version: u16, key: &[u8], value: &[u8]) -> Result<T, ShardStoreError> {
        decode_versioned(version, value).map_err(|source| self.damaged(key, source))
    }

    fn damaged(&self, key: &[u8], source: CodecError) -> ShardStoreError {
        ShardStoreError::Record {
            shard: self.keys.shard,
            kind: kind_name(key),
            key: key.to_vec(),
            source,
        }
    }

    /// Visits the records of `[start, end)` in key order until `visit` answers false.
    pub(crate) fn scan(
        &self,
        start: &[u8],
        end: &[u8],
        visit: impl FnMut(&[u8], &[u8]) -> Result<bool, ShardStoreError>,
    ) -> Result<(), ShardStoreError> {
        Db::scan_of(&*self.kv, start, end, visit)
    }

    /// As [`Db::scan`], of a moment.
    pub(crate) fn scan_of(
        moment: &dyn KvRead,
        start: &[u8],
        end: &[u8],
        mut visit: impl FnMut(&[u8], &[u8]) -> Result<bool, ShardStoreError>,
    ) -> Result<(), ShardStoreError> {
        let mut outcome = Ok(());
        moment.scan(
            &KeyRange::between(start, end),
            &mut |key, value| match visit(key, value) {
                Ok(true) => ControlFlow::Continue(()),
                Ok(false) => ControlFlow::Break(()),
                Err(error) => {
                    outcome = Err(error);
                    ControlFlow::Break(())
                }
            },
        )?;
        outcome
    }

    /// Commits the changes as one batch. Not yet synced to disk.
    pub(crate) fn commit(
        &self,
        changes: impl Iterator<Item = (Vec<u8>, Option<Vec<u8>>)>,
    ) -> Result<(), ShardStoreError> {
        let mut batch = KvBatch::new();
        for (key, value) in changes {
            match value {
                Some(value) => batch.put(key, value),
                None => batch.delete(key),
            };
        }
        Ok(self.kv.commit(&batch)?)
    }
}
