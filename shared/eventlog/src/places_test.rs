//! Processes that share a directory leave each other's rows alone, and what somebody has left behind is found.

use std::path::Path;

use covey_env::Env;
use covey_store::test_disk::{Fault, TestDisk};

use super::{lock_existing, take};
use crate::counters::Counters;
use crate::files::Kind;
use crate::log::Settings;
use crate::look::{look, partitions};
use crate::rows::Batch;
use crate::rows::testing::{action, shown_action};
use crate::testing::*;
use crate::writer::Writer;

#[test]
fn what_others_have_left_is_sealed_and_what_they_still_use_is_not() {
    // The disk of tests locks nothing: what lies in a place is somebody's who has ended.
    let disk = TestDisk::new();
    let (mut first, ..) = writer(&disk);
    first.append(&batch(0, 2)).unwrap();
    first.tick().unwrap();
    drop(first);
    let frames = disk.files().pop().unwrap().0;
    let elsewhere = Path::new("/events/open/7");
    disk.shared().create_dir_all(elsewhere).unwrap();
    disk.shared()
        .rename(&frames, &elsewhere.join(frames.file_name().unwrap()))
        .unwrap();
    let (mut next, ..) = writer(&disk);
    next.tick().unwrap();
    assert_eq!(numbers(&disk), [0, 1]);
    assert_eq!(files(&disk, "open"), [""; 0]);
}

#[test]
fn a_place_that_cannot_be_used_is_passed_over_and_another_that_fails_costs_nothing() {
    let disk = TestDisk::new();
    let (mut first, ..) = writer(&disk);
    first.append(&batch(0, 2)).unwrap();
    first.tick().unwrap();
    drop(first);
    disk.plan([(1, Fault::Error)]);
    let (mut second, clock, _) = writer(&disk);
    assert_eq!(disk.happened().len(), 1, "the first place failed");
    let frames = disk.files().pop().unwrap().0;
    forge(&disk, &frames, 8, 9);
    clock.pass(1);
    second.append(&batch(7, 1)).unwrap();
    let error = second.close().unwrap_err();
    assert!(error.to_string().contains("stays where it is"), "{error}");
    assert_eq!(numbers(&disk), [7]);
    second.tick().unwrap();
}

#[test]
fn two_processes_have_a_place_each_and_seal_only_their_own_rows() {
    // A lock of the operating system belongs to the open file, so it keeps out the same process too.
    let dir = tempfile::tempdir().unwrap();
    let env = Env::production(1).unwrap();
    let open = || {
        let settings = Settings {
            dir: dir.path().to_owned(),
            min_free: 0.0,
            ..settings()
        };
        Writer::open(env.clone(), settings, Counters::default().into()).unwrap()
    };
    let rows = || {
        let hours = partitions(&*env.disk, dir.path(), Kind::Served).unwrap();
        let rows = hours.into_iter().flat_map(|hour| {
            let rows = look(&*env.disk, dir.path(), Kind::Served, hour, usize::MAX).unwrap();
            rows.iter()
                .map(|row| serde_json::to_value(row).unwrap())
                .collect::<Vec<_>>()
        });
        let mut numbers: Vec<u64> = rows.map(|row| row["asked_at"].as_u64().unwrap() - START).collect();
        numbers.sort_unstable();
        numbers
    };
    let (mut first, mut second) = (open(), open());
    for n in 0..3 {
        first.append(&batch(2 * n, 1)).unwrap();
        second.append(&batch(2 * n + 1, 1)).unwrap();
        first.tick().unwrap();
        second.tick().unwrap();
    }
    first.close().unwrap();
    assert_eq!(rows(), [0, 2, 4], "the other one is still writing");
    drop(second);
    first.append(&batch(6, 1)).unwrap();
    first.close().unwrap();
    assert_eq!(rows(), [0, 1, 2, 3, 4, 5, 6], "what it has left is sealed");
}

#[test]
fn a_place_belongs_to_whoever_has_its_lock() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Env::production(1).unwrap().disk;
    let places: Vec<_> = (0..16).map(|_| take(&*disk, dir.path()).unwrap()).collect();
    let error = take(&*disk, dir.path()).map(|place| place.path).unwrap_err();
    assert!(error.to_string().contains("its own event_log.dir"), "{error}");
    assert!(lock_existing(&*disk, &places[3].path).unwrap().is_none());
    let third = places[3].path.clone();
    drop(places);
    assert!(lock_existing(&*disk, &third).unwrap().is_some());
    assert!(lock_existing(&*disk, &dir.path().join("none")).unwrap().is_none());
}

#[test]
fn a_directory_that_is_removed_while_it_is_used_is_made_anew() {
    let disk = TestDisk::new();
    let (mut writer, clock, _) = writer(&disk);
    writer.append(&batch(0, 2)).unwrap();
    writer.tick().unwrap();
    disk.shared().remove_dir_all(Path::new(ROOT)).unwrap();
    writer.append(&batch(2, 1)).unwrap();
    writer.tick().unwrap();
    clock.pass(HOUR_MS);
    writer.append(&batch(3, 1)).unwrap();
    writer.close().unwrap();
    assert_eq!(numbers(&disk), [2, 3]);
    disk.shared().remove_dir_all(Path::new(ROOT)).unwrap();
    writer.append(&batch(4, 1)).unwrap();
    writer.close().unwrap();
    assert_eq!(numbers(&disk), [4], "also when nothing is open");
}

#[test]
fn a_file_that_is_removed_while_it_is_written_is_begun_anew() {
    let disk = TestDisk::new();
    let (mut writer, ..) = writer(&disk);
    writer.append(&batch(0, 2)).unwrap();
    writer.append(&Batch::Actions(vec![action(1)])).unwrap();
    writer.tick().unwrap();
    let open = files(&disk, "open");
    let served = open.iter().find(|path| path.contains("served")).unwrap();
    assert!(served.ends_with(".frames") && open.len() == 2, "{open:?}");
    // The directory stays, and the other file too.
    disk.shared().remove_file(&Path::new(ROOT).join(served)).unwrap();
    writer.append(&batch(2, 1)).unwrap();
    writer.tick().unwrap();
    writer.close().unwrap();
    assert_eq!(numbers(&disk), [2]);
    assert_eq!(sealed(&disk, Kind::Actions), [shown_action(1)]);
}
