//! Sums over measurements. Pure.

/// The middle one; of an even number the mean of the two in the middle. 0 of none.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => 0.0,
        len if len.is_multiple_of(2) => (sorted[len / 2 - 1] + sorted[len / 2]) / 2.0,
        len => sorted[len / 2],
    }
}

/// What a setting of an index costs and finds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Recall, `0..=1`.
    pub recall: f64,
    /// CPU microseconds per query.
    pub cpu_us: f64,
}

/// The cost at `recall` on the line between a cheaper setting below it and a dearer one that reaches it.
pub fn cost_at(recall: f64, below: Point, above: Point) -> f64 {
    let span = above.recall - below.recall;
    if span <= 0.0 {
        return above.cpu_us;
    }
    let part = ((recall - below.recall) / span).clamp(0.0, 1.0);
    below.cpu_us + part * (above.cpu_us - below.cpu_us)
}

/// Of settings of ascending effort the first whose recall reaches `recall`, and the one before it; without one before it,
/// or if none reaches it, the same twice.
pub fn bracket(recall: f64, found: &[f64]) -> (usize, usize) {
    let reached = found.iter().position(|&r| r >= recall);
    match reached {
        Some(at) => (at.saturating_sub(1), at),
        None => (found.len().saturating_sub(1), found.len().saturating_sub(1)),
    }
}

#[cfg(test)]
#[path = "figures_test.rs"]
mod tests;
