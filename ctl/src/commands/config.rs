//! `covey config check`.

use std::path::Path;

use anyhow::Result;
use covey_config::{Config, ConfigError};

use super::{Context, Outcome};
use crate::render::text;

/// Reads the file with the environment's overrides and says everything that is wrong.
pub(super) fn check(context: &Context, file: &Path) -> Result<Outcome> {
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
