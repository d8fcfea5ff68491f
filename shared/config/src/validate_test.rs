//! Rules that span several keys.

use crate::Config;

fn problems(text: &str) -> Vec<String> {
    let text = format!("{text}\n{}", crate::tests_support::NODES);
    match text.parse::<Config>() {
        Ok(_) => Vec::new(),
        Err(error) => error.problems().iter().map(ToString::to_string).collect(),
    }
}

#[track_caller]
fn refused(text: &str, expected: &str) {
    let found = problems(text);
    assert!(found.len() == 1 && found[0].contains(expected), "{found:#?}");
}

#[test]
fn nodes_that_came_later_are_none_that_the_cluster_was_founded_with() {
    let joined = |id: u64, more: &str| {
        format!(
            "[[node]]\nid = {id}\nlisten = \"127.0.0.1:{}\"\njoined = true\n{more}",
            7000 + id
        )
    };
    let founders: String = (1..=3)
        .map(|id| format!("[[node]]\nid = {id}\nlisten = \"127.0.0.1:{}\"\n", 7000 + id))
        .collect();
    let config: Config = format!("{founders}{}", joined(4, "")).parse().expect("four nodes");
    let without: Config = founders.parse().expect("three nodes");
    assert_eq!(
        config.layout(),
        without.layout(),
        "where replicas were founded does not change"
    );
    assert_eq!(config.directory().nodes.len(), 4);
    refused(&joined(4, "meta = true\n"), "node.4.meta: a node that came later");
    let none = [1, 2, 3].map(|id| joined(id, "")).concat();
    let error = none.parse::<Config>().expect_err("nobody to found it with");
    assert!(
        error.to_string().contains("there are 0 without joined = true"),
        "{error}"
    );
}

#[test]
fn replication_is_odd_and_there_are_enough_nodes() {
    refused(
        "[cluster]\nreplication = 2",
        "line 2: cluster.replication: 2 replicas have no better majority",
    );
    refused(
        "[cluster]\nreplication = 5",
        "5 replicas need as many nodes when the cluster is founded, there are 3 without joined = true",
    );
    assert_eq!(problems("[cluster]\nreplication = 1"), [""; 0]);
    let error = "".parse::<Config>().expect_err("no node");
    assert!(error.to_string().contains("there is no [[node]]"), "{error}");
}

#[test]
fn plain_tcp_stays_on_the_machine() {
    refused(
        "[coordinator]\nhttp_listen = \"0.0.0.0:7180\"",
        "line 2: coordinator.http_listen: 0.0.0.0:7180 is not a loopback",
    );
    refused("[cluster]\ninsecure_loopback = false", "this version has no TLS yet");
}

#[test]
fn two_listeners_cannot_share_an_address() {
    refused(
        "[coordinator]\ngrpc_listen = \"127.0.0.1:7102\"",
        "127.0.0.1:7102 is also the address of node.2.listen",
    );
    let any = "[coordinator]\ngrpc_listen = \"127.0.0.1:0\"\nhttp_listen = \"127.0.0.1:0\"";
    assert_eq!(problems(any), [""; 0]);
}

#[test]
fn times_and_sizes_that_contradict_each_other_are_refused() {
    refused(
        "[raft]\nheartbeat_ticks = 4",
        "raft.election_ticks: 10 must be ≥ 3 × raft.heartbeat_ticks",
    );
    refused(
        "[coordinator]\nrequest_deadline = \"60s\"",
        "longer than coordinator.max_request_deadline",
    );
    refused(
        "[retention]\ntrim_interval = \"1h\"",
        "retention.trim_step: must be at least twice retention.trim_interval",
    );
    refused("[rpc]\nbackoff_min = \"1s\"", "longer than rpc.backoff_max");
    refused(
        "[raft]\nmax_entry = \"16MiB\"\npeer_queue = \"64MiB\"",
        "rpc.max_frame: must be at least twice",
    );
    refused(
        "[raft]\nmax_lag = \"1GiB\"",
        "raft.max_lag: must be at most half of raft.max_wal",
    );
    refused(
        "[raft]\nmax_entry = \"4MiB\"",
        "raft.peer_queue: must be at least twice",
    );
    refused(
        "[raft]\nwal_segment = \"2MiB\"",
        "must be at least four times raft.max_entry",
    );
    refused("[ann]\nmin_recall = 0.99", "higher than ann.recall_target");
    refused(
        "[ann]\nseal_rows = 100000\nmax_segment_rows = 1024",
        "larger than ann.max_segment_rows",
    );
    refused("[feed]\nresult_size = 60", "larger than feed.top_k");
    refused("[feed]\ntop_k = 2000", "larger than feed.l2_candidates");
    refused(
        "[feed.weights]\ndwell_time = -0.1",
        "feed.weights.dwell_time: -0.1 is out of range: 0.0 to 1000.0",
    );
}
