//! What a ranking model says about one viewer and one post.

use covey_shared::model::{ActionKind, HEADS};

/// What a model puts out for one post, by [`ActionKind::index`]: 18 probabilities, and the time that the viewer stays as a
/// share of [`MAX_DWELL_SECS`].
pub type Outputs = [f32; HEADS];

/// Seconds that stand behind a dwell time of 1; nobody is taken to stay longer.
pub(crate) const MAX_DWELL_SECS: f64 = 30.0;

/// The outputs in their order.
pub(crate) fn heads() -> impl Iterator<Item = ActionKind> {
    ActionKind::ALL.into_iter().take(HEADS)
}

/// Outputs that were checked: each lies between 0 and 1.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Predictions(Outputs);

impl Predictions {
    /// `None` if one is NaN or outside 0 to 1: a model that says so is broken, and nobody knows what it means.
    pub(crate) fn new(outputs: Outputs) -> Option<Predictions> {
        let valid = outputs.iter().all(|output| (0.0..=1.0).contains(output));
        valid.then_some(Predictions(outputs))
    }

    /// Each head with its output; dwell time in seconds.
    pub(crate) fn values(&self) -> impl Iterator<Item = (ActionKind, f64)> {
        let value = |(head, output): (ActionKind, &f32)| match head {
            ActionKind::DwellTime => (head, f64::from(*output) * MAX_DWELL_SECS),
            _ => (head, f64::from(*output)),
        };
        heads().zip(&self.0).map(value)
    }
}

#[cfg(test)]
#[path = "predictions_test.rs"]
mod tests;
