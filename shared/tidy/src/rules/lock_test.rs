//! Second versions.

use super::{duplicates, opentelemetry};
use crate::workspace::Workspace;

fn lock(crates: &[(&str, &str)]) -> String {
    crates
        .iter()
        .map(|(name, version)| format!("[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n\n"))
        .collect()
}

#[test]
fn a_second_opentelemetry_is_found() {
    let good = lock(&[
        ("opentelemetry", "0.32.0"),
        ("opentelemetry_sdk", "0.32.1"),
        ("tracing-opentelemetry", "0.33.0"),
    ]);
    assert!(opentelemetry(&Workspace::of([("Cargo.lock", good.as_str())])).is_empty());
    let bad = lock(&[("opentelemetry", "0.31.0"), ("opentelemetry", "0.32.0")]);
    let found = opentelemetry(&Workspace::of([("Cargo.lock", bad.as_str())]));
    assert!(
        found[0]
            .to_string()
            .starts_with("Cargo.lock:7: opentelemetry 0.31.0 and 0.32.0: traces would not join"),
        "{found:?}"
    );
    let odd = lock(&[("opentelemetry", "0.32.0"), ("opentelemetry_sdk", "0.31.1")]);
    assert_eq!(opentelemetry(&Workspace::of([("Cargo.lock", odd.as_str())])).len(), 1);
}

#[test]
fn a_duplicate_needs_an_entry_with_a_reason() {
    let lock = lock(&[("a", "1.0.0"), ("a", "2.0.0"), ("b", "1.0.0")]);
    let with = |deny: &str| duplicates(&Workspace::of([("Cargo.lock", lock.as_str()), ("deny.toml", deny)]));
    assert!(
        with("[bans]\nskip = []\n")[0]
            .message
            .starts_with("a 1.0.0, 2.0.0: unify them")
    );
    assert!(with("[bans]\nskip = [{ crate = \"a@1.0.0\", reason = \"old x\" }]\n").is_empty());
    assert_eq!(
        with("[bans]\nskip = [\n{ crate = \"a@1.0.0\" }]\n")[0].to_string(),
        "deny.toml:3: a@1.0.0 has no reason"
    );
}
