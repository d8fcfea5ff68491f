//! What operators have set while the cluster runs: keys of `cluster.toml` whose values change on all coordinators without a restart.
//!
//! The metadata keeps them as text and bounds them; what a key means, and which values it takes, only a configuration knows. They go the way
//! that the [`Directory`](crate::directory::Directory) goes: the leader of the metadata tells every node, nodes tell coordinators, and the
//! newest wins.

use std::collections::BTreeMap;

use bincode::{Decode, Encode};
use serde::Serialize;

use crate::ids::LogIndex;

/// Longest key of a setting, in bytes.
pub const MAX_KEY: usize = 128;
/// Longest value of a setting, in bytes.
pub const MAX_VALUE: usize = 1024;
/// Bytes of all keys and values together: they are written as a whole with each change, and told to every process.
pub const MAX_SETTINGS: usize = 64 << 10;

/// Settings by the path of their key, `feed.oon_factor`; values as they would stand in the environment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Settings {
    /// Entry of the metadata's log that changed them last; 0: nothing was ever set.
    pub version: LogIndex,
    /// What is set.
    pub values: BTreeMap<String, String>,
}

/// Most keys that are kept.
pub const MAX_KEYS: usize = 512;

/// Bytes of the keys and values of one change: the audit log keeps thousands of them.
pub const MAX_CHANGE: usize = 8 << 10;

/// New values by key; `None`: not set any more, so that the file counts again.
pub type SettingChanges = BTreeMap<String, Option<String>>;

impl Settings {
    /// With these changes, as of `version`. Keys below one that is changed, `feed.rule.cup.factor` below `feed.rule.cup`, go with what they
    /// were a part of, unless the change names them.
    ///
    /// # Errors
    /// Nothing is to be changed, or what is not set is not to be set any more; what comes of it is out of bounds.
    pub fn with(&self, version: LogIndex, changes: &SettingChanges) -> Result<Settings, String> {
        let length = |(key, value): (&String, &Option<String>)| key.len() + value.as_ref().map_or(0, String::len);
        let bytes: usize = changes.iter().map(length).sum();
        if changes.is_empty() || bytes > MAX_CHANGE {
            return Err(format!(
                "a change names a key, and has at most {MAX_CHANGE} bytes, not {bytes}"
            ));
        }
        let mut values = self.values.clone();
        for (key, value) in changes {
            let below = format!("{key}.");
            let before = values.len();
            values.retain(|known, _| known != key && !known.starts_with(&below));
            if before == values.len() && value.is_none() {
                return Err(format!("{} is not set", key.escape_debug()));
            }
        }
        let set = changes
            .iter()
            .filter_map(|(key, value)| Some((key.clone(), value.clone()?)));
        values.extend(set);
        let settings = Settings { version, values };
        settings.fault().map_or(Ok(settings), Err)
    }

    /// What is wrong with them, whatever they mean: too long, too many, or not to be shown on a terminal.
    pub fn fault(&self) -> Option<String> {
        let keys = self.values.len();
        let bytes: usize = self.values.iter().map(|(key, value)| key.len() + value.len()).sum();
        if keys > MAX_KEYS || bytes > MAX_SETTINGS {
            return Some(format!(
                "{keys} settings of {bytes} bytes; at most {MAX_KEYS} of {MAX_SETTINGS} are kept: unset some, or write them into cluster.toml"
            ));
        }
        self.values.iter().find_map(|(key, value)| {
            let text = |name: &str, text: &str, most: usize| match text {
                "" => Some(format!("a setting has a {name}")),
                text if text.len() > most => Some(format!("the {name} of a setting has at most {most} bytes")),
                text if text.contains(char::is_control) => Some(format!(
                    "the {name} of a setting has no characters that cannot be printed"
                )),
                _ => None,
            };
            text("key", key, MAX_KEY).or_else(|| text("value", value, MAX_VALUE))
        })
    }
}

#[cfg(test)]
#[path = "settings_test.rs"]
mod tests;
