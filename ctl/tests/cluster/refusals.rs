//! What stands in the way of a start is said in words, with what to do, and the process ends with status 1.

use std::fs;
use std::path::Path;

use crate::place::{Settings, config, directory, free_ports, write_config};
use crate::process::{binary, run_to_end};
use crate::world::shared;

fn settings<'a>(name: &'a str, nodes: &'a [u16], coordinator: [u16; 2]) -> Settings<'a> {
    Settings {
        name,
        shards: 1,
        replication: 1,
        nodes,
        coordinator,
        more: "",
    }
}

/// Starts a program that must refuse, and checks that it names all of `wanted`.
fn refuses(program: &str, config: &Path, env: &[(&str, &str)], wanted: &[&str]) {
    let mut args = vec!["--config".to_owned(), config.display().to_string()];
    if program == "covey-node" {
        args.extend(["--node", "1"].map(str::to_owned));
    }
    let (status, said) = run_to_end(&binary(program), &args, env);
    assert_eq!(status.code(), Some(1), "{program}: {said}");
    assert!(said.contains(program), "{said}");
    assert!(!said.contains("panicked"), "{said}");
    for words in wanted {
        assert!(said.contains(words), "{program}: no {words:?} in: {said}");
    }
}

#[test]
fn unknown_keys_and_wrong_values_are_named_all_at_once() {
    let dir = directory("keys");
    let [node, http, grpc] = free_ports();
    let text = config(&dir, &settings("keys", &[node], [http, grpc]));
    let text = text + "\n[raft]\ntik = \"100ms\"\nelection_ticks = 1\n[embeding]\ndim = 128\n";
    let path = write_config(&dir, &text);
    for program in ["covey-node", "covey-coordinator"] {
        let wanted = [
            "3 problems",
            "raft.tik",
            "raft.tick",
            "raft.election_ticks",
            "3 to 1000",
            "embeding",
            "embedding",
        ];
        refuses(program, &path, &[], &wanted);
    }
    assert!(!dir.join("data").exists(), "a refused configuration makes no files");
}

#[test]
fn a_port_in_use_is_named() {
    let [node, http, grpc, ..] = shared().ports()[2..] else {
        panic!("a cluster has five ports");
    };
    let dir = directory("ports");
    let [free] = free_ports();
    let path = write_config(&dir, &config(&dir, &settings("ports", &[node], [http, free])));
    refuses(
        "covey-node",
        &path,
        &[],
        &["is in use by another process", &node.to_string()],
    );
    refuses(
        "covey-coordinator",
        &path,
        &[],
        &["cannot listen", &http.to_string(), "--http"],
    );
    let path = write_config(&dir, &config(&dir, &settings("ports", &[node], [free, grpc])));
    refuses(
        "covey-coordinator",
        &path,
        &[],
        &["cannot listen", &grpc.to_string(), "--grpc"],
    );
}

#[test]
fn a_data_directory_in_use_is_named() {
    let config = shared().config();
    let data = shared().dir.join("data/node-1");
    refuses(
        "covey-node",
        &config,
        &[],
        &["cannot lock", &data.display().to_string(), "--data"],
    );
}

#[test]
fn a_cpu_without_avx2_is_named_before_anything_is_opened() {
    let dir = directory("cpu");
    let [node, http, grpc] = free_ports();
    let path = write_config(&dir, &config(&dir, &settings("cpu", &[node], [http, grpc])));
    refuses(
        "covey-node",
        &path,
        &[(covey_ann::SIMULATE_NO_AVX2, "1")],
        &["lacks AVX2", "2013 or later"],
    );
    assert!(!dir.join("data").exists());
}

#[test]
fn a_configuration_that_is_no_toml_or_not_there_is_named() {
    let dir = directory("toml");
    let path = dir.join("cluster.toml");
    refuses("covey-node", &path, &[], &["cannot read", "cluster.toml"]);
    fs::write(&path, [0xff, 0, b'[', b'[', 0xfe]).expect("a file can be written");
    refuses("covey-node", &path, &[], &["cluster.toml"]);
    fs::write(&path, "[cluster\nname = ").expect("a file can be written");
    refuses(
        "covey-coordinator",
        &path,
        &[],
        &["cluster.toml", "not valid TOML", "line 1"],
    );
}

#[test]
fn why_there_are_no_rows_is_no_row_of_json() {
    let dir = directory("no-events");
    let said = |format: &str| {
        let args = ["events", "--dir", &dir.display().to_string(), "--format", format].map(str::to_owned);
        let (status, said) = run_to_end(&binary("covey"), &args, &[]);
        assert_eq!(status.code(), Some(1), "{format}: {said}");
        said
    };
    assert!(said("json").contains("no sealed hour"), "on stderr");
    assert_eq!(said("plain"), "", "on stdout");
}
