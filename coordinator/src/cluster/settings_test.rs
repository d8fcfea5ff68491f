//! The newest settings are seen by whoever watches.

use super::*;

const LONG: Duration = Duration::from_secs(3600);

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
    assert_eq!(
        *watch.hear(LONG).await,
        Settings::default(),
        "nobody answers: the file counts"
    );
    let waits = tokio::spawn(async move { watch.hear(LONG).await });
    tokio::time::sleep(LONG / 2).await;
    assert!(!waits.is_finished() && cell.lacks(LogIndex(0)));
    cell.learn(Settings::default());
    assert_eq!(*waits.await.expect("it ends"), Settings::default(), "nothing is set");
    assert!(!cell.lacks(LogIndex(0)) && cell.lacks(LogIndex(1)));
}

#[tokio::test]
async fn the_newest_settings_are_seen_and_those_that_cannot_be_are_not() {
    let cell = SettingsCell::default();
    let mut watch = SettingsWatch(cell.0.subscribe());
    for (version, value) in [(7, "0.5"), (6, "0.6"), (7, "0.7"), (9, "")] {
        cell.learn(settings(version, value));
    }
    assert_eq!(watch.next().await.as_deref(), Some(&settings(7, "0.5")));
    drop(cell);
    assert_eq!(watch.next().await, None);
}
