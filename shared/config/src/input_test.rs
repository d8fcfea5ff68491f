//! What is wrong with a text, and where.

use crate::{Config, ConfigError, Origin};

fn problems(text: &str, env: &[(&str, &str)]) -> Vec<(Option<usize>, String, String)> {
    let text = format!("{text}\n{}", crate::tests_support::NODES);
    let env = env
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let error = Config::from_parts("test.toml", &text, env).expect_err("the text is wrong");
    error
        .problems()
        .iter()
        .map(|p| (p.line(), p.path.clone(), p.message.clone()))
        .collect()
}

#[test]
fn an_unknown_key_names_the_nearest_one_with_path_and_line() {
    let found = problems("[raft]\ntick = \"100ms\"\nelection_tick = 10", &[]);
    let expected = "there is no such key; the nearest is raft.election_ticks".to_owned();
    assert_eq!(found, [(Some(3), "raft.election_tick".into(), expected)]);
}

#[test]
fn a_key_in_the_wrong_section_is_recognised() {
    let found = problems("[storage]\npeer_queue = \"4MiB\"", &[]);
    assert_eq!(found[0].2, "there is no such key; the nearest is raft.peer_queue");
}

#[test]
fn an_unknown_section_names_the_nearest_one_once() {
    let found = problems("[feed.in_netwrk]\nenabled = true\ntimeout = \"1s\"", &[]);
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].0, found[0].1.as_str()), (Some(1), "feed.in_netwrk"));
    assert_eq!(found[0].2, "there is no such section; the nearest is [feed.in_network]");
}

#[test]
fn all_problems_are_reported_at_once_in_file_order() {
    let text = "[raft]\ntick = 5\nheartbeat_ticks = 0\n[ann]\nmin_recall = 1.5\nindx = \"Flat\"\n[retention]\nwindow = \"soon\"";
    let found = problems(
        text,
        &[("COVEY__RAFT__TIK", "1s"), ("COVEY__STORAGE__KV_CACHE", "lots")],
    );
    let lines: Vec<_> = found.iter().map(|(line, path, _)| (*line, path.as_str())).collect();
    let expected = [
        (Some(2), "raft.tick"),
        (Some(3), "raft.heartbeat_ticks"),
        (Some(5), "ann.min_recall"),
        (Some(6), "ann.indx"),
        (Some(8), "retention.window"),
        (None, "raft.tik"),
        (None, "storage.kv_cache"),
    ];
    assert_eq!(lines, expected.map(|(line, path)| (line, path)).to_vec(), "{found:#?}");
    assert_eq!(found[1].2, "0 is out of range: 1 to 100");
    assert_eq!(found[5].2, "there is no such key; the nearest is COVEY__RAFT__TICK");
}

#[test]
fn a_value_of_the_wrong_type_says_what_would_be_right() {
    let text =
        "[raft]\ntick = [1]\nmailbox = \"many\"\n[feed.popular]\nenabled = \"yes\"\n[telemetry]\nlog_format = \"xml\"";
    let found: Vec<_> = problems(text, &[]).into_iter().map(|p| p.2).collect();
    assert!(
        found[0].starts_with("a list is not a duration; write a whole number and a unit"),
        "{found:?}"
    );
    assert_eq!(found[1], "\"many\" is not a whole number");
    assert_eq!(found[2], "\"yes\" is not true or false");
    assert_eq!(found[3], "\"xml\" is not \"human\" or \"json\"");
}

#[test]
fn broken_toml_is_reported_with_its_line() {
    let found = problems("[raft]\ntick = \"100ms\nmailbox = 64", &[]);
    assert_eq!(found[0].0, Some(2), "{found:?}");
    assert!(found[0].2.starts_with("not valid TOML: "), "{found:?}");
}

#[test]
fn the_environment_wins_over_the_file() {
    let env = [
        ("COVEY__RAFT__TICK", "200ms"),
        ("COVEY__FEED__IN_NETWORK__SCAN_PER_AUTHOR", "77"),
        ("COVEY__RETENTION__WINDOW", "off"),
        ("COVEY__FEED__POPULAR__ENABLED", "false"),
        ("COVEY__CLUSTER__NAME", "42"),
        ("COVEY__NODE__2__LISTEN", "127.0.0.1:9999"),
        ("PATH", "/bin"),
    ];
    let env = env.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let text = format!("[raft]\ntick = \"50ms\"\n{}", crate::tests_support::NODES);
    let config = Config::from_parts("test.toml", &text, env).expect("a valid configuration");
    assert_eq!(config.raft.tick.as_millis(), 200);
    assert_eq!(config.feed.in_network.scan_per_author, 77);
    assert_eq!(config.retention.window, None);
    assert!(!config.feed.popular.enabled);
    assert_eq!(config.cluster.name, "42");
    assert_eq!(config.nodes[1].listen.port(), 9999);
}

#[test]
fn the_environment_cannot_invent_a_node() {
    let found = problems("", &[("COVEY__NODE__9__LISTEN", "127.0.0.1:9999")]);
    assert_eq!((found.len(), found[0].1.as_str()), (1, "node.9.listen"));
}

#[test]
fn nodes_need_distinct_ids_and_an_address() {
    let text = "[[node]]\nid = 1\n[[node]]\nlisten = \"127.0.0.1:1\"\n[[node]]\nid = 1\nlisten = \"127.0.0.1:2\"\n[[node]]\nid = 0\nlisten = \"x\"";
    let error = text.parse::<Config>().expect_err("the nodes are wrong");
    let found: Vec<_> = error.problems().iter().map(ToString::to_string).collect();
    let expected = [
        "line 3: node.id: a [[node]] without",
        "line 6: node.id: two nodes have",
        "line 9: node.id: 0 is not a node id",
    ];
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.starts_with(expected), "{found}");
    }
    assert!(
        found.iter().any(|p| p.contains("node 1 has no listen address")),
        "{found:#?}"
    );
}

#[test]
fn an_error_reads_well() {
    let text = format!("[raft]\ntik = \"1s\"\n{}", crate::tests_support::NODES);
    let error = Config::from_parts("conf/cluster.toml", &text, []).expect_err("the text is wrong");
    let expected = "conf/cluster.toml: 1 problem\n  line 2: raft.tik: there is no such key; the nearest is raft.tick";
    assert_eq!(error.to_string(), expected);
    let ConfigError::Invalid { problems, .. } = error else {
        panic!("not read from a file")
    };
    assert_eq!(problems[0].origin, Origin::Line(2));
}
