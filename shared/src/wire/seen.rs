//! The impression bloom filter: one definition for the shard that fills it and everybody who asks it.

use bincode::{Decode, Encode};
use xxhash_rust::xxh3::xxh3_128;

use crate::ids::PostId;

/// A viewer's impression bloom filter: standard Bloom filter, newest generation first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct SeenBloom {
    /// Bits of each generation; the same size each.
    pub generations: Vec<Vec<u64>>,
    /// Hash functions per lookup.
    pub hashes: u8,
}

/// The bit positions of `post` in a filter of `words` 64-bit words: double hashing, g_i = h1 + i·h2 mod m (Kirsch and
/// Mitzenmacher 2006). Empty for a filter without bits.
pub fn bloom_bits(post: PostId, words: usize, hashes: u8) -> impl Iterator<Item = u64> {
    let hash = xxh3_128(&post.0.to_le_bytes());
    // An odd step never repeats a position early in a table of even size.
    let (first, step) = (hash as u64, (hash >> 64) as u64 | 1);
    let bits = words as u64 * 64;
    (0..if bits == 0 { 0 } else { u64::from(hashes) }).map(move |i| first.wrapping_add(i.wrapping_mul(step)) % bits)
}

impl SeenBloom {
    /// Whether the viewer has probably seen `post`; never false for a post that is in the filter.
    pub fn contains(&self, post: PostId) -> bool {
        self.hashes > 0
            && self.generations.iter().any(|bits| {
                !bits.is_empty()
                    && bloom_bits(post, bits.len(), self.hashes)
                        .all(|bit| bits[(bit / 64) as usize] >> (bit % 64) & 1 == 1)
            })
    }
}

#[cfg(test)]
#[path = "seen_test.rs"]
mod tests;
