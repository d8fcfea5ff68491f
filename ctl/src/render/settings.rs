//! What operators have set.

use covey_api::v1::{ChangeSettingsReply, GetSettingsReply, Setting, SettingChange};

use super::text::{Style, table};

/// A row per key; `all` is how many there are.
pub(crate) fn shown(reply: &GetSettingsReply, all: usize, style: Style) -> String {
    let mut out = match reply.version {
        0 => "nothing was ever set: the file counts\n".to_owned(),
        version => format!("settings {version} are in service\n"),
    };
    if !reply.problem.is_empty() {
        let problem = format!(
            "newer settings are not in service at this coordinator: {}",
            reply.problem
        );
        out.push_str(&(style.bad(&problem) + "\n"));
    }
    let rule = |value: &str| match value {
        "" => "no such rule".to_owned(),
        value => value.to_owned(),
    };
    let row = |setting: &Setting| {
        let file = match setting.is_set {
            true => rule(&setting.file),
            false => "the same".to_owned(),
        };
        vec![setting.key.clone(), rule(&setting.value), file, setting.takes.clone()]
    };
    let rows: Vec<Vec<String>> = reply.settings.iter().map(row).collect();
    if rows.is_empty() {
        out.push_str(&format!(
            "`covey config show feed.` lists all {all} keys and rules that can be set\n"
        ));
    } else {
        out.push_str(&table(&["KEY", "VALUE", "IN THE FILE", "TAKES"], &rows, style));
    }
    out
}

/// What a change has changed, or would change.
pub(crate) fn changed(reply: &ChangeSettingsReply, dry_run: bool, style: Style) -> String {
    let value = |value: &str| match value {
        "" => "no such rule".to_owned(),
        value => value.to_owned(),
    };
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
        (false, version) => format!("settings {version}: every coordinator serves by them within two seconds\n"),
    });
    out
}

#[cfg(test)]
#[path = "settings_test.rs"]
mod tests;
