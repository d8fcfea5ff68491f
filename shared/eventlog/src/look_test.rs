//! Rows can be looked at without knowing their columns.

use std::path::Path;

use covey_store::test_disk::{Fault, TestDisk};

use super::{LookError, entries, first_of, look, partitions};
use crate::files::{Kind, partition};
use crate::hour::Hour;
use crate::rows::Batch;
use crate::rows::testing::{action, served};
use crate::testing::*;

#[test]
fn rows_are_shown_hour_by_hour_up_to_a_limit() {
    let disk = TestDisk::new();
    let (mut writer, clock, _) = writer(&disk);
    for hour in 0..2 {
        for file in 0..2 {
            let first = hour * 100 + file * 10;
            writer
                .append(&Batch::Served((first..first + 3).map(served).collect()))
                .unwrap();
            writer.close().unwrap();
            clock.pass(1000);
        }
        clock.pass(HOUR_MS);
    }
    let (disk, root) = (disk.shared(), Path::new(ROOT));
    let hours = partitions(&*disk, root, Kind::Served).unwrap();
    assert_eq!(hours, [Hour::at(START), Hour::at(START + HOUR_MS)]);
    let slots = |hour, limit| {
        let rows = look(&*disk, root, Kind::Served, hour, limit).unwrap();
        let slot = |row: &super::Looked| row.cells().into_iter().find(|(name, _)| *name == "slot").unwrap().1;
        rows.iter().map(slot).collect::<Vec<_>>()
    };
    assert_eq!(slots(hours[0], 99), ["1", "2", "3", "11", "12", "13"]);
    assert_eq!(slots(hours[0], 4), ["1", "2", "3", "11"]);
    assert_eq!(slots(hours[1], 2), ["31", "32"]);
}

#[test]
fn a_row_is_json_in_the_order_of_its_columns() {
    let disk = TestDisk::new();
    let (mut writer, ..) = writer(&disk);
    writer.append(&Batch::Actions(vec![action(1)])).unwrap();
    writer.append(&Batch::Served(vec![served(1)])).unwrap();
    writer.close().unwrap();
    let json = |kind| {
        let rows = look(&*disk.shared(), Path::new(ROOT), kind, Hour::at(START), 1).unwrap();
        serde_json::to_string(&rows[0]).unwrap()
    };
    assert_eq!(
        json(Kind::Actions),
        "{\"acted_at\":1795449600001,\"recorded_at\":1795449600101,\"viewer\":1,\"kind\":\"impression\",\"post\":1,\"author\":2,\
         \"dwell_ms\":1,\"surface\":1,\"prediction_request_id\":18446744073709551614,\"client\":5,\"sequence\":1,\"item\":1}"
    );
    let served = json(Kind::Served);
    for part in [
        "{\"asked_at\":1795449600001,\"request\":18446744073709551614,",
        "\"scored_at\":null,",
        "\"channels\":[{\"name\":\"Channel0\",\"rank\":1,\"score\":0.125}],",
        "\"in_network\":true,",
    ] {
        assert!(served.contains(part), "{part} in {served}");
    }
}

#[test]
fn a_log_in_its_first_hour_has_no_hours_and_one_that_is_not_there_is_an_error() {
    let disk = covey_env::Env::production(1).unwrap().disk;
    // A directory without files of a log.
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    assert_eq!(partitions(&*disk, root, Kind::Served).unwrap(), []);
    disk.create_dir_all(&root.join("served/hour=2026-11-23T16")).unwrap();
    assert_eq!(
        partitions(&*disk, root, Kind::Served).unwrap(),
        [],
        "an empty folder is no hour"
    );
    let error = partitions(&*disk, &root.join("missing"), Kind::Served).unwrap_err();
    assert!(matches!(error, LookError::Disk { .. }), "{error}");
}

#[test]
fn what_is_gone_when_it_is_read_is_passed_over_and_what_cannot_be_read_is_an_error() {
    let disk = TestDisk::new();
    let (mut writer, clock, _) = writer(&disk);
    for n in 0..3 {
        writer.append(&Batch::Served(vec![served(n)])).unwrap();
        writer.close().unwrap();
        clock.pass(1);
    }
    let (root, hour) = (Path::new(ROOT), Hour::at(START));
    let shared = disk.shared();
    let listed = entries(&*shared, &partition(root, Kind::Served, hour)).unwrap();
    assert_eq!(listed.len(), 3);
    let rows = || first_of(&*shared, listed.clone(), 9).map(|rows| rows.len());
    assert_eq!(rows().unwrap(), 3);
    shared.remove_file(&listed[1]).unwrap();
    assert_eq!(rows().unwrap(), 2, "those before and behind it are shown");
    disk.plan([(1, Fault::Error)]);
    let error = rows().unwrap_err();
    assert!(
        matches!(&error, LookError::Disk { path, .. } if *path == listed[0]),
        "{error}"
    );
    shared.remove_dir_all(root).unwrap();
    assert_eq!(
        look(&*shared, root, Kind::Served, hour, 9).unwrap().len(),
        0,
        "the hour is gone"
    );
}

#[test]
fn a_damaged_file_is_named() {
    let disk = TestDisk::new();
    let (mut writer, ..) = writer(&disk);
    writer.append(&Batch::Served(vec![served(1)])).unwrap();
    writer.close().unwrap();
    let path = disk.files().pop().unwrap().0;
    disk.tamper(&path, |bytes| bytes.truncate(100));
    let error = look(&*disk.shared(), Path::new(ROOT), Kind::Served, Hour::at(START), 1).unwrap_err();
    assert!(
        matches!(&error, LookError::Parquet { path: found, .. } if *found == path),
        "{error}"
    );
}
