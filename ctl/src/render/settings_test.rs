//! What is set, on a terminal.

use super::*;

fn setting(key: &str, value: &str, file: &str, is_set: bool) -> Setting {
    Setting {
        key: key.to_owned(),
        value: value.to_owned(),
        file: file.to_owned(),
        is_set,
        takes: String::new(),
    }
}

fn reply() -> GetSettingsReply {
    let set = [
        ("feed.oon_factor", "0.5"),
        ("feed.rule.cup.most", "3"),
        ("feed.rule.gone", "off"),
    ];
    GetSettingsReply {
        version: 812,
        settings: vec![
            setting("feed.oon_factor", "0.5", "0.75", true),
            setting("feed.top_k", "50", "50", false),
            setting("feed.rule.cup", "{ most = 3 }", "{ most = 2 }", true),
        ],
        set: set.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
        problem: String::new(),
        trace_id: String::new(),
    }
}

fn lines(shown: &str) -> Vec<String> {
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    shown.lines().map(words).collect()
}

#[test]
fn what_is_set_stands_as_it_was_set_beside_what_the_file_says() {
    let reply = reply();
    let shown = lines(&shown(&reply, &reply.settings, false, Style::plain()));
    assert_eq!(shown[0], "settings 812 are in service");
    let mut rows = shown[2..].to_vec();
    rows.sort();
    assert_eq!(
        rows,
        [
            "feed.oon_factor 0.5 0.75",
            "feed.rule.cup.most 3 { most = 2 }",
            "feed.rule.gone off no such rule",
        ]
    );
}

#[test]
fn keys_are_listed_as_they_are_in_service_and_a_problem_is_told() {
    let mut reply = reply();
    reply.problem = "feed.x: there is no such key".to_owned();
    let shown = lines(&shown(&reply, &reply.settings, true, Style::plain()));
    assert!(
        shown[1].contains("not in service at this coordinator: feed.x"),
        "{shown:?}"
    );
    assert_eq!(
        shown[3..],
        [
            "feed.oon_factor 0.5 0.75",
            "feed.top_k 50 the same",
            "feed.rule.cup { most = 3 } { most = 2 }"
        ]
    );
}

#[test]
fn who_has_set_nothing_is_told_what_could_be() {
    let all = reply().settings;
    let shown = shown(&GetSettingsReply::default(), &all, false, Style::plain());
    assert!(
        shown.starts_with("nothing that was set") && shown.contains("all 3 keys"),
        "{shown}"
    );
}

#[test]
fn a_change_says_what_was_and_what_is() {
    let mut reply = ChangeSettingsReply {
        version: 9,
        changes: vec![SettingChange {
            key: "feed.oon_factor".to_owned(),
            before: "0.75".to_owned(),
            after: "0.5".to_owned(),
        }],
        trace_id: String::new(),
    };
    let done = changed(&reply, false, Style::plain());
    assert!(
        done.contains("feed.oon_factor  0.75    →  0.5") && done.contains("settings 9: this"),
        "{done}"
    );
    assert!(changed(&reply, true, Style::plain()).contains("nothing is set yet"));
    reply.changes.clear();
    assert!(changed(&reply, false, Style::plain()).starts_with("feeds are made as before"));
}
