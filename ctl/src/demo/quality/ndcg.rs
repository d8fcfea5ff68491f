//! Normalised discounted cumulated gain (Järvelin and Kekäläinen, ACM TOIS 20(4), 2002), with the discount 1 / log₂(place + 1) of
//! Burges et al. (ICML 2005) and the gains as they are: DCG@k = Σ gainᵢ / log₂(i + 1) over the places i = 1 … k.

/// DCG of gains in the order of the list; all of it counts.
pub(super) fn dcg(gains: impl IntoIterator<Item = f64>) -> f64 {
    let discounted = gains.into_iter().zip(2_u32..);
    discounted.map(|(gain, place)| gain / f64::from(place).log2()).sum()
}

/// DCG@k of `list` over that of `best`, the at most k highest gains that there are, in descending order. `None` if none of them is above 0.
/// Gains are not negative.
pub(super) fn ndcg(list: &[f64], best: &[f64], k: usize) -> Option<f64> {
    let ideal = dcg(best.iter().copied());
    (ideal > 0.0).then(|| dcg(list.iter().copied().take(k)) / ideal)
}

/// Mean, and its standard error: the sample's standard deviation over √n.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Mean {
    pub(super) mean: f64,
    pub(super) se: f64,
}

impl Mean {
    /// Of nothing: 0. The error of a single value is not known: 0, too.
    pub(super) fn of(values: &[f64]) -> Mean {
        let n = values.len().max(1) as f64;
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        Mean {
            mean,
            se: (squares / (n - 1.0).max(1.0) / n).sqrt(),
        }
    }

    /// By how many standard errors the mean is above 0.
    pub(super) fn in_errors(self) -> f64 {
        match self.se > 0.0 {
            true => self.mean / self.se,
            false => 0.0,
        }
    }
}

#[cfg(test)]
#[path = "ndcg_test.rs"]
mod tests;
