//! One delivery of a shard's outbox: what goes to which shard, and what may be forgotten afterwards. Pure.

use std::collections::{BTreeMap, BTreeSet};

use covey_shared::command::{OutboxItem, OutboxMark};
use covey_shared::ids::ShardId;
use covey_shared::layout::Layout;
use covey_shared::slots::Slot;

/// How far a delivery has come, page by page.
#[derive(Debug, Default)]
pub(crate) struct Delivery {
    /// Last item read of each source slot.
    read: BTreeMap<Slot, u64>,
    /// Last item of each source slot that arrived, and whether all before it did.
    arrived: BTreeMap<Slot, (u64, bool)>,
    /// Destinations that did not answer. They get nothing more in this delivery: a later item would make them ignore the
    /// earlier ones for ever.
    failed: BTreeSet<ShardId>,
}

fn destination(layout: &Layout, item: &OutboxItem) -> ShardId {
    layout.owner(Slot::of(item.effect.owner())).shard
}

impl Delivery {
    /// Where the next page begins.
    pub(crate) fn read(&self) -> &BTreeMap<Slot, u64> {
        &self.read
    }

    /// A page by destination, each part in order of sequence, without the destinations that have failed.
    pub(crate) fn parts(&self, layout: &Layout, page: &[OutboxItem]) -> BTreeMap<ShardId, Vec<OutboxItem>> {
        let mut parts: BTreeMap<ShardId, Vec<OutboxItem>> = BTreeMap::new();
        for item in page {
            let to = destination(layout, item);
            if !self.failed.contains(&to) {
                parts.entry(to).or_default().push(*item);
            }
        }
        parts
    }

    /// Takes in which destinations have acknowledged their part of the page.
    pub(crate) fn settle(&mut self, layout: &Layout, page: &[OutboxItem], acknowledged: &[ShardId]) {
        for item in page {
            let to = destination(layout, item);
            let arrived = acknowledged.contains(&to);
            if !arrived {
                self.failed.insert(to);
            }
            let mark = self.arrived.entry(item.source).or_insert((0, true));
            mark.1 &= arrived;
            if mark.1 {
                mark.0 = item.sequence;
            }
            self.read.insert(item.source, item.sequence);
        }
    }

    /// How far each source slot is delivered without a gap. What lies behind a gap is sent again and ignored by who has
    /// it.
    pub(crate) fn marks(&self) -> Vec<OutboxMark> {
        let marks = self.arrived.iter().filter(|(_, (sequence, _))| *sequence > 0);
        marks
            .map(|(source, (sequence, _))| OutboxMark {
                source: *source,
                sequence: *sequence,
            })
            .collect()
    }
}

#[cfg(test)]
#[path = "outbox_test.rs"]
mod tests;
