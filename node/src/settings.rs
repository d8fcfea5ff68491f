//! What operators have set, as this node knows it: it keeps and tells it, and goes by none of it.

use std::path::Path;
use std::sync::Arc;

use covey_env::Env;
use covey_shared::ids::LogIndex;
use covey_shared::settings::{MAX_SETTINGS, Settings};

use crate::kept::{Form, Kept};

/// The file that keeps them over a restart: keys and values, and their lengths.
const FORM: Form = Form {
    name: "settings",
    version: 1,
    max: 20 * MAX_SETTINGS as u64,
};

/// The newest settings that this node has heard of.
pub(crate) struct KnownSettings(Arc<Kept<Settings>>);

impl KnownSettings {
    /// As known when the process ended.
    pub(crate) fn open(env: &Env, dir: &Path) -> KnownSettings {
        KnownSettings(Kept::open(env, dir, FORM))
    }

    pub(crate) fn now(&self) -> Settings {
        self.0.look(Settings::clone)
    }

    pub(crate) fn version(&self) -> LogIndex {
        self.0.look(|settings| settings.version)
    }

    /// Takes them in if they are newer.
    pub(crate) fn learn(&self, settings: &Settings) {
        self.0.change(|known| {
            // They may have come over the network, and the metadata would not have kept them.
            let newer = settings.version > known.version && settings.fault().is_none();
            if newer {
                known.clone_from(settings);
            }
            newer
        });
    }
}

#[cfg(test)]
#[path = "settings_test.rs"]
mod tests;
