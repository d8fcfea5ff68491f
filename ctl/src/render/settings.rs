//! What operators have set.

use covey_api::v1::{ChangeSettingsReply, GetSettingsReply, Setting, SettingChange};

use super::text::{Style, table};

/// What is set, or a row for every key of the reply if `listed`; `all` are those that can be set.
pub(crate) fn shown(reply: &GetSettingsReply, all: &[Setting], listed: bool, style: Style) -> String {
    let mut out = match reply.version {
        0 => "nothing that was set is in service: the file counts\n".to_owned(),
        version => format!("settings {version} are in service\n"),
    };
    if !reply.problem.is_empty() {
        let problem = format!(
            "newer settings are not in service at this coordinator: {}",
            reply.problem
        );
        out.push_str(&(style.bad(&problem) + "\n"));
    }
    let rows: Vec<Vec<String>> = match listed {
        true => reply.settings.iter().map(key).collect(),
        false => reply.set.iter().map(|(key, value)| set(key, value, all)).collect(),
    };
    if rows.is_empty() {
        let all = all.len();
        out.push_str(&format!(
            "`covey config show feed.` lists all {all} keys and rules that can be set\n"
        ));
    } else {
        let third = if listed { "IN THE FILE" } else { "INSTEAD OF" };
        out.push_str(&table(&["KEY", "VALUE", third, "TAKES"], &rows, style));
    }
    out
}

fn key(setting: &Setting) -> Vec<String> {
    let file = match setting.is_set {
        true => value(&setting.file),
        false => "the same".to_owned(),
    };
    vec![setting.key.clone(), value(&setting.value), file, setting.takes.clone()]
}

/// What was set, as it was set; of a part of a rule what the file has of the rule.
fn set(key: &str, to: &str, all: &[Setting]) -> Vec<String> {
    let part = |setting: &&Setting| {
        key.strip_prefix(&setting.key)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let known = all.iter().find(part);
    let (file, takes) = known.map_or(("", ""), |setting| (&setting.file, &setting.takes));
    vec![key.to_owned(), to.to_owned(), value(file), takes.to_owned()]
}

/// Only rules can be missing.
fn value(value: &str) -> String {
    if value.is_empty() { "no such rule" } else { value }.to_owned()
}

/// What a change has changed, or would change.
pub(crate) fn changed(reply: &ChangeSettingsReply, dry_run: bool, style: Style) -> String {
    let row = |change: &SettingChange| {
        let arrow = "→".to_owned();
        vec![
            change.key.clone(),
            value(&change.before),
            arrow,
            style.bold(&value(&change.after)),
        ]
    };
    let rows: Vec<Vec<String>> = reply.changes.iter().map(row).collect();
    let mut out = match rows.is_empty() {
        true => "feeds are made as before: it was so already\n".to_owned(),
        false => table(&["KEY", "BEFORE", "", "NOW"], &rows, style),
    };
    out.push_str(&match (dry_run, reply.version) {
        (true, version) => format!("nothing is set yet: this is what would change on settings {version}\n"),
        (false, version) => format!("settings {version}: this coordinator serves by them, and the others soon\n"),
    });
    out
}

#[cfg(test)]
#[path = "settings_test.rs"]
mod tests;
