//! The write-ahead log against the oracle, power losses, damage, and full or failing disks.

use std::collections::BTreeMap;

use super::*;
use crate::conformance::{self, History, Seeded, entries};
use crate::log::{Damage, HardState, LogPosition, MemoryImage, MemoryLog};
use crate::test_disk::TestDisk;

const GROUP: GroupId = GroupId(1);
const START: LogPosition = LogPosition { index: 0, term: 0 };
const SEGMENT: usize = 8192;

fn options() -> WalOptions {
    WalOptions {
        segment_bytes: SEGMENT,
        recycle: 1,
        ..WalOptions::new(ClusterId(5), NodeId(6))
    }
}

fn dir() -> &'static Path {
    Path::new("/data/wal")
}

fn open(disk: &TestDisk) -> Result<(Wal, Recovered), LogError> {
    Wal::open(disk.shared(), dir(), options())
}

fn batch(fill: impl FnOnce(&mut LogBatch) -> &mut LogBatch) -> LogBatch {
    let mut batch = LogBatch::new();
    fill(&mut batch);
    batch
}

/// Eight synced batches, then three that are not.
fn filled(disk: &TestDisk) -> (Wal, Vec<Recovered>) {
    let (mut wal, _) = open(disk).unwrap();
    let (mut oracle, empty) = MemoryLog::open(&MemoryImage::default());
    let mut states = vec![empty];
    for step in 0..11u64 {
        let batch = batch(|batch| match step {
            0 => batch.create_group(GROUP, START),
            4 => batch.hard_state(
                GROUP,
                HardState {
                    term: 3,
                    vote: 1,
                    commit: 2,
                },
            ),
            _ => batch.entries(GROUP, entries(step..=step + 1, step, 40)),
        });
        wal.append(&batch).unwrap();
        oracle.append(&batch).unwrap();
        if step < 8 {
            wal.sync().unwrap();
        }
        states.push(oracle.state());
    }
    (wal, states)
}

#[test]
fn the_wal_conforms_on_the_test_disk() {
    let disk = TestDisk::new();
    let mut reopen = || {
        let (wal, found) = open(&disk).unwrap();
        (Box::new(wal) as Box<dyn LogStore>, found)
    };
    conformance::log_rules(&mut reopen);
}

#[test]
fn the_memory_log_conforms() {
    let image = MemoryImage::default();
    let mut reopen = || {
        let (log, found) = MemoryLog::open(&image);
        (Box::new(log) as Box<dyn LogStore>, found)
    };
    conformance::log_rules(&mut reopen);
    for seed in 0..4 {
        let image = MemoryImage::default();
        let mut random = Seeded::new(seed);
        conformance::log_keeps_what_it_synced(seed, 200, &mut || {
            image.power_loss(random.below(4) as usize);
            let (log, found) = MemoryLog::open(&image);
            (Box::new(log) as Box<dyn LogStore>, found)
        });
    }
}

#[test]
fn the_wal_conforms_on_the_production_disk() {
    let dir = tempfile::tempdir().unwrap();
    let env = covey_env::Env::production(1).unwrap();
    conformance::log_rules(&mut || {
        let (wal, found) = Wal::open(env.disk.clone(), &dir.path().join("wal"), options()).unwrap();
        (Box::new(wal), found)
    });
}

#[test]
fn after_any_power_loss_all_synced_batches_are_there_and_nothing_out_of_order() {
    for seed in 0..40 {
        let mut disk = TestDisk::new();
        let mut random = Seeded::new(seed);
        // Between losing nearly everything and nearly nothing, sector by sector and out of order.
        let luck = 1 + random.below(5);
        conformance::log_keeps_what_it_synced(seed, 300, &mut || {
            disk = disk.after_power_loss(|| random.one_in(luck));
            let (wal, found) = open(&disk).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
            (Box::new(wal), found)
        });
    }
}

#[test]
fn segments_are_recycled_and_stale_records_in_them_are_not_read() {
    let disk = TestDisk::new();
    let (mut wal, _) = open(&disk).unwrap();
    let mut history = History::new();
    let mut append = |wal: &mut Wal, batch: LogBatch| {
        wal.append(&batch).unwrap();
        wal.sync().unwrap();
        history.append(&batch);
        history.synced();
    };
    append(
        &mut wal,
        batch(|batch| batch.create_group(GROUP, START).create_group(GroupId(2), START)),
    );
    append(
        &mut wal,
        batch(|batch| {
            batch.hard_state(
                GroupId(2),
                HardState {
                    term: 8,
                    vote: 7,
                    commit: 0,
                },
            )
        }),
    );
    for index in 1..200 {
        append(
            &mut wal,
            batch(|batch| batch.entries(GROUP, entries(index..=index, 1, 300))),
        );
        append(
            &mut wal,
            batch(|batch| {
                batch.compact(
                    GROUP,
                    LogPosition {
                        index: index - 1,
                        term: 1,
                    },
                )
            }),
        );
    }
    let usage = wal.usage();
    assert!(usage.segments <= 2 && usage.spares <= 1, "{usage:?}");
    assert_eq!(usage.live_bytes, 325);
    assert_eq!(usage.pinned_by.is_some(), usage.segments == 1 || usage.segments == 2);
    let segments = wal.segment_paths();
    assert!(
        segments[0] > segment::path(dir(), 9),
        "old segments are gone: {segments:?}"
    );
    drop(wal);
    let (_, found) = open(&disk).unwrap();
    assert!(history.reopened(&found), "{found:?}");
    assert_eq!(
        found.groups[&GroupId(2)].hard_state.vote,
        7,
        "facts survive their segment"
    );
}

#[test]
fn a_group_with_live_entries_pins_its_segment_until_they_are_written_again() {
    let disk = TestDisk::new();
    let (mut wal, _) = open(&disk).unwrap();
    let lagging = GroupId(2);
    wal.append(&batch(|batch| {
        batch.create_group(GROUP, START).create_group(lagging, START)
    }))
    .unwrap();
    wal.append(&batch(|batch| batch.entries(lagging, entries(1..=3, 1, 10))))
        .unwrap();
    for index in 1..60 {
        wal.append(&batch(|batch| batch.entries(GROUP, entries(index..=index, 1, 700))))
            .unwrap();
        wal.append(&batch(|batch| batch.compact(GROUP, LogPosition { index, term: 1 })))
            .unwrap();
        wal.sync().unwrap();
    }
    assert!(wal.usage().segments > 4);
    assert_eq!(wal.usage().pinned_by, Some(lagging));
    wal.append(&batch(|batch| batch.entries(lagging, entries(1..=3, 1, 10))))
        .unwrap();
    wal.sync().unwrap();
    assert_eq!(wal.usage().segments, 1);
    drop(wal);
    assert_eq!(open(&disk).unwrap().1.groups[&lagging].entries, entries(1..=3, 1, 10));
}

#[test]
fn a_log_cut_at_any_byte_is_a_prefix_and_holds_what_was_synced_before_the_cut() {
    let disk = TestDisk::new();
    let (mut wal, states) = filled(&disk);
    let path = wal.segment_paths().remove(0);
    let (end, synced_end) = (
        wal.tail.at(),
        end_of_record(&disk, &path, wal.tail.salt(), wal.tail.synced()),
    );
    wal.sync().unwrap();
    for cut in SEGMENT_HEADER..=end {
        for zeros in [true, false] {
            let copy = disk.copy();
            let wipe = |content: &mut Vec<u8>| content[cut..end + RECORD_HEADER].fill(0);
            copy.tamper(
                &path,
                |content| if zeros { wipe(content) } else { content.truncate(cut) },
            );
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
}

/// Offset after record `seq`.
fn end_of_record(disk: &TestDisk, path: &Path, salt: u32, seq: u64) -> usize {
    let content = (disk as &dyn Disk).read_file(path, 1 << 20).unwrap();
    let mut at = SEGMENT_HEADER;
    loop {
        let record = crate::log::codec::record_at(&content, at, salt).unwrap();
        at = record.end;
        if record.link.seq == seq {
            return at;
        }
    }
}

#[test]
fn a_flipped_byte_is_corruption_where_it_was_synced_and_the_end_of_the_log_after_that() {
    let disk = TestDisk::new();
    let (wal, states) = filled(&disk);
    let path = wal.segment_paths().remove(0);
    let (end, synced_end) = (
        wal.tail.at(),
        end_of_record(&disk, &path, wal.tail.salt(), wal.tail.synced()),
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
fn after_a_failed_sync_the_log_refuses_all_use() {
    let disk = TestDisk::new();
    let (mut wal, _) = filled(&disk);
    disk.fail_syncs(true);
    assert!(matches!(wal.sync(), Err(LogError::Io { what: "sync", .. })));
    disk.fail_syncs(false);
    assert!(matches!(wal.sync(), Err(LogError::Poisoned { .. })));
    let more = batch(|batch| batch.entries(GROUP, entries(12..=12, 1, 1)));
    assert!(matches!(wal.append(&more), Err(LogError::Poisoned { .. })));
}

#[test]
fn a_full_disk_refuses_the_batch_and_takes_it_once_there_is_room() {
    let disk = TestDisk::new();
    let (mut wal, _) = filled(&disk);
    disk.fill(true);
    let large = batch(|batch| batch.entries(GROUP, entries(12..=12, 1, SEGMENT - 1500)));
    let error = wal.append(&large).unwrap_err();
    assert!(matches!(error, LogError::Full { .. }), "{error}");
    wal.append(&batch(|batch| batch.entries(GROUP, entries(12..=12, 1, 10))))
        .unwrap();
    disk.fill(false);
    wal.append(&large).unwrap();
    wal.sync().unwrap();
    drop(wal);
    assert_eq!(
        open(&disk).unwrap().1.groups[&GROUP].entries.last(),
        entries(12..=12, 1, SEGMENT - 1500).last()
    );
}

#[test]
fn a_batch_larger_than_a_segment_is_split_between_groups_but_never_inside_one() {
    let disk = TestDisk::new();
    let (mut wal, _) = open(&disk).unwrap();
    let mut large = LogBatch::new();
    for group in 0..6 {
        large.create_group(GroupId(group), START);
    }
    for group in 0..6 {
        large.entries(GroupId(group), entries(1..=2, 1, 1500));
    }
    wal.append(&large).unwrap();
    wal.sync().unwrap();
    let too_large = batch(|batch| batch.entries(GroupId(0), entries(3..=12, 1, 1000)));
    let error = wal.append(&too_large).unwrap_err();
    assert!(
        matches!(
            error,
            LogError::TooLarge {
                bytes: 10_000..,
                limit: 1..SEGMENT_U64
            }
        ),
        "{error}"
    );
    drop(wal);
    let (_, found) = open(&disk).unwrap();
    assert_eq!(found.groups.len(), 6);
    assert!(
        found
            .groups
            .values()
            .all(|group| group.entries == entries(1..=2, 1, 1500))
    );
}

const SEGMENT_U64: u64 = SEGMENT as u64;

#[test]
fn a_commit_index_needs_no_sync_and_a_sync_without_news_touches_no_disk() {
    let state = HardState::default();
    assert!(!batch(|batch| batch.commit(GROUP, state).compact(GROUP, START)).needs_sync());
    assert!(batch(|batch| batch.commit(GROUP, state).hard_state(GROUP, state)).needs_sync());
    let disk = TestDisk::new();
    let (mut wal, _) = filled(&disk);
    wal.sync().unwrap();
    let writes = disk.writes();
    wal.sync().unwrap();
    wal.append(&LogBatch::new()).unwrap();
    assert_eq!(disk.writes(), writes);
}
