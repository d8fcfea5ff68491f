//! Strings, characters, lifetimes and comments are told apart.

use super::{Source, find_word, line_of};

fn code(text: &str) -> String {
    Source::new(text).code
}

#[test]
fn layers_keep_every_line_and_offset() {
    let text = "//! doc\nfn a() { /* two\nlines */ \"s\n\" }\n";
    let source = Source::new(text);
    assert_eq!(source.code.matches('\n').count(), text.matches('\n').count());
    assert_eq!(source.comments.len(), source.code.len());
}

#[test]
fn what_stands_in_strings_and_comments_is_no_code() {
    for text in [
        "\"std::fs\"",
        "\"a \\\" std::fs\"",
        "r\"std::fs\"",
        "r#\"a \" std::fs\"#",
        "br##\"std::fs\"#  \"##",
        "// std::fs",
        "/// std::fs",
        "/* /* x */ std::fs */",
        "'\\'' ; \"std::fs\"",
        "'\"' ; \"std::fs\"",
    ] {
        assert!(!code(text).contains("std::fs"), "{text}");
    }
}

#[test]
fn what_follows_a_string_or_a_lifetime_is_code() {
    for text in [
        "\"\\\\\" std::fs",
        "r#\"x\"# std::fs",
        "'a' std::fs",
        "'\\n' std::fs",
        "'\\u{1F600}' std::fs",
        "fn f<'a>(x: &'a str) { std::fs }",
        "/* x */ std::fs",
        "// x\nstd::fs",
        "let bar\"\"; std::fs",
        "let r = 1; std::fs",
    ] {
        assert!(code(text).contains("std::fs"), "{text}: {}", code(text));
    }
}

#[test]
fn comments_are_a_layer_of_their_own() {
    let source = Source::new("let a = \"// no\"; // yes\n/* and */ b");
    assert!(source.comments.contains("// yes") && source.comments.contains("/* and */"));
    assert!(!source.comments.contains("no") && !source.comments.contains('b'));
}

#[test]
fn a_word_is_found_only_as_a_whole() {
    let at = |needle| find_word("std::fs my_std::fs std::fs_extra std::fs::read", needle).count();
    assert_eq!(at("std::fs"), 2);
    assert_eq!(line_of("a\nb\nc", 4), 3);
}
