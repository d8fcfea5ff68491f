//! Filter: of texts that are nearly the same, all but the best.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use covey_pipeline::{Filter, Reply, RunContext, Score, Verdict, ready};
use covey_shared::ids::PostId;

use crate::feed::candidate::FeedCandidate;
use crate::feed::query::FeedQuery;
use crate::ranking::l1::L1;

/// Most bits in which the hashes of two such texts differ.
const MOST_BITS: u32 = 3;
/// Parts of a hash: one more than [`MOST_BITS`], so that two near ones have at least one part in common.
const PARTS: usize = 4;

/// Goes through the texts from the best to the worst by the first score, and removes those that are near one that stays. A post
/// and its reposts are one text: which of them is shown is `RetweetDedup`'s to say.
pub(crate) struct ContentDuplicate {
    pub(crate) l1: L1,
}

impl Filter<FeedQuery, FeedCandidate> for ContentDuplicate {
    /// A reserve has gone through it, and has no texts that are near each other or near what was served from it.
    fn enable(&self, query: &FeedQuery) -> bool {
        !query.resumed
    }

    fn filter<'a>(
        &'a self,
        _: &'a RunContext,
        query: &'a FeedQuery,
        posts: &'a mut [FeedCandidate],
    ) -> Reply<'a, Vec<Verdict>> {
        // 0: a text has too few words to be compared.
        let mut texts: BTreeMap<PostId, Text> = BTreeMap::new();
        for post in posts.iter_mut() {
            let score = Score::new(self.l1.of(query, post));
            let hash = post.ranked_as().simhash;
            if hash != 0 && !post.source_unknown() {
                let text = texts.entry(post.shown().post).or_insert(Text { hash, score });
                text.score = text.score.max(score);
            }
        }
        let worse = worse(&texts);
        let gone = |post: &FeedCandidate| worse.contains(&post.shown().post);
        ready(
            posts
                .iter()
                .map(|post| Verdict::remove_if(gone(post), "near_duplicate"))
                .collect(),
        )
    }
}

/// A text, and the best score that it is shown with.
struct Text {
    hash: u64,
    score: Option<Score>,
}

/// The texts that are near a better one that stays. Of equally good ones the lower id stays.
fn worse(texts: &BTreeMap<PostId, Text>) -> BTreeSet<PostId> {
    let mut order: Vec<(&PostId, &Text)> = texts.iter().collect();
    order.sort_by_key(|(id, text)| (Reverse(text.score), **id));
    // Only what stays is found here, so however many copies there are, each is compared with few.
    let mut kept: BTreeMap<(usize, u16), Vec<u64>> = BTreeMap::new();
    let mut worse = BTreeSet::new();
    for (id, Text { hash, .. }) in order {
        let near = |other: &u64| (hash ^ other).count_ones() <= MOST_BITS;
        if parts(*hash).any(|part| kept.get(&part).is_some_and(|others| others.iter().any(near))) {
            worse.insert(*id);
            continue;
        }
        for part in parts(*hash) {
            kept.entry(part).or_default().push(*hash);
        }
    }
    worse
}

fn parts(hash: u64) -> impl Iterator<Item = (usize, u16)> {
    (0..PARTS).map(move |part| (part, (hash >> (16 * part)) as u16))
}

#[cfg(test)]
#[path = "content_duplicate_test.rs"]
mod tests;
