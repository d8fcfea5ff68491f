//! What is delivered to which shard, and what may be forgotten afterwards. Pure.

use std::collections::BTreeMap;

use covey_shared::command::{OutboxItem, OutboxMark};
use covey_shared::ids::ShardId;
use covey_shared::layout::Layout;
use covey_shared::slots::Slot;

/// One round of one source shard: a page of its outbox, by destination, each part in order of sequence.
pub(crate) fn by_destination(layout: &Layout, page: &[OutboxItem]) -> BTreeMap<ShardId, Vec<OutboxItem>> {
    let mut parts: BTreeMap<ShardId, Vec<OutboxItem>> = BTreeMap::new();
    for item in page {
        parts
            .entry(layout.owner(Slot::of(item.effect.owner())).shard)
            .or_default()
            .push(*item);
    }
    parts
}

/// How far each source slot is delivered without a gap, given the destinations that have acknowledged their part.
/// A slot whose first item failed has no mark: what follows it is sent again and ignored by who has it.
pub(crate) fn delivered(layout: &Layout, page: &[OutboxItem], acknowledged: &[ShardId]) -> Vec<OutboxMark> {
    let mut marks: BTreeMap<Slot, (u64, bool)> = BTreeMap::new();
    for item in page {
        let arrived = acknowledged.contains(&layout.owner(Slot::of(item.effect.owner())).shard);
        let mark = marks.entry(item.source).or_insert((0, true));
        if mark.1 && arrived {
            mark.0 = item.sequence;
        } else {
            mark.1 = false;
        }
    }
    marks
        .into_iter()
        .filter(|(_, (sequence, _))| *sequence > 0)
        .map(|(source, (sequence, _))| OutboxMark { source, sequence })
        .collect()
}

#[cfg(test)]
#[path = "outbox_test.rs"]
mod tests;
