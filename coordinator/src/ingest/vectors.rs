//! The content vector of a post: the caller's, or the built-in embedder's.

use covey_config::{Config, Metric};
use covey_shared::embed;
use covey_shared::model::F16Vector;
use thiserror::Error;

/// Largest value of an f16.
const F16_MAX: f32 = 65_504.0;

/// Why a vector is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum VectorError {
    /// Another dimension than the space.
    #[error("the vector has {found} numbers, the space has {wanted} dimensions (embedding.dim)")]
    WrongDimension {
        /// Of the caller's vector.
        found: usize,
        /// Of the space.
        wanted: usize,
    },
    /// NaN or infinity.
    #[error("number {0} of the vector is not finite")]
    NotFinite(usize),
    /// Beyond the range of half precision.
    #[error("number {0} of the vector is beyond ±65504, the range of half precision")]
    OutOfRange(usize),
    /// No direction to search by.
    #[error("all numbers of the vector are 0")]
    Zero,
}

/// The content space.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Vectors {
    dim: usize,
    normalised: bool,
}

impl Vectors {
    pub(crate) fn new(config: &Config) -> Vectors {
        Vectors {
            dim: config.embedding.dim,
            normalised: config.embedding.metric == Metric::InnerProduct,
        }
    }

    /// Checks a caller's vector and, where similarity is the inner product, scales it to length 1.
    pub(crate) fn checked(&self, values: Vec<f32>) -> Result<Vec<f32>, VectorError> {
        if values.len() != self.dim {
            return Err(VectorError::WrongDimension {
                found: values.len(),
                wanted: self.dim,
            });
        }
        if let Some(bad) = values.iter().position(|v| !v.is_finite()) {
            return Err(VectorError::NotFinite(bad));
        }
        // In f64: the square of a large f32 overflows.
        let length = values.iter().map(|v| f64::from(*v) * f64::from(*v)).sum::<f64>().sqrt();
        if length == 0.0 {
            return Err(VectorError::Zero);
        }
        if self.normalised {
            return Ok(values.iter().map(|v| (f64::from(*v) / length) as f32).collect());
        }
        match values.iter().position(|v| v.abs() > F16_MAX) {
            Some(bad) => Err(VectorError::OutOfRange(bad)),
            None => Ok(values),
        }
    }

    /// The vector of a text; `None` for a text without words.
    pub(crate) fn of_text(&self, text: &str) -> Option<Vec<f32>> {
        embed::content(text, self.dim)
    }

    /// What is stored: the caller's vector, else the text's; empty when there is nothing to search by.
    pub(crate) fn stored(&self, given: Vec<f32>, text: &str) -> Result<F16Vector, VectorError> {
        let values = if given.is_empty() {
            self.of_text(text)
        } else {
            Some(self.checked(given)?)
        };
        Ok(values.map(|v| F16Vector::from_f32(&v)).unwrap_or_default())
    }
}

#[cfg(test)]
#[path = "vectors_test.rs"]
mod tests;
