//! Exact top-K over shards in two rounds: the result is that of one big shard, ties and all.
//!
//! With K rows wanted of S shards, each shard is first asked for K/S + 4·√(K/S): enough when posts are spread at
//! random. A shard that could still have a better post than the merged K-th is asked again, for K.

use std::collections::BTreeMap;

use covey_shared::ids::ShardId;
use covey_shared::score::{Ranked, merge_top_k};

use crate::cluster::overlap::{Claim, Owners};
use crate::cluster::progress::Part;

/// The k of the first round; a shard may be asked for at most `most` rows.
pub(crate) fn first_k(k: usize, shards: usize, most: usize) -> usize {
    let share = k as f64 / shards.max(1) as f64;
    ((share + 4.0 * share.sqrt()).ceil() as usize).clamp(1, k.clamp(1, most))
}

/// Collects the answers of the rounds.
#[derive(Debug)]
pub(crate) struct TopK<R> {
    k: usize,
    /// Most rows that a shard may be asked for.
    most: usize,
    /// The newest answer of each shard that was not cut shorter than the one before, with what it was last asked for.
    parts: BTreeMap<ShardId, (Part<Vec<R>>, usize)>,
}

/// The merge of what has come so far.
#[derive(Debug, PartialEq)]
pub(crate) struct Merged<R> {
    /// Best first.
    pub(crate) rows: Vec<R>,
    /// Shards that may have more, and may be asked for more.
    pub(crate) again: Vec<ShardId>,
    /// Their next k.
    pub(crate) next_k: usize,
    /// A shard may have more than it may be asked for. Without such a one and with nobody to ask again the rows are exact.
    pub(crate) cut: bool,
}

impl<R: Ranked + Copy> TopK<R> {
    pub(crate) fn new(k: usize, most: usize) -> Self {
        TopK {
            k,
            most,
            parts: BTreeMap::new(),
        }
    }

    /// Takes in the answer of a shard that was asked for `asked` rows. One that was cut short takes nothing away.
    pub(crate) fn put(&mut self, part: Part<Vec<R>>, asked: usize) {
        match self.parts.get_mut(&part.about.shard) {
            // It was asked for more than it had time for: not again.
            Some((kept, before)) if part.about.partial && part.value.len() < kept.value.len() => *before = asked,
            _ => drop(self.parts.insert(part.about.shard, (part, asked))),
        }
    }

    pub(crate) fn merge(&self) -> Merged<R> {
        let owners = Owners::new(self.parts.values().map(|(part, _)| claim(part)).collect());
        let owned = self.parts.values().enumerate().flat_map(|(i, (part, _))| {
            let owners = &owners;
            part.value.iter().copied().filter(move |row| owners.owns(i, row.slot()))
        });
        let rows = merge_top_k(owned.collect(), self.k);
        let full = self.parts.values();
        let full = full.filter(|(part, asked)| may_have_more(part, *asked, &rows, self.k));
        let (cut, again): (Vec<_>, Vec<_>) = full.partition(|(_, asked)| *asked >= self.most);
        let asked = self.parts.values().map(|(_, asked)| *asked).max().unwrap_or(0);
        Merged {
            rows,
            again: again.into_iter().map(|(part, _)| part.about.shard).collect(),
            cut: !cut.is_empty(),
            // Only where answers overlap can K rows of a shard not be enough: some of them belong to another one.
            next_k: if asked < self.k { self.k } else { asked * 4 }.min(self.most),
        }
    }
}

pub(crate) fn claim<T>(part: &Part<T>) -> Claim {
    Claim {
        slots: part.about.slots,
        range_ver: part.about.epoch.range_ver,
        applied: part.about.applied,
    }
}

/// A full list may have been cut; what was cut is worse than its last row, and matters only if that is better than
/// the merged K-th.
fn may_have_more<R: Ranked>(part: &Part<Vec<R>>, asked: usize, merged: &[R], k: usize) -> bool {
    if part.value.len() < asked {
        return false;
    }
    let Some(last) = part.value.last() else { return false };
    merged
        .get(k.saturating_sub(1))
        .is_none_or(|kth| last.place() < kth.place())
}

#[cfg(test)]
#[path = "merge_test.rs"]
mod tests;
