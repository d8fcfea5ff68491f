//! Words of a text: what muted keywords, the content embedder and the duplicate check agree on.
//!
//! A text is folded (compatibility forms and full-width letters by NFKC, then case) and cut at Unicode word boundaries
//! (UAX #29). Vectors and hashes derived from words lie on disk, so this must never change for assigned characters.

use std::collections::BTreeMap;

use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

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

/// Phrases to look for in texts, such as a viewer's muted keywords.
///
/// A phrase is found where its words stand side by side, whatever is between them; nothing but its words counts (`c++` is `c`). One without a
/// word (`🎉`) is found wherever its folded form stands.
#[derive(Clone, Debug)]
pub struct Phrases {
    /// A trie over words, the root first: however many phrases there are, a text is gone through once, and at each word as far as the longest
    /// one reaches. In one list, since a chain of as many owners as a long phrase has words could not be dropped.
    steps: Vec<Step>,
    symbols: Vec<(String, usize)>,
}

/// What may follow some words.
#[derive(Clone, Debug, Default)]
struct Step {
    /// Those words are this phrase.
    phrase: Option<usize>,
    /// Where it goes on with a word.
    next: BTreeMap<String, usize>,
}

impl Phrases {
    /// Phrases as written; empty ones are found nowhere.
    pub fn new(phrases: &[String]) -> Phrases {
        let mut all = Phrases {
            steps: vec![Step::default()],
            symbols: Vec::new(),
        };
        for (which, phrase) in phrases.iter().enumerate() {
            let folded = fold(phrase.trim());
            match folded_words(&folded).fold(0, |step, word| all.step(step, word)) {
                0 if folded.is_empty() => {}
                0 => all.symbols.push((folded, which)),
                last => _ = all.steps[last].phrase.get_or_insert(which),
            }
        }
        all
    }

    /// Where `word` leads from a step.
    fn step(&mut self, from: usize, word: &str) -> usize {
        if let Some(known) = self.steps[from].next.get(word) {
            return *known;
        }
        let new = self.steps.len();
        self.steps.push(Step::default());
        self.steps[from].next.insert(word.to_owned(), new);
        new
    }

    /// Position, in the list of phrases, of one that the text holds.
    pub fn find_in(&self, text: &str) -> Option<usize> {
        let folded = fold(text);
        let symbol = self.symbols.iter().find(|(symbol, _)| folded.contains(symbol.as_str()));
        if let Some((_, which)) = symbol {
            return Some(*which);
        }
        if self.steps.len() == 1 {
            return None;
        }
        let words: Vec<&str> = folded_words(&folded).collect();
        (0..words.len()).find_map(|at| self.first_of(&words[at..]))
    }

    /// The shortest phrase that the words begin with.
    fn first_of(&self, words: &[&str]) -> Option<usize> {
        let mut step = &self.steps[0];
        for word in words {
            step = &self.steps[*step.next.get(*word)?];
            if step.phrase.is_some() {
                return step.phrase;
            }
        }
        None
    }
}

#[cfg(test)]
#[path = "text_test.rs"]
mod tests;
