//! Folding and word boundaries.

use super::*;

fn list(text: &str) -> Vec<String> {
    words(text).collect()
}

#[test]
fn punctuation_and_emoji_are_no_words() {
    assert_eq!(
        list("Hello, world! 🎉 #rust @bob -- 3.14"),
        ["hello", "world", "rust", "bob", "3.14"]
    );
    assert!(list(" …!? 🎉 ").is_empty());
    assert!(list("").is_empty());
}

#[test]
fn case_and_width_are_folded() {
    assert_eq!(list("ＦＵＬＬ Ｗｉｄｔｈ"), ["full", "width"]);
    assert_eq!(list("Straße STRASSE"), ["strasse", "strasse"]);
    assert_eq!(list("ΟΔΟΣ οδος"), ["οδοσ", "οδοσ"]);
    assert_eq!(list("e\u{301}té É"), ["été", "é"]);
}

#[test]
fn ideographs_are_words_of_their_own() {
    assert_eq!(list("日本 rust"), ["日", "本", "rust"]);
}

#[test]
fn folding_twice_changes_nothing() {
    for text in ["Straße ﬁne ΟΔΟΣ", "ǅ İstanbul ﬀ", "ΐ ŉ ẖ", "ｶﾞ㌔"] {
        let once = fold(text);
        assert_eq!(fold(&once), once, "{text}");
    }
}

#[test]
fn token_hashes_never_change() {
    assert_eq!(token_hashes("Breaking NEWS"), token_hashes("breaking  ｎｅｗｓ!"));
    assert_eq!(token_hashes("Breaking NEWS"), [GOLDEN_BREAKING, GOLDEN_NEWS]);
}

const GOLDEN_BREAKING: u64 = 13950389757104965619;
const GOLDEN_NEWS: u64 = 14890775862439641380;
