//! Scores: totally ordered, never NaN, on two scales that never mix.

use std::cmp::Ordering;

use serde::Serialize;

/// Which scale a score is on. Every score of a later variant ranks above every score of an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
enum Scale {
    Unscored,
    Fallback,
    Scored,
}

/// The rank key of a candidate.
///
/// A ranking model may answer for a part of the candidates only. The others are then ordered by a cheaper score whose
/// numbers mean something else; [`Score::fallback`] puts them strictly below all that the model scored.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Score {
    scale: Scale,
    value: f64,
}

impl Score {
    /// No score at all: ranks below everything.
    pub const UNSCORED: Self = Self {
        scale: Scale::Unscored,
        value: f64::NEG_INFINITY,
    };

    /// A score on the main scale; `None` for NaN. Negative zero becomes zero, so that the two rank as equals.
    #[must_use]
    pub fn new(value: f64) -> Option<Self> {
        Self::on(Scale::Scored, value)
    }

    /// A score on the fallback scale, below every [`Score::new`] whatever the numbers; `None` for NaN.
    #[must_use]
    pub fn fallback(value: f64) -> Option<Self> {
        Self::on(Scale::Fallback, value)
    }

    fn on(scale: Scale, value: f64) -> Option<Self> {
        (!value.is_nan()).then_some(Self {
            scale,
            value: value + 0.0,
        })
    }

    /// The number, on its own scale; −∞ when there is none.
    #[must_use]
    pub fn value(self) -> f64 {
        self.value
    }

    /// Whether this score is on the main scale.
    #[must_use]
    pub fn is_scored(self) -> bool {
        self.scale == Scale::Scored
    }

    /// The number times a factor, on the same scale; [`Score::UNSCORED`] if that is NaN, or was no score before.
    #[must_use]
    pub fn times(self, factor: f64) -> Self {
        match self.scale {
            Scale::Unscored => self,
            scale => Self::on(scale, self.value * factor).unwrap_or(Self::UNSCORED),
        }
    }
}

impl Ord for Score {
    fn cmp(&self, other: &Self) -> Ordering {
        self.scale
            .cmp(&other.scale)
            .then_with(|| self.value.total_cmp(&other.value))
    }
}

impl PartialOrd for Score {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Score {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Score {}

#[cfg(test)]
#[path = "score_test.rs"]
mod tests;
