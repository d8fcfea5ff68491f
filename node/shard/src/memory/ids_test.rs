//! The id map against a plain one.

use std::collections::BTreeMap;

use rand::rngs::SmallRng;
use rand::{RngCore, SeedableRng};

use super::*;

#[test]
fn posts_of_several_authors_with_one_id_are_all_found() {
    let seed = 7;
    println!("seed {seed}");
    let mut random = SmallRng::seed_from_u64(seed);
    let (ids, mut plain) = (Ids::new(), BTreeMap::new());
    for step in 0..20_000u32 {
        let key = PostKey {
            post: PostId(1 + random.next_u64() % 40),
            author: UserId(1 + random.next_u64() % 4),
        };
        let known = match random.next_u64() % 4 {
            0 => Some(Known::Deleted),
            1 => None,
            _ => Some(Known::Live(Ordinal(step))),
        };
        let before = match known {
            Some(known) => (ids.set(key, known), plain.insert((key.post, key.author), known)),
            None => (ids.remove(key), plain.remove(&(key.post, key.author))),
        };
        assert_eq!(before.0, before.1, "step {step}");
        assert_eq!(ids.get(key), known, "step {step}");
        let live = |((post, author), known): (&(PostId, UserId), &Known)| {
            let here = *post == key.post && matches!(known, Known::Live(_));
            here.then_some(PostKey {
                post: *post,
                author: *author,
            })
        };
        assert_eq!(
            ids.by_post(key.post),
            plain.iter().filter_map(live).collect::<Vec<_>>(),
            "step {step}"
        );
    }
}

#[test]
fn its_bytes_are_those_of_its_tables_and_go_down_again() {
    let ids = Ids::new();
    assert_eq!(ids.bytes(), 0);
    let key = |post| PostKey {
        post: PostId(post),
        author: UserId(1),
    };
    for post in 1..=200_000 {
        ids.set(key(post), Known::Deleted);
    }
    let (full, counted) = (ids.bytes(), ids.stripes.iter().map(|s| s.read().bytes()).sum::<usize>());
    assert_eq!(full, counted as u64);
    assert!(full > 200_000 * 24, "{full}");
    for post in 1..=200_000 {
        ids.remove(key(post));
    }
    assert!(ids.bytes() < full / 8, "{} of {full}", ids.bytes());
}
