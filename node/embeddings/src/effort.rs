//! How hard a search has to try for a recall, from what was measured. Pure.

use bincode::{Decode, Encode};

/// One and a half standard errors of a recall measured with 200 queries of ten hits: among the measured efforts the first
/// that seems to reach the target is more often one that was lucky.
const RECALL_MARGIN: f64 = 0.015;
/// Recall that is not worth the dearest efforts: where no effort reaches the target, this much below the best will do.
const NOT_WORTH: f32 = 0.003;

/// How hard a search tries, and the recall@10 that was measured for it.
#[derive(Debug, Clone, Copy, PartialEq, Encode, Decode)]
pub(crate) struct Effort {
    /// nprobe of an IVF index, ef of a graph.
    pub(crate) value: u32,
    /// Candidates that are scored exactly.
    pub(crate) candidates: u32,
    pub(crate) recall: f32,
}

/// An effort between the measured ones.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Wanted {
    /// nprobe or ef.
    pub(crate) value: f64,
    /// Candidates that are scored exactly.
    pub(crate) candidates: f64,
}

impl Wanted {
    fn of(effort: &Effort) -> Self {
        Self {
            value: effort.value.into(),
            candidates: effort.candidates.into(),
        }
    }

    /// For other than ten hits. `deeper` is by how much the last of them lies further out than the tenth of all rows:
    /// k / 10, divided by the share of the rows that may be returned.
    ///
    /// Measured with codes of two dimensions per part, for equal recall: of a million generated rows ten hits take 320
    /// candidates and a hundred 900, of 50 000 word vectors 40 and 280; a hundred take 2 to 3 times the lists, two hundred
    /// 3 to 5 times.
    pub(crate) fn deeper(self, deeper: f64) -> Self {
        Self {
            value: self.value * deeper.max(1.0).sqrt(),
            candidates: self.candidates * deeper.max(1.0).powf(0.4) + 30.0 * (deeper - 1.0).max(0.0),
        }
    }
}

/// Those of the efforts, given with their costs, that no cheaper one equals, cheapest first: recall grows along them.
pub(crate) fn worthwhile(mut measured: Vec<(f64, Effort)>) -> Vec<Effort> {
    measured.sort_by(|a, b| a.0.total_cmp(&b.0).then(b.1.recall.total_cmp(&a.1.recall)));
    let mut best = f32::NEG_INFINITY;
    measured.retain(|(_, effort)| {
        let better = effort.recall > best;
        best = best.max(effort.recall);
        better
    });
    measured.into_iter().map(|(_, effort)| effort).collect()
}

/// The effort that should reach `recall` with a margin, on the line between two worthwhile ones; if none reaches it, one
/// that is about as good as the best. `None` if none was measured.
pub(crate) fn effort_for(efforts: &[Effort], recall: f64) -> Option<Wanted> {
    let best = efforts.last()?.recall;
    let wanted = ((recall + RECALL_MARGIN) as f32).min(best - NOT_WORTH);
    let at = efforts.iter().position(|effort| effort.recall >= wanted)?;
    let above = &efforts[at];
    let Some(below) = at.checked_sub(1).map(|before| &efforts[before]) else {
        return Some(Wanted::of(above));
    };
    let part = f64::from((wanted - below.recall) / (above.recall - below.recall)).clamp(0.0, 1.0);
    let between = |from: u32, to: u32| f64::from(from) + part * (f64::from(to) - f64::from(from));
    Some(Wanted {
        value: between(below.value, above.value),
        candidates: between(below.candidates, above.candidates),
    })
}

#[cfg(test)]
#[path = "effort_test.rs"]
mod tests;
