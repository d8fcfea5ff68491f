//! Tests of previously seen.

use covey_shared::ids::PostId;
use covey_shared::wire::{SeenBloom, bloom_bits};

use super::PreviouslySeen;
use crate::feed::testing::{keep_or, key, post, query, repost, verdicts};

fn bloom(post: u64) -> SeenBloom {
    let mut words = vec![0u64; 64];
    for bit in bloom_bits(PostId(post), words.len(), 4) {
        words[(bit / 64) as usize] |= 1 << (bit % 64);
    }
    SeenBloom {
        generations: vec![words],
        hashes: 4,
    }
}

#[test]
fn seen_by_id_by_the_clients_bloom_or_by_the_stored_one() {
    let mut query = query();
    query.known.seen.insert(PostId(10));
    query.client_blooms.push(bloom(11));
    query.impressions.seen = bloom(12);
    let mut posts = vec![post(2, 10), post(2, 11), post(2, 12), post(2, 13)];
    let expected = keep_or(&["seen_ids", "client_bloom", "stored_bloom", ""]);
    assert_eq!(verdicts(&PreviouslySeen, &query, &mut posts), expected);
}

#[test]
fn having_seen_the_original_or_the_answered_post_counts() {
    let mut query = query();
    query.known.seen.insert(PostId(10));
    let mut reply = post(3, 21);
    reply.core.reply_to = key(2, 10);
    let mut quote = post(3, 22);
    quote.core.quote_of = key(2, 10);
    let mut posts = vec![repost(3, 20, key(2, 10)), reply, quote];
    assert_eq!(
        verdicts(&PreviouslySeen, &query, &mut posts),
        keep_or(&["seen_ids", "seen_ids", ""])
    );
}

#[test]
fn an_empty_memory_keeps_all() {
    assert_eq!(verdicts(&PreviouslySeen, &query(), &mut [post(2, 10)]), keep_or(&[""]));
}
