//! Words of a text: what muted keywords, the content embedder and the duplicate check agree on.
//!
//! A text is folded (compatibility forms and full-width letters by NFKC, then case) and cut at Unicode word boundaries
//! (UAX #29). Vectors and hashes derived from words lie on disk, so this must never change for assigned characters.

use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;
use xxhash_rust::xxh3::xxh3_64;

/// The text in folded form: NFKC, upper-cased then lower-cased (so that `ß` meets `SS` and `ς` meets `σ`), NFKC again
/// because case mappings can decompose.
pub fn fold(text: &str) -> String {
    text.nfkc()
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase)
        .nfkc()
        .collect()
}

/// The words of a text that [`fold`] made, in order.
pub fn folded_words(folded: &str) -> impl Iterator<Item = &str> {
    folded.unicode_words()
}

/// The folded words of any text, in order.
pub fn words(text: &str) -> impl Iterator<Item = String> {
    let folded = fold(text);
    folded_words(&folded).map(str::to_owned).collect::<Vec<_>>().into_iter()
}

/// xxh3 of every folded word, in order: a keyword of n words matches where its n hashes stand side by side.
pub fn token_hashes(text: &str) -> Vec<u64> {
    folded_words(&fold(text)).map(|word| xxh3_64(word.as_bytes())).collect()
}

#[cfg(test)]
#[path = "text_test.rs"]
mod tests;
