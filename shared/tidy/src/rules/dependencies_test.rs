//! Walls between crates, reasons, unused ones.

use super::{directions, panics, reasons, used};
use crate::workspace::Workspace;

fn manifest(name: &str, dependencies: &[&str]) -> String {
    let lines: String = dependencies.iter().map(|d| format!("{d}.workspace = true\n")).collect();
    format!("[package]\nname = \"{name}\"\n[dependencies]\n{lines}")
}

#[test]
fn a_crate_that_knows_too_much_is_found() {
    let shared = manifest("covey-shared", &["bytes", "tokio"]);
    let found = directions(&Workspace::of([("shared/Cargo.toml", shared.as_str())]));
    assert_eq!(found.len(), 1);
    assert!(
        found[0]
            .to_string()
            .starts_with("shared/Cargo.toml:5: covey-shared must not know tokio: "),
        "{}",
        found[0]
    );
    let store = manifest("covey-shard", &["fjall"]);
    assert!(
        directions(&Workspace::of([("node/shard/Cargo.toml", store.as_str())]))[0]
            .message
            .starts_with("only covey-store may use fjall")
    );
}

#[test]
fn a_detour_over_another_crate_is_found() {
    let (node, middle) = (
        manifest("covey-node", &["covey-middle"]),
        manifest("covey-middle", &["covey-coordinator"]),
    );
    let found = directions(&Workspace::of([
        ("node/Cargo.toml", node.as_str()),
        ("middle/Cargo.toml", &middle),
    ]));
    assert!(
        found
            .iter()
            .any(|f| f.message.starts_with("covey-node must not know covey-coordinator")),
        "{found:?}"
    );
}

#[test]
fn a_dependency_without_a_reason_is_found() {
    let text = "[workspace.dependencies]\n# --- ours\ncovey-a = { path = \"a\" }\ngood = \"1\" # why\nbad = \"1\"\n[profile.dev]\nx = 1\n";
    let found = reasons(&Workspace::of([("Cargo.toml", text)]));
    assert_eq!(
        found.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["Cargo.toml:5: bad has no comment: say behind it why it is there"]
    );
}

#[test]
fn an_unused_or_privately_versioned_dependency_is_found() {
    let text =
        "[package]\nname = \"a\"\n[dependencies]\nfoo-bar.workspace = true\ngone.workspace = true\nown = \"1\"\n";
    let code = "//! a\nuse foo_bar::x; // gone\nfn f() { own::g(); }";
    let found = used(&Workspace::of([("a/Cargo.toml", text), ("a/src/lib.rs", code)]));
    let messages: Vec<_> = found
        .iter()
        .map(|f| (f.line, f.message.split(' ').take(3).collect::<Vec<_>>().join(" ")))
        .collect();
    assert_eq!(
        messages,
        [(5, "gone is not".to_owned()), (6, "own: write the".to_owned())]
    );
}

#[test]
fn a_nested_crate_does_not_speak_for_its_parent() {
    let (outer, inner) = (manifest("outer", &["foo"]), manifest("inner", &["foo"]));
    let files = [
        ("a/Cargo.toml", outer.as_str()),
        ("a/b/Cargo.toml", &inner),
        ("a/b/src/lib.rs", "use foo::x;"),
    ];
    assert_eq!(
        used(&Workspace::of(files))
            .iter()
            .map(|f| f.path.as_str())
            .collect::<Vec<_>>(),
        ["a/Cargo.toml"]
    );
}

#[test]
fn abort_on_panic_is_found() {
    let found = panics(&Workspace::of([("Cargo.toml", "[profile.dev]\npanic = \"abort\"\n")]));
    assert_eq!(found.len(), 1);
}
