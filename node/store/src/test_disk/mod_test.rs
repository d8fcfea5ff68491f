//! The disk of the tests keeps the promises of a real one, and loses what a real one may lose.

use covey_env::OpenMode;

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

#[test]
fn a_planned_fault_strikes_the_first_operation_that_fits() {
    let disk = TestDisk::new();
    let file = disk.open(Path::new("/f"), OpenMode::CreateNew).unwrap();
    disk.plan([
        (1, Fault::FlippedRead),
        (3, Fault::Full { more: 1 }),
        (4, Fault::Error),
        (5, Fault::PowerLoss),
    ]);
    file.write_at(b"ab", 0).unwrap();
    let mut read = [0; 2];
    file.read_at(&mut read, 0).unwrap();
    let wrong = (u16::from_le_bytes(read) ^ u16::from_le_bytes(*b"ab")).count_ones();
    assert_eq!(wrong, 1);
    assert_eq!(
        file.write_at(b"c", 2).unwrap_err().kind(),
        std::io::ErrorKind::StorageFull
    );
    assert_eq!(file.set_len(9).unwrap_err().kind(), std::io::ErrorKind::StorageFull);
    file.sync_data().unwrap_err();
    assert!(!disk.is_off());
    file.write_at(b"d", 2).unwrap_err();
    assert!(disk.is_off());
    disk.exists(Path::new("/f")).unwrap_err();
    let struck: Vec<(u64, Fault)> = disk.happened().iter().map(|h| (h.operation, h.fault)).collect();
    let full = Fault::Full { more: 1 };
    assert_eq!(
        struck,
        [
            (2, Fault::FlippedRead),
            (3, full),
            (5, Fault::Error),
            (6, Fault::PowerLoss)
        ]
    );
    disk.plan([]);
    file.read_at(&mut read, 0).unwrap();
    assert_eq!(&read, b"ab");
}

#[test]
fn what_a_failed_sync_lost_stays_lost_though_programs_see_it() {
    let disk = TestDisk::new();
    let path = Path::new("/f");
    let file = disk.open(path, OpenMode::CreateNew).unwrap();
    disk.sync_dir(Path::new("/")).unwrap();
    let content = vec![7; 64 * 512];
    file.write_at(&content, 0).unwrap();
    disk.plan([(1, Fault::Error)]);
    file.sync_data().unwrap_err();
    file.write_at(b"end", 64 * 512).unwrap();
    file.sync_data().unwrap();
    let disk: &dyn Disk = &disk.after_power_loss(|| true);
    let survived = disk.read_file(path, 1 << 20).unwrap();
    assert!(survived.ends_with(b"end"));
    assert_ne!(survived[..content.len()], content);
    assert!(survived.contains(&7));
}

#[test]
fn names_are_lost_one_by_one_until_their_directory_is_synced() {
    let disk = TestDisk::new();
    let (old, new, gone) = (Path::new("/old"), Path::new("/new"), Path::new("/gone"));
    for path in [old, gone] {
        disk.open(path, OpenMode::CreateNew).unwrap();
    }
    disk.sync_dir(Path::new("/")).unwrap();
    disk.rename_unsynced(old, new).unwrap();
    disk.remove_file(gone).unwrap();
    let mut outcomes = std::collections::BTreeSet::new();
    for choice in 0..4 {
        let mut bits = choice;
        let disk = disk.after_power_loss(|| {
            bits += bits;
            bits & 4 > 0
        });
        let there = [old, new, gone].map(|path| disk.exists(path).unwrap());
        assert_ne!(there[0], there[1], "a rename happens or not");
        outcomes.insert(there);
    }
    assert_eq!(outcomes.len(), 4);
    disk.sync_dir(Path::new("/")).unwrap();
    let disk = disk.after_power_loss(|| false);
    assert_eq!(
        [old, new, gone].map(|path| disk.exists(path).unwrap()),
        [false, true, false]
    );
}

#[test]
fn a_directory_whose_maker_was_killed_is_there_for_good_once_it_was_asked_for_again() {
    for operation in 1..6 {
        let disk = TestDisk::new();
        disk.plan([(operation, Fault::Kill)]);
        let made = disk.create_dir_all(Path::new("/a/b"));
        disk.plan([]);
        disk.create_dir_all(Path::new("/a/b")).unwrap();
        let disk = disk.after_power_loss(|| false);
        assert!(
            disk.exists(Path::new("/a/b")).unwrap(),
            "operation {operation}, {made:?}"
        );
    }
}
