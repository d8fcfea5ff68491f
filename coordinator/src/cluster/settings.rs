//! What operators have set, as the nodes tell it.

use std::sync::Arc;
use std::time::Duration;

use covey_shared::ids::LogIndex;
use covey_shared::settings::Settings;
use tokio::sync::watch;

use crate::cluster::Cluster;

/// What is known at a moment.
#[derive(Clone, Default)]
struct Heard {
    newest: Arc<Settings>,
    /// A node has answered: until one does, nobody knows whether anything is set.
    any: bool,
}

/// The newest settings that a node has told.
#[derive(Default)]
pub(crate) struct SettingsCell(watch::Sender<Heard>);

impl SettingsCell {
    pub(crate) fn version(&self) -> LogIndex {
        self.0.borrow().newest.version
    }

    /// Takes them in if they are newer.
    pub(crate) fn learn(&self, settings: Settings) {
        self.0.send_if_modified(|heard| {
            let newer = settings.version > heard.newest.version;
            if newer {
                heard.newest = Arc::new(settings);
            }
            newer
        });
    }

    /// A node has been asked, and what it knows is known here.
    pub(crate) fn heard(&self) {
        self.0
            .send_if_modified(|heard| !std::mem::replace(&mut heard.any, true));
    }
}

/// Sees each change of the settings.
pub struct SettingsWatch(watch::Receiver<Heard>);

impl SettingsWatch {
    /// Waits until a node has said what is set, at most so long.
    pub async fn hear(&mut self, at_most: Duration) {
        let heard = tokio::time::timeout(at_most, self.0.wait_for(|heard| heard.any)).await;
        if heard.is_err() {
            tracing::warn!("no node has said yet what operators have set: what the file says counts until one does");
        }
    }

    /// What is set now.
    pub fn now(&mut self) -> Arc<Settings> {
        self.0.borrow_and_update().newest.clone()
    }

    /// What is set next; `None` once the coordinator has ended.
    pub async fn next(&mut self) -> Option<Arc<Settings>> {
        self.0.changed().await.ok()?;
        Some(self.now())
    }
}

impl Cluster {
    /// Sees what operators have set.
    pub fn settings(&self) -> SettingsWatch {
        SettingsWatch(self.settings.0.subscribe())
    }

    /// These have been set just now: others hear of them from the nodes.
    pub(crate) fn learn_settings(&self, settings: Settings) {
        self.settings.learn(settings);
    }
}

#[cfg(test)]
#[path = "settings_test.rs"]
mod tests;
