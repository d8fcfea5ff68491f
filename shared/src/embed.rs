//! The built-in `content` embedder and the duplicate hash: deterministic functions of a text, without a model.
//!
//! **Formula of [`content`].** Let `tf(w)` be how often the folded word w ([`crate::text`]) occurs and
//! `t(w) = s(w) · √tf(w)` with the salience s = 0.1 for function words of English, 0.35 for words that stand in English
//! texts about anything (both listed in `embed/common_words.rs`) and for numbers, else 1.
//! Features and their weights are
//! - each distinct word w: `t(w)`;
//! - each distinct pair of neighbours (v, w) that occurs n times: `0.5 · min(s(v), s(w)) · √n`;
//! - each character n-gram (n = 3, 4, 5) of `‹w›`, the word between two boundary marks: `0.7 · t(w) / √(number of
//!   n-grams of w)`, so that long words do not outweigh short ones.
//!
//! A feature with weight x and hash h = xxh3_64(bytes, seed = kind) is added to four places: for each 16-bit lane l of
//! h, `± x / 2` at `((l >> 1) · dim) >> 15`, with the sign from l's lowest bit (signed feature hashing, Weinberger et
//! al. 2009; four places instead of one lower its variance). The sum is scaled to length 1.
//!
//! Only additions, products and square roots occur, in a fixed order: the result is the same bit for bit on every
//! machine. Vectors lie on disk and in caller's queries, so the formula can never change; another one is another space.

use std::collections::BTreeMap;

use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use crate::text::{fold, folded_words};
use common_words::{COMMON_WORDS, FUNCTION_WORDS};

mod common_words;

/// Dimension of the `content` space unless the config says otherwise.
pub const DEFAULT_DIM: usize = 128;

/// Largest dimension: a lane of the hash has 15 bits to choose a place.
pub const MAX_DIM: usize = 4096;

/// Fewest words of a text that can be a near-duplicate: shorter ones agree by chance ("good morning").
const DUPLICATE_WORDS: usize = 5;

const WORD: u64 = 1;
const PAIR: u64 = 2;
const GRAM: u64 = 3;

/// The `content` vector of a text: unit length, `dim` values; `None` for a text without words.
///
/// # Panics
/// If `dim` is not in 1 ..= [`MAX_DIM`]; the config is checked for this.
pub fn content(text: &str, dim: usize) -> Option<Vec<f32>> {
    assert!(
        (1..=MAX_DIM).contains(&dim),
        "dimension {dim} is not in 1 ..= {MAX_DIM}"
    );
    let folded = fold(text);
    let words: Vec<&str> = folded_words(&folded).collect();
    let mut sum = vec![0f32; dim];
    for (word, count) in counted(words.iter().copied()) {
        let weight = salience(word) * (count as f32).sqrt();
        add(&mut sum, xxh3_64_with_seed(word.as_bytes(), WORD), weight);
        add_grams(&mut sum, word, weight);
    }
    let mut buffer = String::new();
    for ((left, right), count) in counted(words.windows(2).map(|pair| (pair[0], pair[1]))) {
        let weight = 0.5 * salience(left).min(salience(right)) * (count as f32).sqrt();
        add(&mut sum, pair_hash(&mut buffer, left, right), weight);
    }
    let length = sum.iter().map(|x| x * x).sum::<f32>().sqrt();
    // A sum can in theory cancel out; without a direction there is nothing to search by.
    (length > 0.0).then(|| sum.iter().map(|x| x / length).collect())
}

/// 64-bit SimHash (Charikar 2002) over words and pairs of neighbours; texts that differ in a word or two of many lie a
/// few bits apart. `None` for a text without words. Can never change: replicas and releases compare each other's.
pub fn simhash(text: &str) -> Option<u64> {
    simhash_of(text, 1)
}

/// [`simhash`] of a text that is long enough to be told to be a near-duplicate; `None` for others.
pub fn duplicate_hash(text: &str) -> Option<u64> {
    simhash_of(text, DUPLICATE_WORDS)
}

/// `None` for a text of fewer words.
fn simhash_of(text: &str, fewest: usize) -> Option<u64> {
    let folded = fold(text);
    let words: Vec<&str> = folded_words(&folded).collect();
    if words.len() < fewest {
        return None;
    }
    let mut buffer = String::new();
    let pairs = words.windows(2).map(|both| pair_hash(&mut buffer, both[0], both[1]));
    let singles = words.iter().map(|word| xxh3_64(word.as_bytes()));
    let mut votes = Votes::default();
    singles.chain(pairs).for_each(|hash| votes.add(hash));
    Some(votes.majority())
}

/// How many hashes have each bit, all bits at a time: plane p holds bit p of the 64 counts. A replica hashes all its texts when
/// it opens, and counting bit by bit would take most of that.
#[derive(Default)]
struct Votes {
    planes: [u64; 32],
    total: u32,
}

impl Votes {
    fn add(&mut self, hash: u64) {
        self.total += 1;
        let mut carry = hash;
        for plane in &mut self.planes {
            if carry == 0 {
                break;
            }
            (*plane, carry) = (*plane ^ carry, *plane & carry);
        }
    }

    /// The bits that more than half of the hashes have.
    fn majority(&self) -> u64 {
        let used = (u32::BITS - self.total.leading_zeros()) as usize;
        let count = |bit: usize| (0..used).fold(0, |count, p| count | (self.planes[p] >> bit & 1) << p);
        let most = u64::from(self.total / 2);
        (0..64)
            .filter(|bit| count(*bit) > most)
            .fold(0, |hash, bit| hash | 1 << bit)
    }
}

/// How often each item occurs, in the items' order: the order in which floats are added must not depend on hashing.
fn counted<T: Ord>(items: impl Iterator<Item = T>) -> BTreeMap<T, u32> {
    let mut counts = BTreeMap::new();
    for item in items {
        *counts.entry(item).or_insert(0) += 1;
    }
    counts
}

fn salience(word: &str) -> f32 {
    let number = word.bytes().all(|b| b.is_ascii_digit());
    if FUNCTION_WORDS.binary_search(&word).is_ok() {
        0.1
    } else if number || COMMON_WORDS.binary_search(&word).is_ok() {
        0.35
    } else {
        1.0
    }
}

fn add_grams(sum: &mut [f32], word: &str, weight: f32) {
    let marked = format!("\u{2}{word}\u{3}");
    let starts: Vec<usize> = marked.char_indices().map(|(at, _)| at).chain([marked.len()]).collect();
    let chars = starts.len() - 1;
    let grams: usize = (3..=5).map(|n| (chars + 1).saturating_sub(n)).sum();
    let each = 0.7 * weight / (grams as f32).sqrt();
    for n in 3..=5 {
        for from in 0..(chars + 1).saturating_sub(n) {
            let gram = &marked[starts[from]..starts[from + n]];
            add(sum, xxh3_64_with_seed(gram.as_bytes(), GRAM), each);
        }
    }
}

/// The buffer is there to be used again.
fn pair_hash(buffer: &mut String, left: &str, right: &str) -> u64 {
    buffer.clear();
    buffer.extend([left, " ", right]);
    xxh3_64_with_seed(buffer.as_bytes(), PAIR)
}

fn add(sum: &mut [f32], hash: u64, weight: f32) {
    for lane in 0..4 {
        let bits = (hash >> (16 * lane)) as u16;
        let place = (usize::from(bits >> 1) * sum.len()) >> 15;
        sum[place] += if bits & 1 == 1 { weight / 2.0 } else { -weight / 2.0 };
    }
}

#[cfg(test)]
#[path = "embed_test.rs"]
mod tests;
