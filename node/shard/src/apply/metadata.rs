//! Changes of the cluster's metadata: one record that is written as a whole, and lines of the audit log.

use std::sync::Arc;

use covey_shared::codec::encode_versioned;
use covey_shared::command::ItemResult;
use covey_shared::ids::ShardId;
use covey_shared::metadata::{METADATA_VERSION, MetadataChange};

use super::{Group, ItemOutcome};
use crate::error::ShardStoreError;

/// Lines of the audit log that are kept.
pub(crate) const AUDIT_LINES: u64 = 10_000;

impl Group<'_> {
    pub(super) fn change_metadata(&mut self, change: &MetadataChange) -> ItemOutcome {
        if self.keys.shard != ShardId::METADATA {
            return Ok(ItemResult::StaleEpoch);
        }
        let applied = &self.applied;
        let effect = Arc::make_mut(&mut self.metadata).apply(applied.index, applied.log_time, change);
        if let Some(line) = effect.audit {
            let record = encode_versioned(METADATA_VERSION, &line).map_err(ShardStoreError::Encode)?;
            self.txn.put(self.keys.audit(line.number), record);
            if let Some(oldest) = line.number.checked_sub(AUDIT_LINES) {
                self.txn.delete(self.keys.audit(oldest));
            }
        }
        let record = encode_versioned(METADATA_VERSION, &*self.metadata).map_err(ShardStoreError::Encode)?;
        self.txn.put(self.keys.metadata(), record);
        Ok(effect.result)
    }
}
