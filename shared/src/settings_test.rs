//! Changes of settings, and their bounds.

use super::*;

fn changes<const N: usize>(of: [(&str, Option<&str>); N]) -> SettingChanges {
    of.map(|(key, value)| (key.to_owned(), value.map(str::to_owned))).into()
}

fn set<const N: usize>(of: [(&str, &str); N]) -> Result<Settings, String> {
    Settings::default().with(LogIndex(1), &changes(of.map(|(key, value)| (key, Some(value)))))
}

#[test]
fn a_change_replaces_adds_and_takes_away() {
    let before = set([("a", "1"), ("b", "2")]).unwrap();
    let after = before.with(LogIndex(9), &changes([("a", None), ("b", Some("3")), ("c", Some("4"))]));
    let values = set([("b", "3"), ("c", "4")]).unwrap().values;
    assert_eq!(
        after,
        Ok(Settings {
            version: LogIndex(9),
            values
        })
    );
}

#[test]
fn what_was_set_of_a_part_goes_with_the_whole() {
    let parts = set([
        ("rule.cup", "{}"),
        ("rule.cup.factor", "2"),
        ("rule.cups.factor", "3"),
        ("rule.cup.most", "1"),
    ])
    .unwrap();
    let keys = |change: SettingChanges| -> Vec<String> {
        let after = parts.with(LogIndex(2), &change).expect("it is sound");
        after
            .values
            .into_iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect()
    };
    assert_eq!(
        keys(changes([("rule.cup", Some("off"))])),
        ["rule.cup=off", "rule.cups.factor=3"]
    );
    assert_eq!(keys(changes([("rule.cup", None)])), ["rule.cups.factor=3"]);
    let both = changes([("rule.cup", Some("{1}")), ("rule.cup.factor", Some("5"))]);
    assert_eq!(keys(both), ["rule.cup={1}", "rule.cup.factor=5", "rule.cups.factor=3"]);
    let parts = set([("rule.cup.factor", "2")]).unwrap();
    assert_eq!(
        parts
            .with(LogIndex(2), &changes([("rule.cup", None)]))
            .unwrap()
            .values
            .len(),
        0
    );
}

#[test]
fn a_change_changes_something_and_takes_away_only_what_is_there() {
    let before = set([("a", "1")]).unwrap();
    for wrong in [
        changes([]),
        changes([("b", None)]),
        changes([("b", Some("1")), ("a.b", None)]),
    ] {
        assert!(before.with(LogIndex(2), &wrong).is_err(), "{wrong:?}");
    }
    let long = changes([(&"k".repeat(MAX_CHANGE + 1), None)]);
    assert!(
        before
            .with(LogIndex(2), &long)
            .unwrap_err()
            .contains("at most 8192 bytes")
    );
}

#[test]
fn settings_are_bounded_and_printable() {
    assert!(
        set([
            ("feed.oon_factor", "0.5"),
            (&"k".repeat(MAX_KEY), &"v".repeat(MAX_VALUE))
        ])
        .is_ok()
    );
    for (key, value) in [
        ("", "1"),
        ("k", ""),
        (&*"k".repeat(MAX_KEY + 1), "1"),
        ("k", &*"v".repeat(MAX_VALUE + 1)),
        ("k\x1b", "1"),
        ("k", "1\n2"),
    ] {
        assert!(set([(key, value)]).is_err(), "{key:?} {value:?}");
    }
    let mut all = Settings::default();
    let mut more = |count: usize, value: usize| {
        let next = (0..count)
            .map(|n| (format!("key{}", all.values.len() + n), Some("v".repeat(value))))
            .collect();
        all = all.with(LogIndex(1), &next)?;
        Ok::<(), String>(())
    };
    for _ in 0..8 {
        more(MAX_KEYS / 8, 1).expect("there is room");
    }
    assert!(more(1, 1).unwrap_err().contains("at most 512 of 65536"));
}
