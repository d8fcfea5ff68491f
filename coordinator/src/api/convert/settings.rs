//! Settings as messages.

use std::collections::{BTreeMap, BTreeSet};

use covey_api::v1;
use covey_config::{Config, HotKey};
use covey_shared::ids::LogIndex;
use covey_shared::settings::{SettingChanges, Settings};

use super::RequestFault;
use super::operations::by;

/// What somebody wants to be set.
pub(crate) struct Wanted {
    pub(crate) changes: SettingChanges,
    pub(crate) by: String,
    pub(crate) dry_run: bool,
    /// Only on settings of this version.
    pub(crate) on: Option<LogIndex>,
}

/// What a request asks for.
pub(crate) fn wanted_settings(request: v1::ChangeSettingsRequest) -> Result<Wanted, RequestFault> {
    if let Some(both) = request.unset.iter().find(|key| request.set.contains_key(*key)) {
        return Err(RequestFault::SetAndUnset { key: both.clone() });
    }
    let set = request
        .set
        .into_iter()
        .map(|(key, value)| (key, Some(value.trim().to_owned())));
    let changes: SettingChanges = set.chain(request.unset.into_iter().map(|key| (key, None))).collect();
    if changes.is_empty() {
        return Err(RequestFault::Missing { field: "set" });
    }
    Ok(Wanted {
        changes,
        by: by(request.by)?,
        dry_run: request.dry_run,
        on: request.on_version.map(LogIndex),
    })
}

/// Every key that can be set and every rule, with what the file says.
pub(crate) fn settings(file: &Config, serving: &Config, set: &Settings) -> Vec<v1::Setting> {
    let in_file = values(file);
    let mut all = serving.hot_keys();
    let known: BTreeSet<String> = all.iter().map(|key| key.path.clone()).collect();
    // Only a rule can be switched off.
    let gone = in_file.keys().filter(|path| !known.contains(*path)).cloned();
    all.extend(gone.map(|path| HotKey {
        path,
        ..HotKey::default()
    }));
    let is_set = |path: &str| set.values.keys().any(|key| is_part(key, path));
    let message = |key: HotKey| v1::Setting {
        file: in_file.get(&key.path).cloned().unwrap_or_default(),
        is_set: is_set(&key.path),
        value: key.value,
        takes: key.takes,
        key: key.path,
    };
    all.into_iter().map(message).collect()
}

/// A key is this one, or one of this rule.
fn is_part(key: &str, path: &str) -> bool {
    let rest = key.strip_prefix(path);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// What has another value.
pub(crate) fn setting_changes(before: &Config, after: &Config) -> Vec<v1::SettingChange> {
    let (before, after) = (values(before), values(after));
    let paths = before
        .keys()
        .chain(after.keys().filter(|path| !before.contains_key(*path)));
    let value = |of: &BTreeMap<String, String>, path: &str| of.get(path).cloned().unwrap_or_default();
    let change = |path: &String| v1::SettingChange {
        key: path.clone(),
        before: value(&before, path),
        after: value(&after, path),
    };
    paths
        .map(change)
        .filter(|change| change.before != change.after)
        .collect()
}

fn values(config: &Config) -> BTreeMap<String, String> {
    config.hot_keys().into_iter().map(|key| (key.path, key.value)).collect()
}

#[cfg(test)]
#[path = "settings_test.rs"]
mod tests;
