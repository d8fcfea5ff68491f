//! The newest settings count, and outlive the process.

use super::*;

fn settings(version: u64, value: &str) -> Settings {
    Settings {
        version: LogIndex(version),
        values: [("feed.oon_factor".to_owned(), value.to_owned())].into(),
    }
}

#[test]
fn the_newest_settings_count_and_outlive_the_process() {
    let (dir, env) = (tempfile::tempdir().unwrap(), Env::production(1).unwrap());
    let known = KnownSettings::open(&env, dir.path());
    assert_eq!(known.now(), Settings::default());
    for (version, value) in [(7, "0.5"), (6, "0.6"), (7, "0.7")] {
        known.learn(&settings(version, value));
    }
    let broken = Settings {
        values: [(String::new(), "1".to_owned())].into(),
        version: LogIndex(9),
    };
    known.learn(&broken);
    // Who stores them holds them.
    while Arc::strong_count(&known.0) > 1 {
        std::thread::yield_now();
    }
    assert_eq!(known.version(), LogIndex(7));
    assert_eq!(KnownSettings::open(&env, dir.path()).now(), settings(7, "0.5"));
}
