//! What Cargo.lock must look like.

use std::collections::{BTreeMap, BTreeSet};

use toml::{Table, Value};

use crate::workspace::{Finding, Workspace, finding};

/// Versions by crate, each with its line.
fn locked(workspace: &Workspace) -> BTreeMap<String, BTreeMap<String, usize>> {
    let text = workspace
        .other
        .get("Cargo.lock")
        .map(String::as_str)
        .unwrap_or_default();
    let mut out: BTreeMap<String, BTreeMap<String, usize>> = BTreeMap::new();
    let mut name = String::new();
    for (i, line) in text.lines().enumerate() {
        if let Some(value) = line.strip_prefix("name = ") {
            name = value.trim_matches('"').to_owned();
        } else if let Some(value) = line.strip_prefix("version = ").filter(|_| !name.is_empty()) {
            out.entry(std::mem::take(&mut name))
                .or_default()
                .insert(value.trim_matches('"').to_owned(), i + 1);
        }
    }
    out
}

/// Two versions of OpenTelemetry compile, and traces silently don't join.
pub fn opentelemetry(workspace: &Workspace) -> Vec<Finding> {
    let mut out = Vec::new();
    let minor = |version: &str| version.split('.').take(2).collect::<Vec<_>>().join(".");
    let crates = locked(workspace);
    let family: Vec<_> = crates
        .iter()
        .filter(|(name, _)| name.starts_with("opentelemetry") || *name == "tracing-opentelemetry")
        .collect();
    let wanted = family
        .iter()
        .find(|(name, _)| *name == "opentelemetry")
        .and_then(|(_, v)| v.keys().next())
        .map(|v| minor(v));
    for (name, versions) in family {
        let line = versions.values().copied().max().unwrap_or(1);
        if versions.len() > 1 {
            let list = versions.keys().cloned().collect::<Vec<_>>().join(" and ");
            out.push(finding(
                "Cargo.lock",
                line,
                format!("{name} {list}: traces would not join; find the second with `cargo tree -d`"),
            ));
        }
        let odd = name != "tracing-opentelemetry" && versions.keys().any(|version| Some(minor(version)) != wanted);
        if odd && versions.len() == 1 {
            out.push(finding(
                "Cargo.lock",
                line,
                format!("{name} is not of the same minor version as opentelemetry"),
            ));
        }
    }
    out
}

/// A second version of a crate costs compile time and confuses types: each has a reason in deny.toml, or goes.
pub fn duplicates(workspace: &Workspace) -> Vec<Finding> {
    let text = workspace.other.get("deny.toml").map(String::as_str).unwrap_or_default();
    let deny: Table = match text.parse() {
        Ok(deny) => deny,
        Err(why) => return vec![finding("deny.toml", 1, format!("cannot be read: {why}"))],
    };
    let mut out = Vec::new();
    let mut skipped: BTreeSet<String> = BTreeSet::new();
    let skip = deny
        .get("bans")
        .and_then(|bans| bans.get("skip"))
        .and_then(Value::as_array);
    for entry in skip.into_iter().flatten() {
        let field = |name| entry.get(name).and_then(Value::as_str).unwrap_or_default();
        let line = 1 + text
            .lines()
            .position(|line| line.contains(&format!("\"{}\"", field("crate"))))
            .unwrap_or(0);
        if field("reason").is_empty() {
            out.push(finding("deny.toml", line, format!("{} has no reason", field("crate"))));
        }
        skipped.insert(field("crate").to_owned());
    }
    for (name, versions) in locked(workspace).iter().filter(|(_, versions)| versions.len() > 1) {
        let unlisted: Vec<_> = versions
            .iter()
            .filter(|(version, _)| !skipped.contains(&format!("{name}@{version}")))
            .collect();
        if unlisted.len() > 1 {
            let list = unlisted
                .iter()
                .map(|(version, _)| version.as_str())
                .collect::<Vec<_>>()
                .join(", ");
            let line = unlisted.iter().map(|(_, line)| **line).max().unwrap_or(1);
            let message =
                format!("{name} {list}: unify them, or list all but one in deny.toml with a reason (`cargo tree -d`)");
            out.push(finding("Cargo.lock", line, message));
        }
    }
    out
}

#[cfg(test)]
#[path = "lock_test.rs"]
mod tests;
