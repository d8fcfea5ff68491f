//! A search that says that it is complete returned what one big shard would have: the best k, ties by post id, each once.
//!
//! Posts that are changed during the search may be there or not; of all others it is known.

use std::collections::BTreeSet;

use covey_shared::ids::PostKey;
use covey_shared::score::Hit;

use crate::client::CLASSES;
use crate::fates::Fates;
use crate::history::History;

/// A search, and what was known of the posts when it was asked for.
pub(crate) struct Searched {
    /// Wanted.
    pub(crate) k: usize,
    /// Score of each class of posts.
    pub(crate) scores: [f32; CLASSES],
    /// Posts that were there before.
    pub(crate) before: Fates<PostKey>,
}

/// Checks an answer that says that nothing is missing.
pub(crate) fn merge_is_one_shard(history: &mut History, searched: &Searched, hits: &[Hit]) {
    if let Some(broken) = fault(&history.posts, searched, hits) {
        history.violations.push(format!("a complete search: {broken}"));
    }
}

fn fault(posts: &Fates<PostKey>, searched: &Searched, hits: &[Hit]) -> Option<String> {
    let Searched { k, scores, before } = searched;
    // What ranks a post: the higher score, then the lower id.
    let rank = |key: &PostKey| (-f64::from(scores[key.post.0 as usize % CLASSES]), key.post);
    let found: BTreeSet<PostKey> = hits.iter().map(|hit| hit.key).collect();
    if found.len() != hits.len() || hits.len() > *k {
        return Some(format!("{} posts as {} hits of {k}", found.len(), hits.len()));
    }
    let score = |hit: &&Hit| hit.score.get() != scores[hit.key.post.0 as usize % CLASSES];
    if let Some(hit) = hits.iter().find(score) {
        return Some(format!("{:?} has the score {:?}", hit.key, hit.score));
    }
    if let Some(pair) = hits.windows(2).find(|pair| rank(&pair[0].key) >= rank(&pair[1].key)) {
        return Some(format!("{:?} stands before {:?}", pair[0].key, pair[1].key));
    }
    if let Some(gone) = found.iter().find(|key| posts.steady(before, **key) == Some(false)) {
        return Some(format!("{gone:?} is no post, and was found"));
    }
    // Whoever is better than the last hit is one, and everybody where there is room.
    let last = hits.last().filter(|_| hits.len() == *k).map(|hit| rank(&hit.key));
    let belongs = |key: &PostKey| last.is_none_or(|last| rank(key) < last);
    let mut there = posts.keys().filter(|key| posts.steady(before, *key) == Some(true));
    let missed = there.find(|key| belongs(key) && !found.contains(key))?;
    Some(format!("{missed:?} is missing among {} hits of {k}", hits.len()))
}

#[cfg(test)]
#[path = "merge_is_one_shard_test.rs"]
mod tests;
