//! The configuration as text: the shipped file, and `config show`.

use crate::config::{Config, NODE_DOC};
use crate::section::{KeySpec, SectionSpec};
use crate::sections::rules::RULE_DOC;

const HEAD: &str = "\
# The configuration of a whole Covey cluster: the same file on every machine.
#
# Every key is here, with its unit, its range and its default; a key that is left out has its default. An unknown key is
# an error. COVEY__SECTION__KEY=value in the environment wins over the file (COVEY__RAFT__TICK=200ms, COVEY__NODE__1__LISTEN=…).
# What is marked hot changes on all coordinators while they serve, and wins over both: `covey config set feed.oon_factor=0.5`.
# `covey config check` reports everything that is wrong, at once. This text is generated from the declarations in
# shared/config/src/sections: `cargo run -p covey-config --example cluster_toml > cluster.toml`.
";

impl Config {
    /// The file with every key and its comment. Secrets are hidden.
    pub fn to_toml(&self) -> String {
        let mut text = HEAD.to_owned();
        for section in self.sections() {
            text.push_str(&section_text(&section));
            if section.path == "cluster" {
                text.push('\n');
                text.extend(NODE_DOC.map(|line| format!("#{line}\n")));
                let nodes: Vec<_> = self.nodes.iter().map(|node| node.to_toml()).collect();
                text.push_str(&nodes.join("\n"));
            }
            if section.path == "feed.weights" {
                text.push('\n');
                text.extend(RULE_DOC.map(|line| format!("#{line}\n")));
                text.push_str(&self.rules_text());
            }
        }
        text
    }

    /// The sections whose keys can be set while the cluster runs.
    pub(crate) fn hot_text(&self) -> String {
        let mut sections = Vec::new();
        self.feed.describe(&mut sections);
        sections.iter().map(section_text).chain([self.rules_text()]).collect()
    }

    fn rules_text(&self) -> String {
        let rules = self.feed.rules.0.iter();
        rules.map(|rule| format!("\n{}", rule.to_toml())).collect()
    }

    /// Only what differs from the defaults, and every rule, one `path = value  (default …)` per line. Secrets are hidden.
    pub fn changes(&self) -> String {
        let changed = self.keys().into_iter().filter(|key| key.value != key.default);
        let keys = changed.map(|key| format!("{} = {}  (default {})\n", key.path, key.value, key.default));
        let rules = self.feed.rules.0.iter();
        let rules = rules.map(|rule| format!("[[feed.rule]] {}\n", rule.lines().join(", ")));
        keys.chain(rules).collect()
    }

    /// What `config check` says about a good file.
    pub fn summary(&self) -> String {
        let zones: std::collections::BTreeSet<_> = self.nodes.iter().map(|node| &node.zone).collect();
        let (cluster, nodes) = (&self.cluster, self.nodes.len());
        let mut text = format!(
            "cluster {:?}: {} shards × {} replicas on {nodes} nodes in {} zones; HTTP {}, gRPC {}\n",
            cluster.name,
            cluster.shards,
            cluster.replication,
            zones.len(),
            self.coordinator.http_listen,
            self.coordinator.grpc_listen,
        );
        let changes = self.changes();
        if changes.is_empty() {
            text.push_str("every key has its default\n");
        } else {
            text.push_str("changed from the defaults:\n");
            text.extend(changes.lines().map(|line| format!("  {line}\n")));
        }
        text
    }
}

fn section_text(section: &SectionSpec) -> String {
    let mut text = String::from("\n");
    text.extend(section.doc.iter().map(|line| format!("#{line}\n")));
    text.push_str(&format!("[{}]\n", section.path));
    let keys: Vec<_> = section.keys.iter().map(key_text).collect();
    text.push_str(&keys.join("\n"));
    text
}

fn key_text(key: &KeySpec) -> String {
    let mut text: String = key.doc.iter().map(|line| format!("#{line}\n")).collect();
    let range = key
        .range
        .as_ref()
        .map(|range| format!(" · {range}"))
        .unwrap_or_default();
    let default = match key.default.trim_matches('"') {
        "" => "none",
        default => default,
    };
    let hot = if key.hot { " · hot" } else { "" };
    text.push_str(&format!("# {}{range} · default {default}{hot}\n", key.unit));
    text.push_str(&format!("{} = {}\n", key.name, key.value));
    text
}
