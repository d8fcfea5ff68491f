//! Effects on their way to other shards.

use std::collections::BTreeMap;

use covey_shared::command::OutboxItem;
use covey_shared::slots::Slot;

use super::ShardView;
use crate::error::ShardStoreError;
use crate::keys::{Kind, number, prefix_end};

impl ShardView {
    /// The next effects for other shards: at most `limit`, by source slot and sequence, of each slot only those behind its
    /// mark in `after`. The destination of an item is the shard of `item.effect.owner()`.
    ///
    /// # Errors
    /// A failed store.
    pub fn outbox(&self, after: &BTreeMap<Slot, u64>, limit: usize) -> Result<Vec<OutboxItem>, ShardStoreError> {
        let mut items = Vec::new();
        for source in self.memory.outbox.slots() {
            if items.len() >= limit {
                break;
            }
            let keys = &self.db.keys;
            let from = after.get(&source).map_or(0, |sequence| sequence.saturating_add(1));
            self.db.scan(
                &keys.outbox(source, from),
                &prefix_end(&keys.of_slot(source, Kind::Outbox)),
                |key, value| {
                    items.push(OutboxItem {
                        source,
                        sequence: number(key, 0),
                        effect: self.db.decode(key, value)?,
                    });
                    Ok(items.len() < limit)
                },
            )?;
        }
        Ok(items)
    }
}
