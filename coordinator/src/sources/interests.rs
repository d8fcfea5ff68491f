//! The viewer's interests as vectors: the mean of what the viewer liked, recent posts first, and single posts of it.

use std::collections::BTreeMap;
use std::time::Duration;

use covey_config::{Metric, OutOfNetworkConfig, SimilarToRecentConfig};
use covey_shared::ids::{PostKey, UnixMillis};

use crate::feed::query::FeedQuery;
use crate::hydrators::user_action_sequence::SequenceEntry;

/// Vectors of posts.
type Vectors = BTreeMap<PostKey, Vec<f32>>;

/// What OutOfNetwork searches around.
pub(crate) fn mean_interest(query: &FeedQuery, vectors: &Vectors, config: &OutOfNetworkConfig) -> Option<Vec<f32>> {
    let liked = liked(&query.sequence, config.history);
    interest_vector(&liked, vectors, query.now, config.half_life)
}

/// What SimilarToRecent searches around.
pub(crate) fn single_interests(query: &FeedQuery, vectors: &Vectors, config: &SimilarToRecentConfig) -> Vec<Vec<f32>> {
    medoids(&liked(&query.sequence, config.history), vectors, config.medoids)
}

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
fn interest_vector(
    liked: &[(PostKey, UnixMillis)],
    vectors: &Vectors,
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

/// Vectors, as they are stored, of at most `most` of the liked posts: those that stand for all of them best. Each is chosen such that
/// Σᵢ maxₘ cos(i, m), over all posts i and the medoids m so far, grows most (the BUILD step of PAM: Kaufman & Rousseeuw, Finding Groups
/// in Data, 1990); among equals the newest.
fn medoids(liked: &[(PostKey, UnixMillis)], vectors: &Vectors, most: usize) -> Vec<Vec<f32>> {
    let known = liked.iter().filter_map(|(post, _)| vectors.get(post));
    let mut posts: Vec<(&Vec<f32>, Vec<f32>)> = known.filter_map(|vector| Some((vector, unit(vector)?))).collect();
    let dim = posts.first().map_or(0, |(vector, _)| vector.len());
    posts.retain(|(vector, _)| vector.len() == dim);
    let to_all = |medoid: &[f32]| posts.iter().map(|(_, post)| dot(post, medoid)).collect();
    let cosines: Vec<Vec<f64>> = posts.iter().map(|(_, medoid)| to_all(medoid)).collect();
    let mut nearest = vec![0.0; posts.len()];
    let mut chosen = Vec::new();
    while chosen.len() < most {
        let gain = |cosines: &[f64]| -> f64 {
            let gains = cosines
                .iter()
                .zip(&nearest)
                .map(|(cosine, best)| (cosine - best).max(0.0));
            gains.sum()
        };
        let gains = cosines.iter().map(|cosines| gain(cosines)).enumerate();
        let best = gains.reduce(|best, next| if next.1 > best.1 { next } else { best });
        let worth = |gain: f64| chosen.is_empty() || gain > MIN_GAIN * posts.len() as f64;
        let Some((medoid, _)) = best.filter(|(_, gain)| worth(*gain)) else {
            break;
        };
        for (best, cosine) in nearest.iter_mut().zip(&cosines[medoid]) {
            *best = cosine.max(*best);
        }
        chosen.push(posts[medoid].0.clone());
    }
    chosen
}

/// How near two vectors are, as a search scores them; `None` if they are of different spaces.
pub(crate) fn similarity(metric: Metric, a: &[f32], b: &[f32]) -> Option<f32> {
    let score = match metric {
        Metric::InnerProduct => dot(a, b),
        // Negated, so that nearer is more.
        Metric::L2 => -a.iter().zip(b).map(|(x, y)| f64::from(x - y).powi(2)).sum::<f64>(),
    };
    (!a.is_empty() && a.len() == b.len()).then_some(score as f32)
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
