//! Exact top-K over shards in two rounds: the result is that of one big shard, ties and all.
//!
//! With K results wanted of S shards, each shard is first asked for K/S + 4·√(K/S): enough when posts are spread at
//! random. A shard that could still have a better post than the merged K-th is asked again, for K.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use covey_shared::ids::ShardId;
use covey_shared::score::{Hit, best_first, merge_top_k};

use crate::cluster::overlap::{Claim, Owners};
use crate::cluster::progress::Part;

/// Most hits that a shard may be asked for.
pub(crate) const MAX_SHARD_K: usize = 1000;

/// The k of the first round.
pub(crate) fn first_k(k: usize, shards: usize) -> usize {
    let share = k as f64 / shards.max(1) as f64;
    ((share + 4.0 * share.sqrt()).ceil() as usize).clamp(1, k.clamp(1, MAX_SHARD_K))
}

/// Collects the answers of the rounds.
#[derive(Debug)]
pub(crate) struct TopK {
    k: usize,
    /// The newest answer of each shard, with what it was asked for.
    parts: BTreeMap<ShardId, (Part<Vec<Hit>>, usize)>,
}

/// The merge of what has come so far.
#[derive(Debug, PartialEq)]
pub(crate) struct Merged {
    /// Best first.
    pub(crate) hits: Vec<Hit>,
    /// Shards that may have more, and what to ask them for. Empty: the hits are exact.
    pub(crate) again: Vec<ShardId>,
    /// Their next k.
    pub(crate) next_k: usize,
}

impl TopK {
    pub(crate) fn new(k: usize) -> TopK {
        TopK {
            k,
            parts: BTreeMap::new(),
        }
    }

    /// Takes in answers to a round that asked for `asked` hits.
    pub(crate) fn put(&mut self, parts: Vec<Part<Vec<Hit>>>, asked: usize) {
        for part in parts {
            self.parts.insert(part.shard, (part, asked));
        }
    }

    pub(crate) fn merge(&self) -> Merged {
        let owners = Owners::new(self.parts.values().map(|(part, _)| claim(part)).collect());
        let owned = self.parts.values().enumerate().flat_map(|(i, (part, _))| {
            let owners = &owners;
            part.value.iter().copied().filter(move |hit| owners.owns(i, hit.slot()))
        });
        let hits = merge_top_k(owned.collect(), self.k);
        let again: Vec<ShardId> = self
            .parts
            .values()
            .filter(|(part, asked)| may_have_more(part, *asked, &hits, self.k))
            .map(|(part, _)| part.shard)
            .collect();
        let asked = self.parts.values().map(|(_, asked)| *asked).max().unwrap_or(0);
        Merged {
            hits,
            again,
            // Only where answers overlap can K hits of a shard not be enough: some of them belong to another one.
            next_k: if asked < self.k { self.k } else { asked * 4 }.min(MAX_SHARD_K),
        }
    }
}

pub(crate) fn claim<T>(part: &Part<T>) -> Claim {
    Claim {
        slots: part.slots,
        range_ver: part.epoch.range_ver,
        applied: part.applied,
    }
}

/// A full list may have been cut; what was cut is worse than its last hit, and matters only if that is better than
/// the merged K-th.
fn may_have_more(part: &Part<Vec<Hit>>, asked: usize, merged: &[Hit], k: usize) -> bool {
    if part.value.len() < asked || asked >= MAX_SHARD_K {
        return false;
    }
    let Some(last) = part.value.last() else { return false };
    match merged.get(k.saturating_sub(1)) {
        None => true,
        Some(kth) => best_first((last.score, last.key.post), (kth.score, kth.key.post)) == Ordering::Less,
    }
}

#[cfg(test)]
#[path = "merge_test.rs"]
mod tests;
