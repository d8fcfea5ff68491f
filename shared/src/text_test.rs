//! Folding and word boundaries.

use super::*;

fn list(text: &str) -> Vec<String> {
    folded_words(&fold(text)).map(str::to_owned).collect()
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
fn plain_letters_are_folded_as_all_others_are() {
    let plain: String = (0..128u8).map(char::from).collect();
    // One letter that is not plain takes the long way.
    let long = fold(&format!("{plain}é"));
    assert_eq!(format!("{}é", fold(&plain)), long);
}

fn phrase_in(phrase: &str, text: &str) -> bool {
    Phrases::new(&["nothing of it".into(), phrase.into()]).find_in(text) == Some(1)
}

#[test]
fn phrases_are_found_across_case_width_and_punctuation() {
    for text in [
        "Breaking NEWS!",
        "so: breaking -- news",
        "#breaking #news",
        "ＢＲＥＡＫＩＮＧ ｎｅｗｓ",
    ] {
        assert!(phrase_in("breaking news", text), "{text}");
        assert!(phrase_in(" Breaking: NEWS ", text), "{text}");
    }
    for text in [
        "news breaking",
        "breaking the news",
        "groundbreaking news",
        "breaking newsletter",
        "breaking",
        "",
    ] {
        assert!(!phrase_in("breaking news", text), "{text}");
    }
    assert!(phrase_in("日本", "今日本を読む"), "ideographs stand side by side");
    assert!(!phrase_in("日本", "日の本"));
    assert!(phrase_in("STRASSE", "die Straße"));
}

#[test]
fn phrases_without_a_word_are_found_as_they_are() {
    assert!(phrase_in("🎉", "so glad🎉🎉"));
    assert!(!phrase_in("🎉", "so glad"));
    assert!(!phrase_in("", "so glad"), "an empty phrase is found nowhere");
    assert!(!phrase_in("  ", "so glad"));
}

#[test]
fn a_phrase_may_be_as_long_as_a_text() {
    let words = |count| "word ".repeat(count);
    assert!(phrase_in(&words(1_000_000), &words(1_000_000)));
    assert!(!phrase_in(&words(1_000_000), &words(100)));
}

#[test]
fn the_phrase_that_is_found_is_named() {
    let phrases = Phrases::new(&["b".into(), "a b c".into(), "a b".into(), "a c d".into(), "B".into()]);
    assert_eq!(phrases.find_in("x a b c"), Some(2), "the first and shortest");
    assert_eq!(phrases.find_in("x a a c d"), Some(3));
    assert_eq!(phrases.find_in("x a c b"), Some(0));
    assert_eq!(phrases.find_in("x b"), Some(0));
    assert_eq!(phrases.find_in("x"), None);
}

/// What stands in backticks.
fn quoted(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

#[test]
fn the_examples_of_muted_words_in_the_documentation_hold() {
    let page = include_str!("../../docs/feed-semantics.md");
    let (_, table) = page
        .split_once("| muted | removed | stays |\n|---|---|---|\n")
        .expect("it is there");
    let rows = table.lines().take_while(|line| line.starts_with('|'));
    let mut checked = 0;
    for row in rows {
        let cells: Vec<Vec<&str>> = row.split('|').map(quoted).collect();
        let [_, muted, removed, stays, _] = &cells[..] else {
            panic!("{row}")
        };
        for (texts, found) in [(removed, true), (stays, false)] {
            for text in texts {
                assert_eq!(phrase_in(muted[0], text), found, "{row}: {text}");
                checked += 1;
            }
        }
    }
    assert!(checked >= 17, "{checked} texts");
}
