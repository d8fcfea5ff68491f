//! Directories, ports and the generated configuration.

use covey_config::Config;

use super::*;

fn choice(any_age: bool) -> Choice {
    Choice {
        otlp: "http://127.0.0.1:4317".into(),
        posts: 100_000,
        any_age,
        again: !any_age,
    }
}

#[test]
fn the_generated_configuration_is_valid() {
    for any_age in [false, true] {
        let text = config_text(Path::new("a/\"b\""), &USUAL, &choice(any_age));
        let config: Config = text.parse().unwrap_or_else(|e| panic!("{e}\n{text}"));
        assert_eq!(config.nodes.len(), NODES);
        assert_eq!(config.feed.served_suppression.is_zero(), !any_age);
        assert_eq!(config.cluster.data_dir.to_string(), "a/\"b\"");
    }
}

#[test]
fn most_rows_of_a_shard_are_sealed() {
    for posts in [20_000, 50_000, 100_000, 400_000] {
        let seal = seal_rows(posts);
        // A tenth of the posts are reposts, which have no vector.
        let rows = posts * 9 / 10 / SHARDS;
        assert!(rows / seal * seal * 10 >= rows * 8, "{posts} posts, {seal} rows");
    }
    assert_eq!((seal_rows(0), seal_rows(100_000_000)), (1024, 8192));
}

#[test]
fn ports_are_distinct() {
    let ports = Ports::free().unwrap();
    let mut all = [ports.nodes.to_vec(), vec![ports.http, ports.grpc]].concat();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), NODES + 2);
}

#[test]
fn another_wish_needs_another_place() {
    let dir = tempfile::tempdir().unwrap();
    let place = Place::open(dir.path(), false).unwrap();
    assert_eq!(place.holding("a world").unwrap(), None);
    let holding = Holding {
        wish: "a world".into(),
        ..Holding::default()
    };
    place.remember(&holding).unwrap();
    assert_eq!(place.holding("a world").unwrap(), Some(holding));
    let error = place.holding("a file").unwrap_err().to_string();
    assert!(error.contains("--fresh") && error.contains("holds a world"), "{error}");
}

#[test]
fn fresh_removes_what_a_demo_made_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let place = Place::open(dir.path(), false).unwrap();
    place.remember(&Holding::default()).unwrap();
    fs::write(dir.path().join("letter.txt"), "keep me").unwrap();
    let place = Place::open(dir.path(), true).unwrap();
    assert_eq!(place.holding("x").unwrap(), None);
    assert!(dir.path().join("letter.txt").exists());
}
