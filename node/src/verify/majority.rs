//! What the hashes of a group say. Pure.

use std::collections::BTreeMap;

/// The hashes of a group's members behind one entry; `None` for one that has not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Finding {
    /// All answered, and all found the same.
    Equal,
    /// Most members found this; others differ or are silent.
    Most(u64),
    /// No hash has a majority, and those that are silent could not give it one.
    Split,
    /// Too few have answered.
    Open,
}

/// Judges them.
pub(super) fn judge(hashes: &[Option<u64>]) -> Finding {
    let mut counts: BTreeMap<u64, usize> = BTreeMap::new();
    for hash in hashes.iter().flatten() {
        *counts.entry(*hash).or_default() += 1;
    }
    let silent = hashes.iter().filter(|hash| hash.is_none()).count();
    let Some((hash, count)) = counts.into_iter().max_by_key(|(_, count)| *count) else {
        return Finding::Open;
    };
    if count == hashes.len() {
        Finding::Equal
    } else if count * 2 > hashes.len() {
        Finding::Most(hash)
    } else if (count + silent) * 2 > hashes.len() {
        Finding::Open
    } else {
        Finding::Split
    }
}

#[cfg(test)]
#[path = "majority_test.rs"]
mod tests;
