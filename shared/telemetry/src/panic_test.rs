//! The panic hook, in a process of its own.

use std::process::Command;

use crate::{Telemetry, TelemetryOptions};

const CHILD: &str = "COVEY_TEST_PANIC_CHILD";

/// Panics when it runs as the child of the test below; alone it does nothing.
#[test]
fn child_that_panics() {
    if std::env::var_os(CHILD).is_some() {
        let telemetry = Telemetry::start(TelemetryOptions::new("covey-test", "1")).unwrap();
        telemetry.install_panic_hook("covey-test");
        let worker = std::thread::Builder::new().name("worker-7".into());
        let worker = worker.spawn(|| panic!("broken invariant 4711")).unwrap();
        // The hook ends the process before this returns.
        assert!(worker.join().is_ok());
    }
}

#[test]
fn a_panic_is_logged_with_its_backtrace_and_aborts_the_process() {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "panic::tests::child_that_panics", "--nocapture"])
        .env(CHILD, "1")
        .output()
        .unwrap();
    let stderr = String::from_utf8(child.stderr).unwrap();
    assert_eq!(child.status.code(), None, "ended by a signal, not by an exit: {stderr}");
    assert!(
        stderr.contains("ERROR") && stderr.contains("panic: broken invariant 4711"),
        "{stderr}"
    );
    assert!(
        stderr.contains("worker-7") && stderr.contains("panic_test.rs"),
        "{stderr}"
    );
}
