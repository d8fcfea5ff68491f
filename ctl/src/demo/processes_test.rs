//! Nothing that was started survives.

use std::os::unix::process::ExitStatusExt;

use super::*;

fn alive(pid: u32) -> bool {
    Path::new(&format!("/proc/{pid}/exe")).read_link().is_ok()
}

fn shell(processes: &mut Processes, name: &str, dir: &Path, script: &str) {
    let log = dir.join(format!("{name}.log"));
    let args = ["-c".to_owned(), script.to_owned()];
    processes.start(name, Path::new("/bin/sh"), &args, &log).unwrap();
}

#[tokio::test]
async fn all_have_ended_after_stop() {
    let dir = tempfile::tempdir().unwrap();
    let mut processes = Processes::new().await;
    for name in ["node 1", "node 2", "coordinator"] {
        shell(&mut processes, name, dir.path(), "exec sleep 600");
    }
    let roll = processes.roll();
    assert_eq!(roll.len(), 3);
    processes.stop().await;
    assert!(roll.iter().all(|(_, pid)| !alive(*pid)));
}

#[tokio::test]
async fn one_that_stands_still_ends_by_itself() {
    let dir = tempfile::tempdir().unwrap();
    let mut processes = Processes::new().await;
    shell(&mut processes, "node 1", dir.path(), "exec sleep 600");
    processes.signal("node 1", Signal::STOP).unwrap();
    // Until it does, it could still hear SIGTERM.
    let stat = format!("/proc/{}/stat", processes.roll()[0].1);
    while !std::fs::read_to_string(&stat).unwrap().contains(") T ") {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let end = processes.list.remove(0).stop().await.unwrap();
    assert_eq!(end.signal(), Some(Signal::TERM.as_raw()), "{end}");
}

#[tokio::test]
async fn coordinators_end_before_any_node_is_told_to_whoever_was_started_last() {
    let dir = tempfile::tempdir().unwrap();
    let mut processes = Processes::new().await;
    let names = ["node 2", "coordinator", "coordinator 2", "node 1"];
    for name in names {
        let script =
            format!("trap 'echo \"{name}\" >> ends; exit' TERM; echo > \"{name}.up\"; while :; do sleep 0.02; done");
        let script = format!("cd '{}' && {script}", dir.path().display());
        shell(&mut processes, name, dir.path(), &script);
    }
    while names.iter().any(|name| !dir.path().join(format!("{name}.up")).exists()) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    processes.stop().await;
    let ends = std::fs::read_to_string(dir.path().join("ends")).unwrap();
    let mut ends: Vec<&str> = ends.lines().collect();
    ends[..2].sort_unstable();
    ends[2..].sort_unstable();
    assert_eq!(ends, ["coordinator", "coordinator 2", "node 1", "node 2"]);
}

#[tokio::test]
async fn one_that_ends_early_is_reported_once_with_its_log() {
    let dir = tempfile::tempdir().unwrap();
    let mut processes = Processes::new().await;
    shell(&mut processes, "node 1", dir.path(), "echo port in use >&2; exit 7");
    while processes.list[0].child.try_wait().unwrap().is_none() {
        tokio::task::yield_now().await;
    }
    let error = processes.all_alive().unwrap_err().to_string();
    assert!(
        error.contains("node 1 ended") && error.contains("7") && error.contains("port in use"),
        "{error}"
    );
    processes.all_alive().unwrap();
}

#[test]
fn a_missing_binary_is_named_with_what_to_do() {
    let error = sibling("covey-nothing").unwrap_err().to_string();
    assert!(
        error.contains("covey-nothing") && error.contains("./dev build"),
        "{error}"
    );
}
