//! Tests of the impression bloom filter.

use super::*;

fn filled(words: usize, hashes: u8, posts: std::ops::Range<u64>) -> SeenBloom {
    let mut bits = vec![0_u64; words];
    for post in posts {
        for bit in bloom_bits(PostId(post), words, hashes) {
            bits[(bit / 64) as usize] |= 1 << (bit % 64);
        }
    }
    SeenBloom {
        generations: vec![vec![0; words], bits],
        hashes,
    }
}

#[test]
fn holds_what_was_put_in_and_little_else() {
    // n = 1000, p = 0.01: m = 9586 bits, k = 7.
    let seen = filled(150, 7, 0..1000);
    assert!((0..1000).all(|post| seen.contains(PostId(post))));
    let wrong = (1000..11_000).filter(|post| seen.contains(PostId(*post))).count();
    assert!(wrong < 200, "{wrong} of 10000 false positives");
}

#[test]
fn an_empty_filter_holds_nothing() {
    assert!(!SeenBloom::default().contains(PostId(1)));
    assert!(
        !SeenBloom {
            generations: vec![vec![]],
            hashes: 7
        }
        .contains(PostId(1))
    );
}

#[test]
fn positions_are_fixed_for_ever() {
    assert_eq!(
        bloom_bits(PostId(42), 750, 3).collect::<Vec<_>>(),
        bloom_bits(PostId(42), 750, 7).take(3).collect::<Vec<_>>()
    );
}
