//! Whether something grows.

use serde::Serialize;

/// Growth that is noise: what is measured goes up and down with merges, flushes and cuts.
const NOISE: f64 = 1.10;
/// Samples of a sparkline.
const WIDTH: usize = 40;
const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// What became of one figure in the course of a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Course {
    pub(super) what: &'static str,
    /// Mean of the middle third of the samples; the first third is the way up.
    pub(super) middle: f64,
    /// Mean of the last third.
    pub(super) last: f64,
    pub(super) max: f64,
    /// Last by middle.
    pub(super) growth: f64,
    pub(super) flat: bool,
    #[serde(skip)]
    pub(super) line: String,
}

impl Course {
    /// `load` is the growth of what the figure follows: above 1 it excuses as much growth.
    pub(super) fn of(what: &'static str, samples: &[f64], load: f64) -> Course {
        let third = samples.len() / 3;
        let (middle, last) = (mean(&samples[third..2 * third]), mean(&samples[2 * third..]));
        let growth = if middle > 0.0 { last / middle } else { 1.0 };
        Course {
            what,
            middle,
            last,
            max: samples.iter().copied().fold(0.0, f64::max),
            growth,
            flat: third > 0 && growth <= NOISE * load.max(1.0),
            line: sparkline(samples),
        }
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// The highest of each stretch, from nothing to the highest of all.
fn sparkline(samples: &[f64]) -> String {
    let max = samples.iter().copied().fold(0.0, f64::max).max(f64::MIN_POSITIVE);
    let level = |stretch: &[f64]| {
        let highest = stretch.iter().copied().fold(0.0, f64::max);
        LEVELS[((highest / max * LEVELS.len() as f64) as usize).min(LEVELS.len() - 1)]
    };
    samples
        .chunks(samples.len().div_ceil(WIDTH).max(1))
        .map(level)
        .collect()
}

#[cfg(test)]
#[path = "flat_test.rs"]
mod tests;
