//! What operators set while the cluster runs.

use covey_shared::ids::LogIndex;
use covey_shared::metadata::OperationFault;
use covey_shared::settings::SettingChanges;

use crate::admission::named;
use crate::state::Metadata;

impl Metadata {
    /// Changes settings, if they are still those that it was decided on.
    pub(crate) fn set(
        &mut self,
        index: LogIndex,
        on: LogIndex,
        changes: &SettingChanges,
        by: &str,
    ) -> Result<(), OperationFault> {
        named(by)?;
        if on != self.settings.version {
            return Err(OperationFault::SettingsChanged(self.settings.version));
        }
        self.settings = self.settings.with(index, changes).map_err(OperationFault::Invalid)?;
        Ok(())
    }
}

#[cfg(test)]
#[path = "settings_test.rs"]
mod tests;
