//! Which answer owns a slot when answers overlap, as a lagging parent beside a child does after a split.

use covey_shared::ids::LogIndex;
use covey_shared::slots::{SLOTS, Slot, SlotRange, SlotSet};

/// What an answer says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Claim {
    pub(crate) slots: SlotRange,
    pub(crate) range_ver: u64,
    pub(crate) applied: LogIndex,
}

/// Per slot the one answer that counts: the highest range version, then the most applied, then the first.
#[derive(Debug)]
pub(crate) struct Owners {
    claims: Vec<Claim>,
    /// Owner of every slot, only when claims overlap. [`NOBODY`] where none claims.
    by_slot: Option<Vec<u16>>,
}

const NOBODY: u16 = u16::MAX;

impl Owners {
    pub(crate) fn new(mut claims: Vec<Claim>) -> Owners {
        for claim in &mut claims {
            // It came over the wire.
            claim.slots.end = claim.slots.end.min(SLOTS);
        }
        let by_slot = overlapping(&claims).then(|| {
            let mut owner = vec![NOBODY; usize::from(SLOTS)];
            for (i, claim) in claims.iter().enumerate() {
                for current in &mut owner[range(claim.slots)] {
                    if *current == NOBODY || beats(claim, &claims[usize::from(*current)]) {
                        *current = i as u16;
                    }
                }
            }
            owner
        });
        Owners { claims, by_slot }
    }

    /// Whether what answer number `answer` says about `slot` counts.
    pub(crate) fn owns(&self, answer: usize, slot: Slot) -> bool {
        match &self.by_slot {
            Some(owner) => owner
                .get(usize::from(slot.0))
                .is_some_and(|o| usize::from(*o) == answer),
            None => self.claims[answer].slots.contains(slot),
        }
    }

    /// Slots that somebody answered for.
    pub(crate) fn covered(&self) -> SlotSet {
        let mut covered = SlotSet::default();
        self.claims.iter().for_each(|c| covered.insert(c.slots));
        covered
    }
}

fn range(slots: SlotRange) -> std::ops::Range<usize> {
    let end = usize::from(slots.end);
    usize::from(slots.start).min(end)..end
}

fn beats(a: &Claim, b: &Claim) -> bool {
    (a.range_ver, a.applied) > (b.range_ver, b.applied)
}

fn overlapping(claims: &[Claim]) -> bool {
    let mut sorted: Vec<SlotRange> = claims.iter().map(|c| c.slots).filter(|s| s.count() > 0).collect();
    sorted.sort_unstable();
    sorted.windows(2).any(|pair| pair[1].start < pair[0].end)
}

#[cfg(test)]
#[path = "overlap_test.rs"]
mod tests;
