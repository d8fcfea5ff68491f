//! The viewer's interests as one vector: the mean of what the viewer liked, recent posts first.

use std::collections::BTreeMap;
use std::time::Duration;

use covey_shared::ids::{PostKey, UnixMillis};

use crate::hydrators::user_action_sequence::SequenceEntry;

/// The last liked posts, newest first, each once: at most `most`, with the moment of the last time.
pub(crate) fn liked(sequence: &[SequenceEntry], most: usize) -> Vec<(PostKey, UnixMillis)> {
    let mut seen = std::collections::BTreeSet::new();
    let newest_first = sequence.iter().rev().filter(|entry| entry.is_positive());
    newest_first
        .filter(|entry| seen.insert(entry.post))
        .take(most)
        .map(|entry| (entry.post, entry.at))
        .collect()
}

/// The unit vector in the direction of Σ 2^(−age / half-life) · vector. `None` when no vector is known, or when they
/// cancel out. Vectors of another length than most are left out: they are of another space.
pub(crate) fn interest_vector(
    liked: &[(PostKey, UnixMillis)],
    vectors: &BTreeMap<PostKey, Vec<f32>>,
    now: UnixMillis,
    half_life: Duration,
) -> Option<Vec<f32>> {
    let half_life = half_life.as_millis().max(1) as f64;
    let mut sum: Vec<f64> = Vec::new();
    for (post, at) in liked {
        let Some(vector) = vectors.get(post).filter(|vector| !vector.is_empty()) else {
            continue;
        };
        sum.resize(if sum.is_empty() { vector.len() } else { sum.len() }, 0.0);
        if vector.len() != sum.len() {
            continue;
        }
        let weight = (-(now.since(*at) as f64) / half_life).exp2();
        for (total, x) in sum.iter_mut().zip(vector) {
            *total += weight * f64::from(*x);
        }
    }
    let norm = sum.iter().map(|x| x * x).sum::<f64>().sqrt();
    // Also when all weights have become 0.
    if !(norm.is_finite() && norm > 0.0) {
        return None;
    }
    Some(sum.iter().map(|x| (x / norm) as f32).collect())
}

#[cfg(test)]
#[path = "interests_test.rs"]
mod tests;
