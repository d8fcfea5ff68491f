//! Each ban fires, and only where it should.

use super::{seams, unbounded, unfinished, unsafe_code};
use crate::rules::Rule;
use crate::workspace::Workspace;

fn count(rule: Rule, path: &str, text: &str) -> usize {
    rule(&Workspace::of([(path, text)])).len()
}

#[test]
fn the_world_is_reached_through_env_alone() {
    for text in [
        "fn f() { std::fs::read(p); }",
        "use std::fs;",
        "use std::{io, fs::File};",
        "use tokio::{fs, net::TcpStream};",
        "fn f() { Instant::now(); }",
        "fn f() { std::time::SystemTime::now(); }",
        "fn f() { std::thread::spawn(g); }",
        "fn f() { tokio::task::spawn_blocking(g); }",
        "fn f() { rand::rng(); }",
        "use std::net::{IpAddr, TcpListener};",
    ] {
        assert!(count(seams, "node/src/a.rs", text) > 0, "{text}");
        assert_eq!(count(seams, "shared/env/src/production/a.rs", text), 0, "{text}");
    }
    for text in [
        "// std::fs",
        "fn f() { \"std::fs\"; }",
        "use std::net::IpAddr;",
        "fn f() { env.clock().now(); }",
    ] {
        assert_eq!(count(seams, "node/src/a.rs", text), 0, "{text}");
    }
}

#[test]
fn an_exception_covers_its_group_alone() {
    let text = "fn f() { std::fs::read(p); Instant::now(); }";
    assert_eq!(count(seams, "shared/config/src/load.rs", text), 1);
}

#[test]
fn a_finding_says_what_to_do_instead() {
    let found = seams(&Workspace::of([("node/src/a.rs", "\nuse std::fs;")]));
    assert_eq!(
        found[0].to_string(),
        "node/src/a.rs:2: `std::fs` is banned: use the disk of Env"
    );
}

#[test]
fn queues_without_a_bound_are_found() {
    for text in [
        "use tokio::sync::mpsc::unbounded_channel;",
        "fn f() { addr.do_send(m); }",
        "fn f() { std::sync::mpsc::channel(); }",
        "fn f() { mpsc::channel(); }",
        "fn f(tx: UnboundedSender<u8>) {}",
    ] {
        assert!(count(unbounded, "a.rs", text) > 0, "{text}");
    }
    assert_eq!(
        count(
            unbounded,
            "a.rs",
            "fn f() { mpsc::channel(16); sync_channel(4); addr.try_send(m); }"
        ),
        0
    );
}

#[test]
fn unsafe_code_has_two_homes_and_a_note() {
    let (bare, noted) = (
        "fn f() { unsafe { g() } }",
        "fn f() {\n    // SAFETY: g has no conditions.\n    unsafe { g() }\n}",
    );
    assert_eq!(count(unsafe_code, "node/src/a.rs", noted), 1);
    assert_eq!(count(unsafe_code, "node/ann/src/faiss/ffi.rs", bare), 1);
    assert_eq!(count(unsafe_code, "node/ann/src/faiss/ffi.rs", noted), 0);
    assert_eq!(count(unsafe_code, "a.rs", "#![forbid(unsafe_code)] // unsafe"), 0);
}

#[test]
fn half_done_things_are_found() {
    for text in [
        "fn f() { todo!() }",
        "fn f() { dbg!(x); }",
        "#[ignore]\nfn f() {}",
        "#[allow(dead_code)]\nfn f() {}",
        "static mut X: u8 = 0;",
    ] {
        assert_eq!(count(unfinished, "a.rs", text), 1, "{text}");
    }
}
