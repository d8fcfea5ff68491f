//! What operators set while the cluster runs.

use covey_api::v1;
use covey_config::Config;
use covey_shared::metadata::{MetadataChange, OperationFault};
use covey_shared::settings::Settings;

use super::convert::{Wanted, setting_changes, settings, wanted_settings};
use super::errors::ApiError;
use super::service::Api;
use crate::request::RequestContext;

/// Others may set something at the same time: so often it is looked at what they have set.
const TRIES: u32 = 5;

impl Api {
    /// What this coordinator serves by.
    pub(crate) async fn get_settings(
        &self,
        _: v1::GetSettingsRequest,
        context: RequestContext,
    ) -> Result<v1::GetSettingsReply, ApiError> {
        let (serving, problem) = self.deps.feed.serving();
        Ok(v1::GetSettingsReply {
            version: serving.settings.version.0,
            settings: settings(&self.deps.config, &serving.config, &serving.settings),
            problem: problem.unwrap_or_default(),
            trace_id: context.trace_id,
        })
    }

    /// Sets keys on all coordinators, or says what would change.
    pub(crate) async fn change_settings(
        &self,
        request: v1::ChangeSettingsRequest,
        context: RequestContext,
    ) -> Result<v1::ChangeSettingsReply, ApiError> {
        let deadline = self.deadline(&context, request.deadline_ms);
        let wanted = wanted_settings(request)?;
        let mut tries = 0;
        loop {
            let now = self.deps.cluster.describe(0, deadline).await?.settings;
            let (next, changes) = self.looked_at(&now, &wanted)?;
            let mut reply = v1::ChangeSettingsReply {
                version: now.version.0,
                changes,
                trace_id: context.trace_id.clone(),
            };
            // An earlier try may have been carried out without anybody hearing of it.
            if wanted.dry_run || next.values == now.values {
                return Ok(reply);
            }
            let change = MetadataChange::Set {
                on: now.version,
                changes: wanted.changes.clone(),
                by: wanted.by.clone(),
            };
            tries += 1;
            match self.change(&change, deadline).await {
                Err(ApiError::Operation(OperationFault::SettingsChanged(_))) if tries < TRIES => {}
                changed => {
                    let version = changed?.index;
                    reply.version = version.0;
                    self.deps.cluster.learn_settings(Settings { version, ..next });
                    return Ok(reply);
                }
            }
        }
    }

    /// What is wanted on top of what is set, and what that changes.
    fn looked_at(&self, now: &Settings, wanted: &Wanted) -> Result<(Settings, Vec<v1::SettingChange>), ApiError> {
        if wanted.on.is_some_and(|on| on != now.version) {
            return Err(OperationFault::SettingsChanged(now.version).into());
        }
        let file: &Config = &self.deps.config;
        let next = now.with(now.version, &wanted.changes);
        if let Some(fault) = next.fault() {
            return Err(ApiError::Settings(fault));
        }
        let after = file
            .with(&next)
            .map_err(|error| ApiError::Settings(error.to_string()))?;
        // What was set by a coordinator with another file may not go with this one.
        let before = file.with(now).unwrap_or_else(|_| file.clone());
        Ok((next, setting_changes(&before, &after)))
    }
}

#[cfg(test)]
#[path = "settings_test.rs"]
mod tests;
