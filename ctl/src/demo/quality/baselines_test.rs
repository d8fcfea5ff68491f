//! Each rule orders as its name says.

use std::collections::BTreeSet;

use super::*;
use crate::world::dice::Stream;

fn pool() -> Vec<Entry> {
    let entry = |post: u64| Entry {
        post,
        author: post,
        topic: 0,
        created_ms: 1_000 + post,
        gain: [0.5, 0.1, 0.9, 0.3, 0.7, 0.0][post as usize],
        popularity: [9.0, 1.0, 0.0, 4.0, 0.0, 2.0][post as usize],
        followed: post % 3 == 1,
        cold: false,
    };
    (0..6).map(entry).collect()
}

fn posts(method: Method, k: usize) -> Vec<u64> {
    let mut dice = Dice::new(1, Stream::Slate, 1);
    let list = ranked(method, &pool()[3..], &pool(), k, &mut dice);
    list.iter().map(|entry| entry.post).collect()
}

#[test]
fn rules_order_as_they_say() {
    assert_eq!(posts(Method::Recency, 3), [5, 4, 3]);
    assert_eq!(posts(Method::Following, 3), [4, 1, 5]);
    assert_eq!(posts(Method::Popularity, 4), [0, 3, 5, 1]);
    assert_eq!(posts(Method::Popularity, 6)[4..], [4, 2], "of equals the newer one");
    assert_eq!(posts(Method::Oracle, 3), [2, 4, 0]);
    assert_eq!(posts(Method::Pipeline, 3), [3, 4, 5], "as it was served");
}

#[test]
fn chance_draws_no_post_twice_and_every_post_at_times() {
    let mut dice = Dice::new(7, Stream::Slate, 1);
    let mut first = BTreeSet::new();
    for _ in 0..200 {
        let list = ranked(Method::Random, &[], &pool(), 4, &mut dice);
        let distinct: BTreeSet<u64> = list.iter().map(|entry| entry.post).collect();
        assert_eq!(distinct.len(), 4);
        first.insert(list[0].post);
    }
    assert_eq!(first.len(), 6);
    assert_eq!(ranked(Method::Random, &[], &pool(), 99, &mut dice).len(), 6);
}
