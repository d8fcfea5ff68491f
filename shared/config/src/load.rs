//! Reading the file, the environment, and the secret.

use std::path::Path;
use std::str::FromStr;

use crate::config::{Config, NodeConfig};
use crate::error::ConfigError;
use crate::input::Input;
use crate::units::Secret;
use crate::validate::validate;

impl Config {
    /// Reads the file and the `COVEY__…` variables of this process.
    ///
    /// # Errors
    /// [`ConfigError::Read`] if there is no such file, else [`ConfigError::Invalid`] with every problem.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = read(path)?;
        Self::from_parts(&path.display().to_string(), &text, std::env::vars())
    }

    /// The same with a node that is not in the file: it joins a cluster that is there already.
    ///
    /// # Errors
    /// As [`Config::load`]; the file has the node, or its address, already.
    pub fn load_joining(path: &Path, node: &NodeConfig) -> Result<Self, ConfigError> {
        let text = format!("{}\n{}", read(path)?, node.to_toml());
        let name = format!("{} with node {}, which joins", path.display(), node.id);
        Self::from_parts(&name, &text, std::env::vars())
    }

    /// Reads a text and the given variables. `name` stands in errors.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] with every problem.
    pub fn from_parts(
        name: &str,
        text: &str,
        env: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let known = Self::known();
        let mut input = Input::read(text, env.into_iter(), &known);
        let config = Self::read(&mut input);
        validate(&config, &mut input);
        let problems = input.finish(&known);
        if problems.is_empty() {
            Ok(config)
        } else {
            Err(ConfigError::Invalid {
                name: name.to_owned(),
                problems,
            })
        }
    }

    /// The key that signs cursors and session tokens: `coordinator.cursor_secret`, or the content of
    /// `coordinator.cursor_secret_file`. With neither, a key made from the cluster's name: good enough on loopback,
    /// and addresses elsewhere are refused when the file is read.
    ///
    /// # Errors
    /// [`ConfigError::Read`] if the secret file cannot be read.
    pub fn cursor_secret(&self) -> Result<Secret, ConfigError> {
        let coordinator = &self.coordinator;
        if !coordinator.cursor_secret.is_empty() {
            return Ok(coordinator.cursor_secret.clone());
        }
        if !coordinator.cursor_secret_file.is_empty() {
            return read(Path::new(&coordinator.cursor_secret_file)).map(|text| Secret::new(&text));
        }
        Ok(Secret::new(&format!("loopback-only {}", self.cluster.name)))
    }
}

/// A text alone, without the environment.
impl FromStr for Config {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        Self::from_parts("cluster.toml", text, [])
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the configuration is read once, before there is an Env"
)]
fn read(path: &Path) -> Result<String, ConfigError> {
    std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
#[path = "load_test.rs"]
mod tests;
