//! Each way in which a merge can be wrong is seen.

use covey_shared::ids::{PostId, UserId, Version};
use covey_shared::score::Score;
use covey_shared::slots::Slot;

use super::*;

fn key(post: u64) -> PostKey {
    PostKey {
        author: UserId(7),
        post: PostId(post),
    }
}

fn hit(post: u64, score: f32) -> Hit {
    Hit {
        key: key(post),
        slot: Slot::of(UserId(7)).0,
        score: Score::or_lowest(score),
    }
}

/// Posts 0 ..= 3 and 16 are there, and 5 was deleted; class 1 is the best, then 0 with its two posts, then the others.
fn posts() -> Fates<PostKey> {
    let mut posts = Fates::default();
    for (post, on) in [(0, true), (1, true), (2, true), (3, true), (5, false), (16, true)] {
        posts.ask(key(post), Version(1), on);
        posts.acknowledge(key(post), Version(1));
    }
    posts
}

fn searched(k: usize) -> Searched {
    let mut scores = [0.0; CLASSES];
    (scores[0], scores[1]) = (1.0, 2.0);
    Searched {
        k,
        scores,
        before: posts(),
    }
}

#[test]
fn the_best_k_are_right() {
    let best = [hit(1, 2.0), hit(0, 1.0), hit(16, 1.0), hit(2, 0.0), hit(3, 0.0)];
    for k in 1..=6 {
        assert_eq!(fault(&posts(), &searched(k), &best[..k.min(5)]), None, "k {k}");
    }
}

#[test]
fn whatever_is_wrong_is_seen() {
    let wrong: [(&str, &[Hit]); 7] = [
        ("a better one is missing", &[hit(0, 1.0), hit(16, 1.0), hit(2, 0.0)]),
        (
            "a tie is broken the other way",
            &[hit(1, 2.0), hit(16, 1.0), hit(2, 0.0)],
        ),
        ("ties are in the wrong order", &[hit(1, 2.0), hit(16, 1.0), hit(0, 1.0)]),
        ("one is there twice", &[hit(1, 2.0), hit(0, 1.0), hit(0, 1.0)]),
        ("there is room for more", &[hit(1, 2.0), hit(0, 1.0)]),
        ("a deleted one is there", &[hit(1, 2.0), hit(0, 1.0), hit(5, 0.0)]),
        ("a score is another one", &[hit(1, 2.0), hit(0, 1.5), hit(16, 1.0)]),
    ];
    for (what, hits) in wrong {
        assert!(fault(&posts(), &searched(3), hits).is_some(), "{what}");
    }
}

#[test]
fn what_changes_meanwhile_may_be_there_or_not() {
    let mut now = posts();
    now.ask(key(0), Version(2), false);
    now.ask(key(5), Version(2), true);
    assert_eq!(fault(&now, &searched(2), &[hit(1, 2.0), hit(16, 1.0)]), None);
    assert_eq!(fault(&now, &searched(2), &[hit(1, 2.0), hit(0, 1.0)]), None);
    let with_all = [hit(1, 2.0), hit(16, 1.0), hit(2, 0.0), hit(3, 0.0), hit(5, 0.0)];
    assert_eq!(fault(&now, &searched(5), &with_all), None);
}
