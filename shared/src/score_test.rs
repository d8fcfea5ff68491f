//! Scores are totally ordered and a merge equals one big list.

use super::*;
use crate::ids::UserId;

fn hit(post: u64, score: f32) -> Hit {
    let key = PostKey {
        author: UserId(1),
        post: PostId(post),
    };
    Hit {
        key,
        slot: 0,
        score: Score::or_lowest(score),
    }
}

#[test]
fn nan_is_no_score_and_zero_has_one_sign() {
    assert!(Score::new(f32::NAN).is_none());
    assert_eq!(Score::new(-0.0), Score::new(0.0));
    assert_eq!(Score::new(-0.0).map(|s| s.get().to_bits()), Some(0));
    assert!(Score::or_lowest(f32::NAN) < Score::or_lowest(-1e30));
}

#[test]
fn merge_breaks_ties_by_post_id_and_drops_repeats() {
    let merged = merge_top_k(vec![hit(9, 1.0), hit(3, 1.0), hit(9, 1.0), hit(5, 2.0), hit(1, 0.5)], 3);
    assert_eq!(merged.iter().map(|h| h.key.post.0).collect::<Vec<_>>(), [5, 3, 9]);
}

#[test]
fn merge_of_zero_is_empty() {
    assert!(merge_top_k(vec![hit(1, 1.0)], 0).is_empty());
}
