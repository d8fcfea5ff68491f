//! What the hashes of a group say. Pure.

use std::collections::BTreeMap;

use covey_shared::wire::ReplicaHash;

/// The hashes of a group's members behind one entry; `None` for one that has not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Finding {
    /// All answered, and all found this.
    Equal(u64),
    /// Most members found this; others differ or are silent.
    Most(u64),
    /// They differ, and none has a majority.
    Split,
    /// Too few have answered.
    Open,
}

/// Judges them. A copy is no witness for the replica that it was made of: if that one has lost something without a word, so
/// has the copy, and together they would condemn the last one that still has it.
pub(super) fn judge(hashes: &[Option<ReplicaHash>]) -> Finding {
    let mut witnesses: BTreeMap<u64, usize> = BTreeMap::new();
    for found in hashes.iter().flatten() {
        *witnesses.entry(found.hash).or_default() += usize::from(!found.copy);
    }
    let answered = hashes.iter().flatten().count();
    let most = witnesses.iter().max_by_key(|(_, count)| **count);
    match most {
        Some((hash, _)) if witnesses.len() == 1 && answered == hashes.len() => Finding::Equal(*hash),
        Some((hash, count)) if count * 2 > hashes.len() => Finding::Most(*hash),
        _ if answered == hashes.len() => Finding::Split,
        _ => Finding::Open,
    }
}

#[cfg(test)]
#[path = "majority_test.rs"]
mod tests;
