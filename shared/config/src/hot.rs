//! What operators set while the cluster runs, laid over the file and the environment.

use covey_shared::settings::Settings;

use crate::config::Config;
use crate::error::{ConfigError, Origin};
use crate::input::Input;
use crate::sections::feed::FeedConfig;
use crate::sections::rules;
use crate::validate;

/// A key that operators can set, or a business rule, as it is now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HotKey {
    /// Full path, `feed.oon_factor` or `feed.rule.two_per_topic`.
    pub path: String,
    /// Its value, as somebody would set it.
    pub value: String,
    /// What it takes: unit and range. Empty for a rule.
    pub takes: String,
}

impl Config {
    /// This configuration with what operators have set over it. A rule is set as a whole, in one line or to `off`, or key by key as in the
    /// environment; new rules come behind those of the file.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] with every problem: a key that is unknown or not hot, a value that is wrong, keys that disagree. Nothing of the
    /// settings counts then.
    pub fn with(&self, settings: &Settings) -> Result<Config, ConfigError> {
        let known = Self::known();
        let mut input = Input::read(&self.hot_text(), std::iter::empty(), &known);
        input.overlay(&settings.values, &known);
        let config = Config {
            feed: FeedConfig::read(&mut input),
            ..self.clone()
        };
        validate::feed(&config, &mut input);
        let mut problems = input.finish(&known);
        if problems.is_empty() {
            return Ok(config);
        }
        for problem in &mut problems {
            match &problem.origin {
                Origin::Setting(key) if *key == problem.path => problem.path.clear(),
                // A line of what was printed here says nothing to anybody.
                Origin::Line(_) => problem.origin = Origin::File,
                _ => {}
            }
        }
        let name = "the settings".to_owned();
        Err(ConfigError::Invalid { name, problems })
    }

    /// Every key that can be set, in file order, then the rules.
    pub fn hot_keys(&self) -> Vec<HotKey> {
        let keys = self.keys().into_iter().filter(|key| key.hot).map(|key| HotKey {
            takes: [Some(key.unit), key.range]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join(" · "),
            value: key.value.trim_matches('"').to_owned(),
            path: key.path,
        });
        let rules = self.feed.rules.0.iter().map(|rule| HotKey {
            path: format!("{}.{}", rules::PATH, rule.name),
            value: rule.inline(),
            takes: String::new(),
        });
        keys.chain(rules).collect()
    }
}

#[cfg(test)]
#[path = "hot_test.rs"]
mod tests;
