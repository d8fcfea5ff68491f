//! Reads and writes of one group of entries: an overlay over the key-value store that becomes one batch.

use std::collections::BTreeMap;

use crate::db::Db;
use crate::error::ShardStoreError;
use crate::records::Record;

pub(crate) struct Txn<'a> {
    db: &'a Db,
    overlay: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
}

impl<'a> Txn<'a> {
    pub(crate) fn new(db: &'a Db) -> Self {
        Txn {
            db,
            overlay: BTreeMap::new(),
        }
    }

    pub(crate) fn read<T: Record>(&self, key: &[u8]) -> Result<Option<T>, ShardStoreError> {
        match self.overlay.get(key) {
            Some(value) => value.as_ref().map(|value| self.db.decode(key, value)).transpose(),
            None => self.db.read(key),
        }
    }

    pub(crate) fn exists(&self, key: &[u8]) -> Result<bool, ShardStoreError> {
        match self.overlay.get(key) {
            Some(value) => Ok(value.is_some()),
            None => self.db.exists(key),
        }
    }

    pub(crate) fn write<T: Record>(&mut self, key: Vec<u8>, value: &T) -> Result<(), ShardStoreError> {
        let value = value.to_bytes().map_err(ShardStoreError::Encode)?;
        self.put(key, value);
        Ok(())
    }

    /// As it is.
    pub(crate) fn put(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.overlay.insert(key, Some(value));
    }

    pub(crate) fn delete(&mut self, key: Vec<u8>) {
        self.overlay.insert(key, None);
    }

    /// The first `limit` keys of `[start, end)`.
    pub(crate) fn first_keys(&self, start: &[u8], end: &[u8], limit: usize) -> Result<Vec<Vec<u8>>, ShardStoreError> {
        Ok(self.first(start, end, limit)?.into_keys().collect())
    }

    /// All records of `[start, end)`, with their keys.
    pub(crate) fn records<T: Record>(&self, start: &[u8], end: &[u8]) -> Result<Vec<(Vec<u8>, T)>, ShardStoreError> {
        let records = self.first(start, end, usize::MAX)?.into_iter();
        let decoded = records.map(|(key, value)| {
            let record = self.db.decode(&key, &value)?;
            Ok((key, record))
        });
        decoded.collect()
    }

    /// The first `limit` records of `[start, end)`, as they are.
    fn first(&self, start: &[u8], end: &[u8], limit: usize) -> Result<BTreeMap<Vec<u8>, Vec<u8>>, ShardStoreError> {
        let mut first = BTreeMap::new();
        if start >= end {
            return Ok(first);
        }
        let changed: Vec<_> = self.overlay.range(start.to_vec()..end.to_vec()).collect();
        // As many more as the overlay can hide, so that what is behind the last one read cannot matter.
        let most = limit.saturating_add(changed.len());
        self.db.scan(start, end, |key, value| {
            first.insert(key.to_vec(), value.to_vec());
            Ok(first.len() < most)
        })?;
        for (key, value) in changed {
            match value {
                Some(value) => first.insert(key.clone(), value.clone()),
                None => first.remove(key),
            };
        }
        while first.len() > limit {
            first.pop_last();
        }
        Ok(first)
    }

    /// All changes, in key order.
    pub(crate) fn into_changes(self) -> impl Iterator<Item = (Vec<u8>, Option<Vec<u8>>)> {
        self.overlay.into_iter()
    }
}
