//! What a crash tore is cut; what cannot be read stays, and holds up nothing.

use covey_store::test_disk::{Fault, TestDisk};

use crate::rows::Batch;
use crate::testing::*;

#[test]
fn a_torn_tail_is_cut_and_counted() {
    let disk = TestDisk::new();
    let (mut first, ..) = writer(&disk);
    first.append(&batch(0, 2)).unwrap();
    first.tick().unwrap();
    drop(first);
    let path = disk.files().pop().unwrap().0;
    disk.tamper(&path, |bytes| bytes.extend([7, 0, 0, 0, 1, 2, 3]));
    let (mut second, _, counters) = writer(&disk);
    second.tick().unwrap();
    assert_eq!(numbers(&disk), [0, 1]);
    assert_eq!(counters.totals().torn_bytes, 7);
    assert_eq!(counters.totals().losses(), 7);
}

#[test]
fn a_torn_tail_is_counted_once_whatever_fails_on_the_way() {
    let torn = |whole: &[Batch]| {
        let disk = TestDisk::new();
        let (mut first, ..) = writer(&disk);
        for batch in [&[batch(0, 2)], whole].concat() {
            first.append(&batch).unwrap();
            first.tick().unwrap();
        }
        drop(first);
        let path = disk.files().pop().unwrap().0;
        let keep = if whole.is_empty() { 100 } else { usize::MAX };
        disk.tamper(&path, |bytes| {
            bytes.truncate(keep);
            bytes.extend([7, 0, 0]);
        });
        disk
    };
    // With whole frames before it, and none.
    for (whole, bytes) in [(&[batch(2, 1)][..], 3), (&[], 103)] {
        let disk = torn(whole);
        let (mut second, ..) = writer(&disk);
        disk.plan([]);
        second.tick().unwrap();
        let operations = disk.operations();
        assert!(operations > 10, "{operations}");
        for at in 1..=operations {
            let disk = torn(whole);
            let (mut second, clock, counters) = writer(&disk);
            disk.plan([(at, Fault::Error)]);
            for _ in 0..2 {
                _ = second.tick();
                clock.pass(30_000);
            }
            second.close().unwrap();
            assert_eq!(
                counters.totals().torn_bytes,
                bytes,
                "error at {at}: {:?}",
                disk.happened()
            );
            assert_eq!(files(&disk, "open"), [""; 0], "error at {at}");
        }
    }
}

#[test]
fn a_file_that_the_disk_has_changed_stays_where_it_is_with_all_its_rows() {
    let disk = TestDisk::new();
    let (mut first, ..) = writer(&disk);
    for n in 0..3 {
        first.append(&batch(n, 1)).unwrap();
        first.tick().unwrap();
    }
    drop(first);
    let path = disk.files().pop().unwrap().0;
    let flip = |disk: &TestDisk| disk.tamper(&path, |bytes| bytes[9] ^= 1);
    flip(&disk);
    let (mut second, _, counters) = writer(&disk);
    let error = second.tick().unwrap_err();
    assert!(error.to_string().contains("stays where it is"), "{error}");
    let totals = counters.totals();
    assert_eq!((totals.unreadable_files, totals.torn_bytes), (1, 0));
    assert_eq!(numbers(&disk), [0; 0]);
    drop(second);
    flip(&disk);
    writer(&disk).0.tick().unwrap();
    assert_eq!(numbers(&disk), [0, 1, 2]);
}

#[test]
fn frames_that_this_release_cannot_read_stay_where_they_are_and_hold_up_nothing() {
    // An older release, a newer one, and no rows of this kind: more of them than there are bytes.
    for (at, byte) in [(8, 1), (8, 9), (22, 255)] {
        let disk = TestDisk::new();
        let (mut first, ..) = writer(&disk);
        first.append(&batch(0, 1)).unwrap();
        first.tick().unwrap();
        drop(first);
        let path = disk.files().pop().unwrap().0;
        forge(&disk, &path, at, byte);
        let bytes = disk.shared().read_file(&path, u64::MAX).unwrap();
        let (mut second, clock, counters) = writer(&disk);
        let error = second.tick().unwrap_err();
        assert!(error.to_string().contains("stays where it is"), "{error}");
        assert_eq!(counters.totals().unreadable_files, 1);
        clock.pass(1);
        second.append(&batch(7, 1)).unwrap();
        assert!(second.close().is_err());
        assert_eq!(numbers(&disk), [7]);
        assert_eq!(disk.shared().read_file(&path, u64::MAX).unwrap(), bytes);
    }
}
