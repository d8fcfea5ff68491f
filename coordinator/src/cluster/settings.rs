//! What operators have set, as the nodes tell it.

use std::sync::Arc;
use std::time::Duration;

use covey_shared::ids::LogIndex;
use covey_shared::settings::Settings;
use tokio::sync::watch;

use crate::cluster::Cluster;

/// The newest settings that a node has told; `None` until one has said whether anything is set.
#[derive(Default)]
pub(crate) struct SettingsCell(watch::Sender<Option<Arc<Settings>>>);

impl SettingsCell {
    /// Whether something of this version is news.
    pub(crate) fn lacks(&self, version: LogIndex) -> bool {
        self.0.borrow().as_ref().is_none_or(|known| version > known.version)
    }

    /// Takes them in if they are newer.
    pub(crate) fn learn(&self, settings: Settings) {
        // They came over the network.
        if let Some(fault) = settings.fault() {
            tracing::error!(fault, "a node tells settings that cannot be");
            return;
        }
        self.0.send_if_modified(|known| {
            let newer = known.as_ref().is_none_or(|known| settings.version > known.version);
            if newer {
                *known = Some(Arc::new(settings));
            }
            newer
        });
    }
}

/// Sees each change of the settings.
pub struct SettingsWatch(watch::Receiver<Option<Arc<Settings>>>);

impl SettingsWatch {
    /// Waits until a node has said what is set, at most so long; what the file says counts until one does.
    pub async fn hear(&mut self, at_most: Duration) -> Arc<Settings> {
        let late = tokio::time::timeout(at_most, self.0.wait_for(Option::is_some))
            .await
            .is_err();
        if late {
            tracing::warn!("no node has said yet what operators have set: what the file says counts until one does");
        }
        self.0.borrow_and_update().clone().unwrap_or_default()
    }

    /// What is set next; `None` once the coordinator has ended.
    pub async fn next(&mut self) -> Option<Arc<Settings>> {
        self.0.changed().await.ok()?;
        Some(self.0.borrow_and_update().clone().unwrap_or_default())
    }
}

impl Cluster {
    /// Sees what operators have set.
    pub fn settings(&self) -> SettingsWatch {
        SettingsWatch(self.settings.0.subscribe())
    }

    /// A node has said what operators have set.
    pub(crate) fn knows_settings(&self) -> bool {
        self.settings.0.borrow().is_some()
    }
}

#[cfg(test)]
#[path = "settings_test.rs"]
mod tests;
