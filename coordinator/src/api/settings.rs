//! What operators set while the cluster runs.

use std::sync::Arc;

use covey_api::v1;
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
    #[expect(clippy::unused_async, reason = "calls are made alike")]
    pub(crate) async fn get_settings(
        &self,
        _: v1::GetSettingsRequest,
        context: RequestContext,
    ) -> Result<v1::GetSettingsReply, ApiError> {
        let now = self.deps.feed.service().in_service();
        let serving = &now.serving;
        Ok(v1::GetSettingsReply {
            version: serving.settings.version.0,
            settings: settings(&self.deps.config, &serving.config, &now.newest),
            problem: now.problem.clone().unwrap_or_default(),
            set: now.newest.values.clone().into_iter().collect(),
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
        let mut tried: Option<(Settings, Vec<v1::SettingChange>)> = None;
        for _ in 0..TRIES {
            let now = self.deps.cluster.describe(0, deadline).await?.settings;
            let reply = |version: u64, changes| v1::ChangeSettingsReply {
                version,
                changes,
                trace_id: context.trace_id.clone(),
            };
            // A try of which nobody heard what came of it may have been carried out.
            if let Some((_, changes)) = tried.take_if(|(next, _)| next.values == now.values) {
                let version = now.version.0;
                self.deps.feed.service().learn(&Arc::new(now));
                return Ok(reply(version, changes));
            }
            let (next, changes) = self.looked_at(&now, &wanted)?;
            if wanted.dry_run || next.values == now.values {
                return Ok(reply(now.version.0, changes));
            }
            let change = MetadataChange::Set {
                on: now.version,
                changes: wanted.changes.clone(),
                by: wanted.by.clone(),
            };
            match self.change(&change, deadline).await {
                Err(ApiError::Operation(OperationFault::SettingsChanged(_))) => tried = Some((next, changes)),
                changed => {
                    let version = changed?.index;
                    self.deps.feed.service().learn(&Arc::new(Settings { version, ..next }));
                    return Ok(reply(version.0, changes));
                }
            }
        }
        Err(ApiError::Settings(format!(
            "others have set something {TRIES} times while this was looked at: ask again"
        )))
    }

    /// What is wanted on top of what is set, and what that changes.
    fn looked_at(&self, now: &Settings, wanted: &Wanted) -> Result<(Settings, Vec<v1::SettingChange>), ApiError> {
        if wanted.on.is_some_and(|on| on != now.version) {
            return Err(OperationFault::SettingsChanged(now.version).into());
        }
        let file = &self.deps.config;
        let next = now.with(now.version, &wanted.changes).map_err(ApiError::Settings)?;
        let after = file
            .with(&next)
            .map_err(|error| ApiError::Settings(error.to_string()))?;
        let changes = match file.with(now) {
            Ok(before) => setting_changes(&before, &after),
            // They fit another coordinator's file: older ones are in service here.
            Err(_) => setting_changes(&self.deps.feed.service().in_service().serving.config, &after),
        };
        Ok((next, changes))
    }
}

#[cfg(test)]
#[path = "settings_test.rs"]
mod tests;
