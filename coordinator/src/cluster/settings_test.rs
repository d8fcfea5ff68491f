//! The newest settings are seen by whoever watches.

use super::*;

fn settings(version: u64, value: &str) -> Settings {
    Settings {
        version: LogIndex(version),
        values: [("feed.oon_factor".to_owned(), value.to_owned())].into(),
    }
}

#[tokio::test(start_paused = true)]
async fn who_starts_waits_until_a_node_has_said_what_is_set() {
    let cell = SettingsCell::default();
    let mut watch = SettingsWatch(cell.0.subscribe());
    watch.hear(Duration::from_secs(3)).await;
    assert_eq!(*watch.now(), Settings::default(), "nobody answers: the file counts");
    cell.learn(settings(7, "0.5"));
    cell.heard();
    watch.hear(Duration::MAX).await;
    assert_eq!(*watch.now(), settings(7, "0.5"));
}

#[tokio::test]
async fn the_newest_settings_are_seen() {
    let cell = SettingsCell::default();
    let mut watch = SettingsWatch(cell.0.subscribe());
    for (version, value) in [(7, "0.5"), (6, "0.6"), (7, "0.7")] {
        cell.learn(settings(version, value));
    }
    assert_eq!(cell.version(), LogIndex(7));
    assert_eq!(watch.next().await.as_deref(), Some(&settings(7, "0.5")));
    drop(cell);
    assert_eq!(watch.next().await, None);
}
