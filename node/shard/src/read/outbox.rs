//! Effects on their way to other shards.

use covey_shared::command::OutboxItem;
use covey_shared::slots::Slot;

use super::ShardView;
use crate::error::ShardStoreError;
use crate::keys::{Kind, number, prefix_end};

impl ShardView {
    /// The next effects for other shards: at most `limit`, by source slot and sequence, only those behind `after`.
    /// The destination of an item is the shard of `item.effect.owner()`.
    ///
    /// # Errors
    /// A failed store.
    pub fn outbox(&self, after: Option<(Slot, u64)>, limit: usize) -> Result<Vec<OutboxItem>, ShardStoreError> {
        let mut items = Vec::new();
        let begun = |source: &Slot| after.is_none_or(|(slot, _)| *source >= slot);
        for source in self.memory.outbox.slots().into_iter().filter(begun) {
            if items.len() >= limit {
                break;
            }
            let keys = &self.db.keys;
            let last = after.filter(|(slot, _)| *slot == source);
            let from = last.map_or(0, |(_, sequence)| sequence.saturating_add(1));
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
