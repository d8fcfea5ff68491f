//! The rules, applied to this repository.

use std::process::Command;

use crate::rules::{ALL, licences};
use crate::workspace::{Finding, Workspace};

#[test]
fn the_repository_keeps_the_house_rules() {
    let workspace = Workspace::tracked();
    assert!(
        workspace.rust.len() > 20,
        "only {} Rust files: git does not list them",
        workspace.rust.len()
    );
    let mut report = String::new();
    for (rule, check) in ALL {
        let mut findings = check(&workspace);
        findings.sort();
        report.push_str(&section(rule, &findings));
    }
    assert!(report.is_empty(), "\n{report}");
}

#[test]
fn every_licence_is_allowed() {
    let root = Workspace::root();
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .args([
            "metadata",
            "--format-version",
            "1",
            "--filter-platform",
            "x86_64-unknown-linux-gnu",
        ])
        .current_dir(&root);
    let output = cargo.output().expect("cargo runs: it started this test");
    assert!(
        output.status.success(),
        "cargo metadata: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata = serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON");
    let deny = std::fs::read_to_string(root.join("deny.toml")).expect("deny.toml is in the repository");
    let report = section(
        "licences are in deny.toml's list",
        &licences::licences(&metadata, &deny),
    );
    assert!(report.is_empty(), "\n{report}");
}

fn section(rule: &str, findings: &[Finding]) -> String {
    if findings.is_empty() {
        return String::new();
    }
    let lines: String = findings.iter().map(|finding| format!("  {finding}\n")).collect();
    format!("{rule}:\n{lines}")
}
