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

#[test]
fn what_is_set_stands_beside_what_the_file_says() {
    let reply = GetSettingsReply {
        version: 812,
        settings: vec![
            setting("feed.oon_factor", "0.5", "0.75", true),
            setting("feed.top_k", "50", "50", false),
            setting("feed.rule.cup", "", "{ kind = \"pin\" }", true),
        ],
        problem: "feed.x: there is no such key".to_owned(),
        trace_id: String::new(),
    };
    let shown = shown(&reply, 60, Style::plain());
    let lines: Vec<Vec<&str>> = shown.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0].join(" "), "settings 812 are in service");
    assert!(shown.contains("not in service at this coordinator: feed.x"), "{shown}");
    assert_eq!(lines[3], ["feed.oon_factor", "0.5", "0.75"]);
    assert_eq!(lines[4], ["feed.top_k", "50", "the", "same"]);
    assert_eq!(lines[5].join(" "), "feed.rule.cup no such rule { kind = \"pin\" }");
}

#[test]
fn who_has_set_nothing_is_told_what_could_be() {
    let shown = shown(&GetSettingsReply::default(), 60, Style::plain());
    assert!(
        shown.starts_with("nothing was ever set") && shown.contains("all 60 keys"),
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
        done.contains("feed.oon_factor  0.75    →  0.5") && done.contains("settings 9: every"),
        "{done}"
    );
    assert!(changed(&reply, true, Style::plain()).contains("nothing is set yet"));
    reply.changes.clear();
    assert!(changed(&reply, false, Style::plain()).starts_with("feeds are made as before"));
}
