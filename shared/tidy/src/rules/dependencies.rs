//! Which crate may know which.

use std::collections::{BTreeMap, BTreeSet};

use toml::{Table, Value};

use crate::scan::find_word;
use crate::workspace::{Finding, Workspace, finding};

/// A crate that may only be known to these crates, and why.
type Home = (&'static str, &'static [&'static str], &'static str);

const HOMES: [Home; 15] = [
    (
        "actix",
        &["covey-node", "covey-coordinator", "covey-sim", "covey-ctl"],
        "actors are the shell of the two processes",
    ),
    (
        "actix-rt",
        &["covey-node", "covey-coordinator", "covey-sim", "covey-ctl"],
        "actors are the shell of the two processes",
    ),
    ("actix-web", &["covey-coordinator"], "JSON is spoken at the edge only"),
    ("raft", &["covey-node"], "Raft is driven by the node alone"),
    (
        "protobuf",
        &["covey-node"],
        "protobuf 2 stays behind Raft: it must not parse what came from outside",
    ),
    ("fjall", &["covey-store"], "the LSM stays behind the KvStore trait"),
    ("memmap2", &["covey-store"], "memory maps stay behind the RowFile trait"),
    (
        "libc",
        &["covey-store"],
        "only the fault handler of memory maps needs it; rustix is safe",
    ),
    (
        "parquet",
        &["covey-eventlog"],
        "files of the event log are made and read in one place",
    ),
    ("faiss-sys", &["covey-ann"], "faiss stays behind the AnnIndex trait"),
    ("tarpc", &["covey-rpc"], "calls inside the cluster go through covey-rpc"),
    (
        "turmoil",
        &["covey-sim"],
        "the simulator is a form of Env; nobody else knows it",
    ),
    (
        "anyhow",
        &["covey-node", "covey-coordinator", "covey-ctl", "covey-sim"],
        "only programs; libraries have typed errors",
    ),
    (
        "covey-node",
        &["covey-sim", "covey-ctl"],
        "a node is a program; others meet it on the wire",
    ),
    (
        "covey-coordinator",
        &["covey-sim", "covey-ctl"],
        "a coordinator is a program; others meet it on the wire",
    ),
];

/// Crate, what it must not know (directly or through our other crates), and why.
const WALLS: [(&str, &[&str], &str); 5] = [
    (
        "covey-shared",
        &["actix", "actix-rt", "tokio", "covey-env", "covey-config", "covey-rpc"],
        "shared is plain data: no actors, no runtime, no disk",
    ),
    (
        "covey-node",
        &["covey-coordinator"],
        "node and coordinator meet in shared's wire types",
    ),
    (
        "covey-coordinator",
        &["covey-node"],
        "node and coordinator meet in shared's wire types",
    ),
    (
        "covey-pipeline",
        &["actix", "tonic", "tarpc", "covey-rpc", "covey-shared"],
        "the pipeline framework does no I/O and knows no feed",
    ),
    (
        "covey-shard",
        &["actix", "raft", "tonic", "covey-rpc"],
        "what a replica does with an entry is a pure function",
    ),
];

struct Crate {
    name: String,
    manifest: String,
    /// Normal and build dependencies.
    uses: BTreeSet<String>,
}

fn dependency_names(manifest: &Table, section: &str) -> BTreeSet<String> {
    let table = manifest.get(section).and_then(Value::as_table);
    table.map(|table| table.keys().cloned().collect()).unwrap_or_default()
}

fn crates(workspace: &Workspace) -> Vec<Crate> {
    let mut out = Vec::new();
    for (dir, text) in workspace.manifests() {
        let Ok(manifest) = text.parse::<Table>() else { continue };
        let name = manifest
            .get("package")
            .and_then(|package| package.get("name"))
            .and_then(Value::as_str);
        let Some(name) = name else { continue };
        let mut uses = dependency_names(&manifest, "dependencies");
        uses.extend(dependency_names(&manifest, "build-dependencies"));
        out.push(Crate {
            name: name.to_owned(),
            manifest: format!("{dir}/Cargo.toml"),
            uses,
        });
    }
    out
}

/// Everything a crate knows, directly or through our other crates.
fn reach(name: &str, crates: &BTreeMap<&str, &Crate>, seen: &mut BTreeSet<String>) {
    for used in crates.get(name).into_iter().flat_map(|c| &c.uses) {
        if seen.insert(used.clone()) {
            reach(used, crates, seen);
        }
    }
}

/// Dependencies point one way: shared ← seams ← stores ← node, and node never meets coordinator.
pub fn directions(workspace: &Workspace) -> Vec<Finding> {
    let crates = crates(workspace);
    let by_name: BTreeMap<_, _> = crates.iter().map(|c| (c.name.as_str(), c)).collect();
    let mut out = Vec::new();
    for c in &crates {
        let at = |used: &str| line_with(workspace, &c.manifest, used);
        for (used, homes, why) in HOMES
            .iter()
            .filter(|(used, homes, _)| c.uses.contains(*used) && !homes.contains(&c.name.as_str()))
        {
            out.push(finding(
                &c.manifest,
                at(used),
                format!("only {} may use {used}: {why}", homes.join(", ")),
            ));
        }
        let mut known = BTreeSet::new();
        reach(&c.name, &by_name, &mut known);
        for (_, walls, why) in WALLS.iter().filter(|(name, ..)| *name == c.name) {
            for used in walls.iter().filter(|used| known.contains(**used)) {
                out.push(finding(
                    &c.manifest,
                    at(used),
                    format!("{} must not know {used}: {why}", c.name),
                ));
            }
        }
    }
    out
}

fn line_with(workspace: &Workspace, path: &str, dependency: &str) -> usize {
    let text = workspace.other.get(path).map(String::as_str).unwrap_or_default();
    1 + text
        .lines()
        .position(|line| line.split(['.', ' ', '=']).next() == Some(dependency))
        .unwrap_or(0)
}

/// Every foreign crate in the workspace's list has a comment behind it: why it is there.
pub fn reasons(workspace: &Workspace) -> Vec<Finding> {
    let text = workspace
        .other
        .get("Cargo.toml")
        .map(String::as_str)
        .unwrap_or_default();
    let mut inside = false;
    let mut out = Vec::new();
    for (i, line) in text.lines().enumerate() {
        if line.starts_with('[') {
            inside = line == "[workspace.dependencies]";
        }
        let ours = line.contains("path = ");
        if inside && line.contains(" = ") && !line.starts_with('#') && !ours && !line.contains(" # ") {
            let name = line.split(' ').next().unwrap_or_default();
            out.push(finding(
                "Cargo.toml",
                i + 1,
                format!("{name} has no comment: say behind it why it is there"),
            ));
        }
    }
    out
}

/// Used only by generated code or by a macro, which the scanner does not see.
const USED_UNSEEN: [(&str, &str, &str); 4] = [
    ("covey-api", "*", "the generated code uses them"),
    ("covey-ann", "faiss-sys", "linked by the shim"),
    ("*", "serde", "often only behind a derive of another crate's macro"),
    ("covey-rpc", "tokio-serde", "named by tarpc's transport types"),
];

/// A crate lists what it uses and nothing else, all by the workspace's version.
pub fn used(workspace: &Workspace) -> Vec<Finding> {
    let mut out = Vec::new();
    for c in crates(workspace) {
        let dir = c.manifest.trim_end_matches("Cargo.toml").to_owned();
        let text = &workspace.other[&c.manifest];
        let Ok(manifest) = text.parse::<Table>() else { continue };
        for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let table = manifest.get(section).and_then(Value::as_table).into_iter().flatten();
            for (name, spec) in table {
                let line = line_with(workspace, &c.manifest, name);
                if spec.get("workspace").and_then(Value::as_bool) != Some(true) {
                    out.push(finding(
                        &c.manifest,
                        line,
                        format!("{name}: write the version in the workspace's Cargo.toml and `workspace = true` here"),
                    ));
                }
                let unseen = USED_UNSEEN
                    .iter()
                    .any(|(who, what, _)| (*who == "*" || *who == c.name) && (*what == "*" || what == name));
                if !unseen && !mentions(workspace, &dir, name) {
                    out.push(finding(
                        &c.manifest,
                        line,
                        format!("{name} is not used in {dir}: remove it"),
                    ));
                }
            }
        }
    }
    out
}

/// Whether code under the folder, outside other crates in it, names the crate.
fn mentions(workspace: &Workspace, dir: &str, name: &str) -> bool {
    let word = name.replace('-', "_");
    let nested: Vec<_> = workspace
        .manifests()
        .map(|(d, _)| format!("{d}/"))
        .filter(|d| d.starts_with(dir) && d != dir)
        .collect();
    let own = workspace
        .rust
        .iter()
        .filter(|(path, _)| path.starts_with(dir) && !nested.iter().any(|d| path.starts_with(d.as_str())));
    own.into_iter()
        .any(|(_, source)| find_word(&source.code, &word).next().is_some())
}

/// No profile aborts on panic: the hook of each program logs and flushes first, the simulator's hook fails the seed.
pub fn panics(workspace: &Workspace) -> Vec<Finding> {
    let manifests = workspace
        .other
        .iter()
        .filter(|(path, _)| path.ends_with("Cargo.toml") || path.ends_with(".cargo/config.toml"));
    let mut out = Vec::new();
    for (path, text) in manifests {
        let lines = text
            .lines()
            .enumerate()
            .filter(|(_, line)| line.replace(' ', "").starts_with("panic=\"abort\""));
        out.extend(lines.map(|(i, _)| {
            finding(
                path,
                i + 1,
                "remove it: the panic hook aborts, after it has logged and flushed",
            )
        }));
    }
    out
}

#[cfg(test)]
#[path = "dependencies_test.rs"]
mod tests;
