//! Changes of settings, and their bounds.

use super::*;

fn changes<const N: usize>(of: [(&str, Option<&str>); N]) -> SettingChanges {
    of.map(|(key, value)| (key.to_owned(), value.map(str::to_owned))).into()
}

fn set<const N: usize>(of: [(&str, &str); N]) -> Settings {
    Settings::default().with(LogIndex(1), &changes(of.map(|(key, value)| (key, Some(value)))))
}

#[test]
fn a_change_replaces_adds_and_takes_away() {
    let before = set([("a", "1"), ("b", "2")]);
    let after = before.with(
        LogIndex(9),
        &changes([("a", None), ("b", Some("3")), ("c", Some("4")), ("d", None)]),
    );
    assert_eq!(
        after,
        Settings {
            version: LogIndex(9),
            ..set([("b", "3"), ("c", "4")])
        }
    );
}

#[test]
fn settings_are_bounded_and_printable() {
    assert_eq!(
        set([
            ("feed.oon_factor", "0.5"),
            (&"k".repeat(MAX_KEY), &"v".repeat(MAX_VALUE))
        ])
        .fault(),
        None
    );
    for (key, value) in [
        ("", "1"),
        ("k", ""),
        (&*"k".repeat(MAX_KEY + 1), "1"),
        ("k", &*"v".repeat(MAX_VALUE + 1)),
        ("k\x1b", "1"),
        ("k", "1\n2"),
    ] {
        assert!(set([(key, value)]).fault().is_some(), "{key:?} {value:?}");
    }
    let value = Some("v".repeat(MAX_VALUE));
    let many: SettingChanges = (0..MAX_SETTINGS / MAX_VALUE)
        .map(|n| (format!("key{n}"), value.clone()))
        .collect();
    let fault = Settings::default().with(LogIndex(1), &many).fault();
    assert!(
        fault.is_some_and(|fault| fault.contains("at most 65536")),
        "too many of them"
    );
}
