//! What recovery makes of cut, damaged, lost and foreign segments.

use std::collections::BTreeMap;

use covey_shared::ids::NodeId;

use super::super::codec::SEGMENT_HEADER;
use super::super::record::{RECORD_HEADER, record_at};
use super::*;
use crate::conformance::entries;
use crate::log::wal::tests::{GROUP, START, batch, dir, filled, open, options, tail};
use crate::log::{GroupId, LogStore, Wal};
use crate::test_disk::TestDisk;

/// Offset after record `seq`.
fn end_of_record(disk: &TestDisk, path: &Path, salt: u32, seq: u64) -> usize {
    let content = (disk as &dyn Disk).read_file(path, 1 << 20).unwrap();
    let mut at = SEGMENT_HEADER;
    loop {
        let record = record_at(&content, at, salt).unwrap();
        at = record.end;
        if record.link.seq == seq {
            return at;
        }
    }
}

#[test]
fn a_log_cut_at_any_byte_is_a_prefix_and_holds_what_was_synced_before_the_cut() {
    let disk = TestDisk::new();
    let (mut wal, states) = filled(&disk);
    let path = wal.segment_paths().remove(0);
    let (end, synced_end) = (
        tail(&wal).at(),
        end_of_record(&disk, &path, tail(&wal).salt(), tail(&wal).synced()),
    );
    wal.sync().unwrap();
    for cut in SEGMENT_HEADER..=end {
        let copy = disk.copy();
        copy.tamper(&path, |content| content[cut..end + RECORD_HEADER].fill(0));
        let (wal, found) = open(&copy).unwrap_or_else(|error| panic!("cut at {cut}: {error}"));
        let kept = states.iter().position(|state| state.groups == found.groups);
        let kept = kept.unwrap_or_else(|| panic!("cut at {cut}: not a prefix"));
        assert!(cut < synced_end || kept >= 8, "cut at {cut} left {kept} batches");
        drop(wal);
        let (mut wal, again) = open(&copy).unwrap_or_else(|error| panic!("cut at {cut}: {error}"));
        assert_eq!(
            (again.groups, again.torn),
            (found.groups, None),
            "cut at {cut}: reopening changed something"
        );
        wal.append(&batch(|batch| batch.tombstone(GroupId(77)))).unwrap();
    }
}

#[test]
fn a_segment_that_is_shorter_than_it_was_made_is_corruption() {
    let disk = TestDisk::new();
    let (mut wal, _) = filled(&disk);
    wal.sync().unwrap();
    let path = wal.segment_paths().remove(0);
    let made = options().segment_bytes;
    for cut in (SEGMENT_HEADER..made).step_by(97).chain([made - 1]) {
        let copy = disk.copy();
        copy.tamper(&path, |content| content.truncate(cut));
        let error = open(&copy).unwrap_err();
        let LogError::Corrupt {
            damage: Damage::Cut { found, expected },
            ..
        } = &error
        else {
            panic!("cut at {cut}: {error}");
        };
        assert_eq!((*found, *expected), (cut as u64, made as u64));
    }
    let copy = disk.copy();
    let larger = WalOptions {
        segment_bytes: 2 * made,
        ..options()
    };
    let (wal, found) = Wal::open(copy.shared(), dir(), larger).unwrap();
    drop(wal);
    assert_eq!(open(&copy).unwrap().1, found, "a segment may be longer than new ones");
}

#[test]
fn what_a_start_has_read_is_vouched_for_before_anything_is_written() {
    let disk = TestDisk::new();
    let (mut wal, states) = filled(&disk);
    wal.sync().unwrap();
    let path = wal.segment_paths().remove(0);
    let last = end_of_record(&disk, &path, tail(&wal).salt(), tail(&wal).synced()) - 12;
    let lost_mark = disk.after_power_loss(|| false);
    let (wal, found) = open(&lost_mark).unwrap();
    assert_eq!(found.groups, states[11].groups);
    drop(wal);
    lost_mark.tamper(&path, |content| content[last] ^= 1);
    let error = open(&lost_mark).unwrap_err();
    assert!(
        matches!(
            &error,
            LogError::Corrupt {
                damage: Damage::Record { .. },
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn what_a_failed_sync_lost_is_written_again_at_the_next_start() {
    let disk = TestDisk::new();
    let (mut wal, states) = filled(&disk);
    disk.plan([(1, crate::test_disk::Fault::Error)]);
    wal.sync().unwrap_err();
    drop(wal);
    assert_eq!(open(&disk).unwrap().1.groups, states[11].groups);
    let (_, found) = open(&disk.after_power_loss(|| false)).unwrap();
    assert_eq!(found.groups, states[11].groups);
}

#[test]
fn a_flipped_byte_is_corruption_where_it_was_synced_and_the_end_of_the_log_after_that() {
    let disk = TestDisk::new();
    let (wal, states) = filled(&disk);
    let path = wal.segment_paths().remove(0);
    let (end, synced_end) = (
        tail(&wal).at(),
        end_of_record(&disk, &path, tail(&wal).salt(), tail(&wal).synced()),
    );
    let mut outcomes = BTreeMap::new();
    for at in (0..56).chain(SEGMENT_HEADER..end) {
        let copy = disk.copy();
        copy.tamper(&path, |content| content[at] ^= 0x20);
        let outcome = match open(&copy) {
            Err(LogError::Corrupt {
                damage: Damage::Header,
                offset: 0,
                ..
            }) => "header",
            Err(LogError::Corrupt {
                damage: Damage::Record { .. },
                path: found,
                offset,
            }) => {
                assert!(found == path && offset as usize <= at);
                "record"
            }
            Ok((_, found)) if found.groups == states[11].groups => "padding",
            Ok((_, found)) => {
                assert!(
                    states[8..].iter().any(|state| state.groups == found.groups),
                    "byte {at}"
                );
                assert!(
                    found
                        .torn
                        .is_none_or(|torn| torn.offset as usize <= at && torn.bytes > 0),
                    "byte {at}"
                );
                "dropped"
            }
            Err(other) => panic!("byte {at}: {other}"),
        };
        assert_eq!(outcome == "header", at < 56, "byte {at}");
        assert!(
            at >= synced_end || outcome != "dropped",
            "byte {at} was synced, and yet it was dropped"
        );
        assert!(at < synced_end || outcome != "record", "byte {at} was never synced");
        *outcomes.entry(outcome).or_insert(0) += 1;
    }
    assert_eq!(outcomes.len(), 4, "{outcomes:?}");
    assert!(outcomes["padding"] < 150, "{outcomes:?}");
}

#[test]
fn a_lost_segment_is_corruption() {
    let disk = TestDisk::new();
    let (mut wal, _) = open(&disk).unwrap();
    wal.append(&batch(|batch| batch.create_group(GROUP, START))).unwrap();
    for index in 1..60 {
        wal.append(&batch(|batch| batch.entries(GROUP, entries(index..=index, 1, 700))))
            .unwrap();
    }
    wal.sync().unwrap();
    let paths = wal.segment_paths();
    assert!(paths.len() > 3);
    let without = |path: &Path| {
        let copy = disk.copy();
        copy.remove_file(path).unwrap();
        match open(&copy) {
            Err(LogError::Corrupt { damage, .. }) => damage,
            other => panic!("{other:?}"),
        }
    };
    assert!(matches!(
        without(&paths[0]),
        Damage::Entries {
            group: GROUP,
            from: 1,
            ..
        }
    ));
    assert!(matches!(without(&paths[1]), Damage::MissingSegment { number: 2 }));
    let copy = disk.copy();
    copy.tamper(&paths[1], |content| content[600] ^= 1);
    let error = open(&copy).unwrap_err();
    assert!(matches!(&error, LogError::Corrupt { path, damage: Damage::Record { .. }, .. } if *path == paths[1]));
    assert!(error.to_string().contains("0002.wal at byte 512"), "{error}");
    let copy = disk.copy();
    copy.rename(&paths[0], &paths[1]).unwrap();
    copy.remove_file(&paths[2]).unwrap();
    assert!(matches!(
        open(&copy),
        Err(LogError::Corrupt {
            damage: Damage::Number { found: 1 },
            ..
        })
    ));
}

#[test]
fn another_owner_or_a_newer_format_is_refused_with_what_to_do() {
    let disk = TestDisk::new();
    filled(&disk);
    let foreign = WalOptions {
        node: NodeId(99),
        ..options()
    };
    let error = Wal::open(disk.shared(), dir(), foreign).unwrap_err();
    assert!(matches!(
        error,
        LogError::WrongOwner {
            found_node: NodeId(6),
            node: NodeId(99),
            ..
        }
    ));
    assert!(error.to_string().contains("data_dir"), "{error}");
    disk.tamper(&segment::path(dir(), 1), |content| {
        content[8] = 9;
        let crc = crc32c::crc32c(&content[..52]);
        content[52..56].copy_from_slice(&crc.to_le_bytes());
    });
    let error = open(&disk).unwrap_err();
    assert!(
        matches!(
            error,
            LogError::Version {
                found: 9,
                supported: 1,
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn a_record_of_a_newer_release_is_told_apart_from_damage() {
    let disk = TestDisk::new();
    let (wal, _) = filled(&disk);
    let salt = tail(&wal).salt();
    disk.tamper(&segment::path(dir(), 1), |content| {
        let len = u32::from_le_bytes(content[SEGMENT_HEADER..][..4].try_into().unwrap()) as usize;
        let record = &mut content[SEGMENT_HEADER..][..RECORD_HEADER + len];
        record[28] = 2;
        let crc = crc32c::crc32c_append(crc32c::crc32c_append(salt, &record[..4]), &record[8..]);
        record[4..8].copy_from_slice(&crc.to_le_bytes());
    });
    let error = open(&disk).unwrap_err();
    let newer = matches!(
        error,
        LogError::Version {
            found: 2,
            supported: 1,
            ..
        }
    );
    assert!(newer, "{error}");
}
