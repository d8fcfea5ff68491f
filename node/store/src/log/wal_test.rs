//! The write-ahead log against the oracle, power losses, damage, and full or failing disks.

use super::*;
use crate::conformance::{self, History, Seeded, entries};
use crate::log::{HardState, LogPosition, MemoryImage, MemoryLog};
use crate::test_disk::TestDisk;

pub(crate) const GROUP: GroupId = GroupId(1);
pub(crate) const START: LogPosition = LogPosition { index: 0, term: 0 };
const SEGMENT: usize = 8192;

pub(crate) fn options() -> WalOptions {
    WalOptions {
        segment_bytes: SEGMENT,
        recycle: 1,
        ..WalOptions::new(ClusterId(5), NodeId(6))
    }
}

pub(crate) fn dir() -> &'static Path {
    Path::new("/data/wal")
}

pub(crate) fn open(disk: &TestDisk) -> Result<(Wal, Recovered), LogError> {
    Wal::open(disk.shared(), dir(), options())
}

pub(crate) fn batch(fill: impl FnOnce(&mut LogBatch) -> &mut LogBatch) -> LogBatch {
    let mut batch = LogBatch::new();
    fill(&mut batch);
    batch
}

/// The end of the log.
pub(in crate::log) fn tail(wal: &Wal) -> &Tail {
    &wal.tail
}

/// Eight synced batches, then three that are not.
pub(crate) fn filled(disk: &TestDisk) -> (Wal, Vec<Recovered>) {
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
    assert_eq!(usage.pinned_by, None, "only a live entry pins a segment that is full");
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
