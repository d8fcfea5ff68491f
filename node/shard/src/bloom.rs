//! The impression bloom of a viewer: generations in a ring, so that it forgets the oldest.

use covey_shared::ids::{PostId, UserId};
use covey_shared::wire::{SeenBloom, bloom_bits};

use crate::apply::Txn;
use crate::db::Db;
use crate::error::ShardStoreError;
use crate::keys::{Keys, Kind};
use crate::options::ImpressionOptions;
use crate::records::BloomGeneration;

impl ImpressionOptions {
    /// Words of a generation: m = −n·ln p / ln²2 bits, rounded up.
    pub(crate) fn words(&self) -> usize {
        let bits = -f64::from(self.per_generation) * self.false_positives.ln() / std::f64::consts::LN_2.powi(2);
        ((bits / 64.0).ceil() as usize).max(1)
    }

    /// Hash functions: k = m/n·ln 2.
    pub(crate) fn hashes(&self) -> u8 {
        let per_post = (self.words() * 64) as f64 / f64::from(self.per_generation.max(1));
        (per_post * std::f64::consts::LN_2).round().clamp(1.0, 30.0) as u8
    }
}

/// Puts a post into the newest generation; begins a new one in the place of the oldest when that is full.
pub(crate) fn insert(
    txn: &mut Txn<'_>,
    keys: &Keys,
    options: &ImpressionOptions,
    viewer: UserId,
    post: PostId,
) -> Result<(), ShardStoreError> {
    let ring = u64::from(options.generations.max(1));
    let mut newest: Option<BloomGeneration> = None;
    for place in 0..ring {
        let there: Option<BloomGeneration> = txn.read(&keys.of_user_number(Kind::Bloom, viewer, place))?;
        newest = newest
            .into_iter()
            .chain(there)
            .max_by_key(|generation| generation.number);
    }
    let words = options.words();
    let full = |g: &BloomGeneration| g.inserted >= options.per_generation || g.bits.len() != words;
    let mut generation = match newest {
        Some(newest) if !full(&newest) => newest,
        old => BloomGeneration {
            number: old.map_or(0, |g| g.number) + 1,
            inserted: 0,
            bits: vec![0; words],
        },
    };
    let mut fresh = false;
    for bit in bloom_bits(post, words, options.hashes()) {
        let (word, mask) = (&mut generation.bits[(bit / 64) as usize], 1 << (bit % 64));
        fresh |= *word & mask == 0;
        *word |= mask;
    }
    if fresh {
        generation.inserted += 1;
        txn.write(
            keys.of_user_number(Kind::Bloom, viewer, generation.number % ring),
            &generation,
        )?;
    }
    Ok(())
}

/// The viewer's bloom, newest generation first; generations of another size (before a change of the config) are left out.
pub(crate) fn load(db: &Db, options: &ImpressionOptions, viewer: UserId) -> Result<SeenBloom, ShardStoreError> {
    let mut generations = Vec::<BloomGeneration>::new();
    for place in 0..u64::from(options.generations.max(1)) {
        generations.extend(db.read(&db.keys.of_user_number(Kind::Bloom, viewer, place))?);
    }
    generations.retain(|generation| generation.bits.len() == options.words());
    generations.sort_by_key(|generation| std::cmp::Reverse(generation.number));
    let hashes = if generations.is_empty() { 0 } else { options.hashes() };
    Ok(SeenBloom {
        generations: generations.into_iter().map(|g| g.bits).collect(),
        hashes,
    })
}
