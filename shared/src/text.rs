//! Words of a text: what muted keywords, the content embedder and the duplicate check agree on.
//!
//! A text is folded (compatibility forms and full-width letters by NFKC, then case) and cut at Unicode word boundaries
//! (UAX #29). Vectors and hashes derived from words lie on disk, so this must never change for assigned characters.

use std::collections::BTreeMap;

use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;
use xxhash_rust::xxh3::xxh3_64;

/// The text in folded form: NFKC, upper-cased then lower-cased (so that `ß` meets `SS` and `ς` meets `σ`), NFKC again
/// because case mappings can decompose.
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        // The same, many times faster.
        return text.to_ascii_lowercase();
    }
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

/// Phrases to look for in texts, such as a viewer's muted keywords.
///
/// A phrase is found where its words stand side by side, whatever is between them; one without a word (`🎉`) wherever its folded form
/// stands.
#[derive(Clone, Debug, Default)]
pub struct Phrases {
    /// By their first words: the words, and which of the phrases they are.
    by_first_word: BTreeMap<String, Vec<(Vec<String>, usize)>>,
    symbols: Vec<(String, usize)>,
}

impl Phrases {
    /// Phrases as written; empty ones are found nowhere.
    pub fn new(phrases: &[String]) -> Phrases {
        let mut all = Phrases::default();
        for (which, phrase) in phrases.iter().enumerate() {
            let folded = fold(phrase.trim());
            let words: Vec<String> = folded_words(&folded).map(str::to_owned).collect();
            match words.first() {
                Some(first) => {
                    let same = all.by_first_word.entry(first.clone()).or_default();
                    same.push((words, which));
                }
                None if folded.is_empty() => {}
                None => all.symbols.push((folded, which)),
            }
        }
        all
    }

    /// Position, in the list of phrases, of one that the text holds.
    pub fn find_in(&self, text: &str) -> Option<usize> {
        let folded = fold(text);
        let symbol = self.symbols.iter().find(|(symbol, _)| folded.contains(symbol.as_str()));
        if let Some((_, which)) = symbol {
            return Some(*which);
        }
        if self.by_first_word.is_empty() {
            return None;
        }
        let words: Vec<&str> = folded_words(&folded).collect();
        let begins = |at: usize, phrase: &[String]| words[at..].iter().take(phrase.len()).eq(phrase.iter());
        words.iter().enumerate().find_map(|(at, word)| {
            let candidates = self.by_first_word.get(*word)?;
            let found = candidates.iter().find(|(phrase, _)| begins(at, phrase));
            found.map(|(_, which)| *which)
        })
    }
}

#[cfg(test)]
#[path = "text_test.rs"]
mod tests;
