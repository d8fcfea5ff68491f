//! The production form passes the conformance suites.

use std::io::ErrorKind;

use super::*;

fn env() -> Env {
    Env::production(1).expect("the pool starts")
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime starts")
}

#[test]
fn production_clock_conforms() {
    conformance::clock(&env());
}

#[test]
fn production_entropy_conforms() {
    conformance::entropy(&env());
}

#[test]
fn production_disk_conforms() {
    let dir = tempfile::tempdir().unwrap();
    conformance::disk(&env(), &dir.path().join("data"));
}

#[test]
fn production_net_conforms() {
    runtime().block_on(conformance::net(&env(), "127.0.0.1:0", "127.0.0.1"));
}

#[test]
fn production_spawn_conforms() {
    runtime().block_on(conformance::spawn(&env()));
}

#[test]
fn a_data_directory_is_locked_for_one_process_until_released() {
    let dir = tempfile::tempdir().unwrap();
    let env = env();
    let lock = env.disk.lock_exclusive(dir.path()).unwrap();
    let refused = env.disk.lock_exclusive(dir.path()).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::WouldBlock);
    drop(lock);
    env.disk.lock_exclusive(dir.path()).unwrap();
}

#[test]
fn production_disk_knows_its_room_and_gives_descriptors_to_map() {
    let dir = tempfile::tempdir().unwrap();
    let env = env();
    let space = env.disk.space(dir.path()).unwrap().unwrap();
    assert!(space.free > 0 && space.free <= space.total);
    let file = env.disk.open(&dir.path().join("f"), OpenMode::CreateNew).unwrap();
    assert!(file.descriptor().is_some());
}

#[test]
fn a_worker_that_panics_is_reported_as_torn_down() {
    let worker = env()
        .spawn
        .worker("panics", Priority::Normal, Box::pin(async { panic!("on purpose") }))
        .unwrap();
    let joined = runtime().block_on(worker.join(std::time::Duration::from_secs(60)));
    assert!(matches!(joined, Err(WorkerError::TornDown { name }) if name == "panics"));
}

#[test]
fn as_many_files_may_be_open_as_the_system_allows() {
    let most = raise_open_files().unwrap();
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    assert_eq!((limit.current, limit.maximum), (most, most));
}

#[test]
fn the_reserve_of_a_disk_is_a_part_of_all_of_it_rounded_down() {
    let reserve = |total, ratio| DiskSpace { free: 7, total }.reserve(ratio);
    assert_eq!(
        [0.0, 0.05, 0.0555, 1.0].map(|ratio| reserve(1000, ratio)),
        [0, 50, 55, 1000]
    );
    assert_eq!(reserve(0, 0.05), 0);
    assert_eq!(reserve(u64::MAX, 1.2), u64::MAX, "no disk is that large");
}
