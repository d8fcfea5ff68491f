//! The shipped file and the declarations agree.

use std::collections::BTreeSet;

use covey_shared::ids::NodeId;

use crate::Config;

const SHIPPED: &str = include_str!("../../../cluster.toml");

#[test]
fn the_shipped_file_is_the_text_of_the_declarations() {
    let expected = Config::default().to_toml();
    let differs = SHIPPED
        .lines()
        .zip(expected.lines())
        .position(|(shipped, declared)| shipped != declared);
    let how = "run `cargo run -p covey-config --example cluster_toml > cluster.toml`";
    assert_eq!(
        differs,
        None,
        "cluster.toml line {} differs: {how}",
        differs.unwrap_or_default() + 1
    );
    assert_eq!(SHIPPED, expected, "{how}");
}

#[test]
fn the_shipped_file_holds_the_defaults() {
    assert_eq!(
        SHIPPED.parse::<Config>().expect("the shipped file is valid"),
        Config::default()
    );
}

#[test]
fn a_file_with_nodes_alone_has_the_defaults() {
    let config: Config = crate::tests_support::NODES
        .parse()
        .expect("every other key has a default");
    assert_eq!(config.raft, Config::default().raft);
    assert_eq!(config.feed, Config::default().feed);
}

#[test]
fn every_key_stands_in_the_shipped_file_with_meaning_unit_range_and_default() {
    let lines: Vec<_> = SHIPPED.lines().collect();
    let keys = Config::default().keys();
    assert!(keys.len() > 120, "only {} keys", keys.len());
    let mut at = 0;
    for key in keys {
        let written = format!("{} = {}", key.name, key.default);
        let found = lines[at..].iter().position(|line| *line == written);
        at += found.unwrap_or_else(|| panic!("{}: no line {written:?} after line {at}", key.path));
        let about = lines[at - 1];
        let range = key.range.map(|range| format!(" · {range} · ")).unwrap_or_default();
        assert!(
            about.starts_with(&format!("# {}", key.unit)) && about.contains(&range),
            "{}: {about}",
            key.path
        );
        assert!(about.contains(" · default "), "{}: {about}", key.path);
        assert!(
            lines[at - 2].starts_with("# ") && lines[at - 2].len() > 6,
            "{}: has no meaning",
            key.path
        );
    }
}

#[test]
fn every_default_lies_in_its_range() {
    // Each default is parsed and range-checked as if it were written.
    SHIPPED.parse::<Config>().expect("every default is valid");
    for key in Config::default().keys() {
        assert_eq!(key.value, key.default, "{}", key.path);
        assert!(
            !key.range.as_deref().unwrap_or_default().contains(" is not "),
            "{}: {:?}",
            key.path,
            key.range
        );
    }
}

#[test]
fn paths_are_distinct() {
    let keys = Config::default().keys();
    let paths: BTreeSet<_> = keys.iter().map(|key| &key.path).collect();
    assert_eq!(paths.len(), keys.len());
}

#[test]
fn a_changed_configuration_survives_a_round_trip() {
    let mut config = Config::default();
    config.raft.tick = std::time::Duration::from_millis(20);
    config.retention.window = None;
    config.ann.index = "HNSW32,\"Flat\"\\".to_owned();
    config.feed.weights.report = -1.25;
    assert_eq!(
        config.to_toml().parse::<Config>().expect("what we print we can read"),
        config
    );
    let changes = config.changes();
    assert_eq!(changes.lines().count(), 4, "{changes}");
    assert!(
        changes.starts_with("raft.tick = \"20ms\"  (default \"100ms\")\n"),
        "{changes}"
    );
}

#[test]
fn secrets_are_not_shown() {
    let mut config = Config::default();
    config.coordinator.cursor_secret = crate::Secret::new("hunter2");
    let all = format!("{}{}{}{config:?}", config.to_toml(), config.changes(), config.summary());
    assert!(!all.contains("hunter2"));
}

#[test]
fn the_weights_sum_as_the_specification_says() {
    let w = crate::WeightsConfig::default();
    let negative = -(w.not_interested + w.block_author + w.mute_author + w.report);
    assert!((negative - 367.2).abs() < 1e-9);
    let positive = w.favorite + w.reply + w.retweet + w.quote + w.share + w.share_via_dm + w.share_via_copy_link;
    let positive =
        positive + w.follow_author + w.click + w.photo_expand + w.vqv + w.quoted_click + w.profile_click + w.dwell;
    assert!((positive + negative - 410.25).abs() < 1e-9);
}

#[test]
fn the_cluster_id_comes_from_the_name() {
    let (mut other, config) = (Config::default(), Config::default());
    other.cluster.name = "other".into();
    assert_ne!(config.cluster.id(), other.cluster.id());
    assert_eq!(config.node_dir(NodeId(2)), std::path::Path::new("data/node-2"));
    assert_eq!(config.event_log_dir(), std::path::Path::new("data/events"));
    other.event_log.dir = "/log".into();
    assert_eq!(other.event_log_dir(), std::path::Path::new("/log"));
    assert_eq!(config.node(NodeId(3)).map(|node| node.zone.as_str()), Some("c"));
}

#[test]
fn marked_nodes_keep_the_metadata() {
    let text = "[cluster]\nreplication = 1\n[[node]]\nid = 1\nlisten = \"127.0.0.1:1\"\n[[node]]\nid = 2\nlisten = \"127.0.0.1:2\"\n";
    let keepers = |text: &str| {
        let config = text.parse::<Config>().expect("a sound configuration");
        let voters = config.layout().metadata.voters;
        voters.iter().map(|place| place.node.0).collect::<Vec<_>>()
    };
    assert_eq!(keepers(text), [1]);
    let marked = format!("{text}meta = true\n");
    assert_eq!(keepers(&marked), [2]);
    assert_eq!(
        keepers(&marked.parse::<Config>().unwrap().to_toml()),
        [2],
        "it is printed too"
    );
    let both = marked.replace("127.0.0.1:1\"", "127.0.0.1:1\"\nmeta = true");
    let error = both
        .parse::<Config>()
        .expect_err("two nodes have no better majority than one");
    assert!(error.to_string().contains("2 nodes have meta = true"), "{error}");
}
