//! Tests of new.

use super::*;
use crate::feed::testing::{ago, core};

#[test]
fn small_authors_come_first_and_others_fill_up() {
    let mut posts: Vec<Candidate> = (1..=5)
        .map(|i| Candidate {
            created_at: ago(i * 1000),
            ..core(i, i)
        })
        .collect();
    posts[2].flags = CandidateFlags(CandidateFlags::HAS_CONTENT | CandidateFlags::SMALL_AUTHOR);
    posts[4].flags = CandidateFlags(CandidateFlags::HAS_CONTENT | CandidateFlags::SMALL_AUTHOR);
    posts.reverse();
    let ids: Vec<u64> = small_authors_first(posts, 4)
        .iter()
        .map(|post| post.key.post.0)
        .collect();
    assert_eq!(ids, [3, 5, 1, 2]);
}
