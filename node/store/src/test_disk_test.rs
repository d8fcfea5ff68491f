//! The disk of the tests keeps the promises of a real one, and loses what a real one may lose.

use super::*;

#[test]
fn the_test_disk_conforms() {
    let disk = TestDisk::new();
    let env = covey_env::Env {
        disk: disk.shared(),
        ..covey_env::Env::production(1).unwrap()
    };
    disk.create_dir_all(Path::new("/conformance")).unwrap();
    covey_env::conformance::disk(&env, Path::new("/conformance/dir"));
}

#[test]
fn a_power_loss_takes_what_was_not_synced() {
    let disk = TestDisk::new();
    disk.create_dir_all(Path::new("/d")).unwrap();
    for name in ["/d/kept", "/d/lost"] {
        let file = disk.open(Path::new(name), OpenMode::CreateNew).unwrap();
        file.write_at(b"synced", 0).unwrap();
        file.sync_data().unwrap();
        file.write_at(b"SYNCED too", 0).unwrap();
        if name == "/d/kept" {
            disk.sync_dir(Path::new("/d")).unwrap();
        }
    }
    let lost = disk.after_power_loss(|| false);
    assert!(!lost.exists(Path::new("/d/lost")).unwrap());
    assert_eq!(
        (&lost as &dyn Disk).read_file(Path::new("/d/kept"), 99).unwrap(),
        b"synced"
    );
    let lucky = disk.after_power_loss(|| true);
    assert_eq!(
        (&lucky as &dyn Disk).read_file(Path::new("/d/kept"), 99).unwrap(),
        b"SYNCED too"
    );
}
