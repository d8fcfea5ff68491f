//! Settings as they are shown and asked for.

use super::*;

fn wanted(json: &str) -> Result<Wanted, RequestFault> {
    wanted_settings(serde_json::from_str(json).expect("a message"))
}

fn set(values: &[(&str, &str)]) -> Settings {
    let values = values
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    Settings {
        version: LogIndex(3),
        values: values.collect(),
    }
}

fn file() -> Config {
    let rule = "\n[[feed.rule]]\nname = \"topics\"\nkind = \"cap\"\nper = \"topic\"\nmost = 2\n";
    (Config::default().to_toml() + rule).parse().expect("a sound file")
}

#[test]
fn a_request_sets_and_unsets_and_says_who_wants_that() {
    let found = wanted(r#"{"set": {"a": " 1 "}, "unset": ["b"], "by": "ann", "on_version": "7"}"#).expect("sound");
    let expected = [("a".to_owned(), Some("1".to_owned())), ("b".to_owned(), None)];
    assert_eq!(found.changes, expected.into());
    assert_eq!(
        (found.by.as_str(), found.dry_run, found.on),
        ("ann", false, Some(LogIndex(7)))
    );
    assert_eq!(
        wanted(r#"{"unset": ["b"]}"#).map(|found| (found.by, found.on)).ok(),
        Some(("api".to_owned(), None))
    );
}

#[test]
fn a_request_that_sets_nothing_or_both_ways_is_refused() {
    for (json, expected) in [
        ("{}", "set is 0 or missing"),
        (
            r#"{"set": {"a": "1"}, "unset": ["a"]}"#,
            "a cannot be both set and unset",
        ),
        (r#"{"unset": ["a"], "by": "a\nb"}"#, "by"),
    ] {
        let fault = wanted(json).err().map(|fault| fault.to_string());
        assert!(
            fault.as_ref().is_some_and(|fault| fault.starts_with(expected)),
            "{json}: {fault:?}"
        );
    }
}

#[test]
fn each_key_is_shown_with_what_the_file_says() {
    let (file, set) = (
        file(),
        set(&[
            ("feed.oon_factor", "0.5"),
            ("feed.rule.topics.most", "3"),
            ("feed.rule.cup", "{ kind = \"pin\", slot = 1, post = 7 }"),
        ]),
    );
    let serving = file.with(&set).expect("sound settings");
    let shown = settings(&file, &serving, &set);
    let line = |key: &str| {
        let setting = shown.iter().find(|setting| setting.key == key).expect("it is there");
        (setting.value.as_str(), setting.file.as_str(), setting.is_set)
    };
    assert_eq!(line("feed.oon_factor"), ("0.5", "0.75", true));
    assert_eq!(line("feed.max_post_age"), ("48h", "48h", false));
    let cap = |most| format!("{{ kind = \"cap\", per = \"topic\", most = {most} }}");
    assert_eq!(line("feed.rule.topics"), (&*cap(3), &*cap(2), true));
    assert_eq!(
        line("feed.rule.cup"),
        ("{ kind = \"pin\", slot = 1, post = 7 }", "", true)
    );
    assert!(!shown.iter().any(|setting| setting.key == "raft.tick"), "it is not hot");
}

#[test]
fn a_rule_that_is_switched_off_is_still_shown() {
    let (file, set) = (file(), set(&[("feed.rule.topics", "off")]));
    let shown = settings(&file, &file.with(&set).expect("sound settings"), &set);
    let rule = shown
        .iter()
        .find(|setting| setting.key == "feed.rule.topics")
        .expect("it is there");
    assert!(
        rule.value.is_empty() && rule.is_set && !rule.file.is_empty(),
        "{rule:?}"
    );
}

#[test]
fn what_changes_is_told_by_its_effect() {
    let file = file();
    let after = file.with(&set(&[
        ("feed.oon_factor", "0.75"),
        ("feed.top_k", "60"),
        ("feed.rule.topics", "off"),
    ]));
    let changes = setting_changes(&file, &after.expect("sound settings"));
    let changes: Vec<_> = changes
        .iter()
        .map(|c| format!("{}: {} to {}", c.key, c.before, c.after))
        .collect();
    let off = "feed.rule.topics: { kind = \"cap\", per = \"topic\", most = 2 } to ";
    assert_eq!(changes, [off, "feed.top_k: 50 to 60"]);
}
