//! Files and secrets.

use std::path::Path;

use crate::{Config, ConfigError};

#[test]
fn a_missing_file_is_named() {
    let error = Config::load(Path::new("no/such/cluster.toml")).expect_err("there is no such file");
    assert!(matches!(error, ConfigError::Read { .. }));
    assert_eq!(error.to_string(), "cannot read no/such/cluster.toml");
}

#[test]
fn the_shipped_file_can_be_read() {
    let config = Config::load(Path::new("../../cluster.toml")).expect("the shipped file is valid");
    assert!(
        config
            .summary()
            .starts_with("cluster \"covey\": 8 shards × 3 replicas on 3 nodes in 3 zones")
    );
}

#[test]
fn the_cursor_secret_comes_from_the_key_or_its_file() {
    let mut config = Config::default();
    assert!(!config.cursor_secret().expect("the loopback key").is_empty());
    config.coordinator.cursor_secret_file = "no/such/secret".into();
    assert!(matches!(config.cursor_secret(), Err(ConfigError::Read { .. })));
    config.coordinator.cursor_secret = crate::Secret::new("s3cret");
    assert_eq!(config.cursor_secret().expect("given").expose(), "s3cret");
}
