//! `covey config`: the file, and what is set while the cluster runs.

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, bail};
use covey_api::v1::{ChangeSettingsRequest, GetSettingsRequest};
use covey_config::{Config, ConfigError};

use super::{Context, Outcome};
use crate::args::{ConfigCommand, SetFlags};
use crate::client::{denied, refused};
use crate::render::{settings, text};

/// Time for the cluster to take a change in: longer than an election.
const PATIENCE: Duration = Duration::from_secs(10);
/// Time that the coordinator's answer needs to come back.
const WAY: Duration = Duration::from_secs(2);

pub(super) async fn run(context: &Context, command: ConfigCommand) -> Result<Outcome> {
    match command {
        ConfigCommand::Check { file } => check(context, &file),
        ConfigCommand::Show { prefix } => show(context, prefix.as_deref()).await,
        ConfigCommand::Set { settings, flags } => {
            let mut wanted = ChangeSettingsRequest::default();
            for (key, value) in settings {
                if wanted.set.insert(key.clone(), value).is_some() {
                    bail!("{key} is given twice");
                }
            }
            change(context, wanted, &flags).await
        }
        ConfigCommand::Unset { keys, flags } => {
            let wanted = ChangeSettingsRequest {
                unset: keys,
                ..Default::default()
            };
            change(context, wanted, &flags).await
        }
    }
}

async fn show(context: &Context, prefix: Option<&str>) -> Result<Outcome> {
    let client = context.connect().await?;
    let mut reply = client
        .rpc()
        .get_settings(GetSettingsRequest {})
        .await
        .map_err(refused("settings"))?
        .into_inner();
    let all = reply.settings.clone();
    reply.settings.retain(|setting| match prefix {
        Some(prefix) => setting.key.starts_with(prefix),
        None => setting.is_set,
    });
    context.show(&reply, || {
        settings::shown(&reply, &all, prefix.is_some(), context.style)
    })?;
    Ok(Outcome::good(reply.problem.is_empty()))
}

async fn change(context: &Context, wanted: ChangeSettingsRequest, flags: &SetFlags) -> Result<Outcome> {
    let client = context.connect().await?;
    let mut request = tonic::Request::new(ChangeSettingsRequest {
        by: context.by.clone(),
        dry_run: flags.dry_run,
        on_version: flags.on,
        deadline_ms: PATIENCE.as_millis() as u32,
        ..wanted
    });
    request.set_timeout(PATIENCE + WAY);
    let reply = client.rpc().change_settings(request).await;
    let reply = reply.map_err(denied("this change"))?.into_inner();
    context.show(&reply, || settings::changed(&reply, flags.dry_run, context.style))?;
    Ok(Outcome::Done)
}

/// Reads the file with the environment's overrides and says everything that is wrong.
fn check(context: &Context, file: &Path) -> Result<Outcome> {
    match Config::load(file) {
        Ok(config) => {
            let summary = format!(
                "{} is valid: cluster {}, {} nodes, {} shards, {} copies of each\n",
                file.display(),
                config.cluster.name,
                config.nodes.len(),
                config.cluster.shards,
                config.cluster.replication,
            );
            text::print(&summary)?;
            Ok(Outcome::Done)
        }
        Err(error @ ConfigError::Invalid { .. }) => {
            text::print(&format!("{}\n", context.style.bad(&error.to_string())))?;
            Ok(Outcome::NotGood)
        }
        Err(error) => Err(error.into()),
    }
}
