//! The viewer's interests as vectors: the mean of what the viewer liked, recent posts first, and single posts of it.

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

/// What a further medoid must add to the similarity of the mean post to its medoid, to be worth a search.
const MIN_GAIN: f64 = 0.05;

/// Vectors of at most `most` of the liked posts, at unit length: those that stand for all of them best. Each is chosen such that
/// Σᵢ maxₘ cos(i, m), over all posts i and the medoids m so far, grows most (the BUILD step of PAM: Kaufman & Rousseeuw, Finding Groups
/// in Data, 1990); among equals the newest.
pub(crate) fn medoids(
    liked: &[(PostKey, UnixMillis)],
    vectors: &BTreeMap<PostKey, Vec<f32>>,
    most: usize,
) -> Vec<Vec<f32>> {
    let known = liked.iter().filter_map(|(post, _)| unit(vectors.get(post)?));
    let mut posts: Vec<Vec<f32>> = known.collect();
    let dim = posts.first().map_or(0, Vec::len);
    posts.retain(|post| post.len() == dim);
    let mut nearest = vec![0.0; posts.len()];
    let mut chosen = Vec::new();
    while chosen.len() < most {
        let gain = |medoid: &Vec<f32>| -> f64 {
            let gains = posts
                .iter()
                .zip(&nearest)
                .map(|(post, best)| (dot(post, medoid) - best).max(0.0));
            gains.sum()
        };
        let gains = posts.iter().map(|medoid| (gain(medoid), medoid));
        let best = gains.reduce(|best, next| if next.0 > best.0 { next } else { best });
        let Some((_, medoid)) = best.filter(|(gain, _)| *gain > MIN_GAIN * posts.len() as f64) else {
            break;
        };
        for (post, best) in posts.iter().zip(&mut nearest) {
            *best = dot(post, medoid).max(*best);
        }
        chosen.push(medoid.clone());
    }
    chosen
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum()
}

/// At unit length; `None` if it has none, or no direction.
fn unit(vector: &[f32]) -> Option<Vec<f32>> {
    let norm = dot(vector, vector).sqrt();
    let scaled = || vector.iter().map(|x| (f64::from(*x) / norm) as f32).collect();
    (norm.is_finite() && norm > 0.0).then(scaled)
}

#[cfg(test)]
#[path = "interests_test.rs"]
mod tests;
