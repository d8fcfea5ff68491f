//! Delivery of a shard's outbox: what goes to which shard, and what may be forgotten afterwards. Pure.

use std::collections::{BTreeMap, BTreeSet};

use covey_shared::command::{OutboxItem, OutboxMark};
use covey_shared::ids::ShardId;
use covey_shared::layout::Layout;
use covey_shared::slots::Slot;

/// How far the delivery of one source shard has come. Rounds read the outbox from its beginning, page by page.
#[derive(Debug, Default)]
pub(crate) struct Delivery {
    /// Last item of each source slot that a destination has acknowledged. Its majority has it, so this holds whoever leads.
    acknowledged: BTreeMap<(ShardId, Slot), u64>,
    /// Last item read in this round.
    read: Option<(Slot, u64)>,
    /// Last item of each source slot that arrived, and whether all before it did, in this round.
    arrived: BTreeMap<Slot, (u64, bool)>,
    /// Destinations that did not answer. They get nothing more in this round: a later item would make them ignore the
    /// earlier ones for ever.
    failed: BTreeSet<ShardId>,
}

fn destination(layout: &Layout, item: &OutboxItem) -> ShardId {
    layout.owner(Slot::of(item.effect.owner())).shard
}

impl Delivery {
    /// Starts a round: from the beginning, with every destination.
    pub(crate) fn begin(&mut self) {
        self.read = None;
        self.arrived.clear();
        self.failed.clear();
    }

    /// Where the next page begins.
    pub(crate) fn read(&self) -> Option<(Slot, u64)> {
        self.read
    }

    /// A destination did not answer in this round.
    pub(crate) fn has_failed(&self) -> bool {
        !self.failed.is_empty()
    }

    fn has(&self, to: ShardId, item: &OutboxItem) -> bool {
        let last = self.acknowledged.get(&(to, item.source));
        last.is_some_and(|last| *last >= item.sequence)
    }

    /// A page by destination, each part in order of sequence, without what has arrived and the destinations that have
    /// failed.
    pub(crate) fn parts(&self, layout: &Layout, page: &[OutboxItem]) -> BTreeMap<ShardId, Vec<OutboxItem>> {
        let mut parts: BTreeMap<ShardId, Vec<OutboxItem>> = BTreeMap::new();
        for item in page {
            let to = destination(layout, item);
            if !self.failed.contains(&to) && !self.has(to, item) {
                parts.entry(to).or_default().push(*item);
            }
        }
        parts
    }

    /// Takes in which destinations have acknowledged their part of the page.
    pub(crate) fn settle(&mut self, layout: &Layout, page: &[OutboxItem], acknowledged: &[ShardId]) {
        for item in page {
            let to = destination(layout, item);
            let arrived = self.has(to, item) || acknowledged.contains(&to);
            if arrived {
                let last = self.acknowledged.entry((to, item.source)).or_default();
                *last = item.sequence.max(*last);
            } else {
                self.failed.insert(to);
            }
            let mark = self.arrived.entry(item.source).or_insert((0, true));
            mark.1 &= arrived;
            if mark.1 {
                mark.0 = item.sequence;
            }
            self.read = Some((item.source, item.sequence));
        }
    }

    /// How far each source slot is delivered without a gap.
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
