//! The metadata of the cluster, where this is its shard.

use std::sync::Arc;

use covey_metadata::Metadata;
use covey_shared::metadata::AuditRecord;

use super::ShardView;
use crate::error::ShardStoreError;

impl ShardView {
    /// What was applied; nothing in any other shard.
    pub fn metadata(&self) -> Arc<Metadata> {
        self.metadata.load_full()
    }

    /// The newest lines of the audit log, at most so many, oldest first.
    ///
    /// # Errors
    /// A failed store, a damaged record.
    pub fn audit(&self, most: u32) -> Result<Vec<AuditRecord>, ShardStoreError> {
        let end = self.metadata().audited;
        let keys = &self.db.keys;
        let (first, behind) = (keys.audit(end.saturating_sub(u64::from(most))), keys.audit(end));
        let mut lines = Vec::new();
        self.db.scan(&first, &behind, |key, value| {
            lines.push(self.db.metadata_record(key, value)?);
            Ok(true)
        })?;
        Ok(lines)
    }
}

#[cfg(test)]
#[path = "metadata_test.rs"]
mod tests;
