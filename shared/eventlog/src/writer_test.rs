//! What is synced is kept and read once, whatever the disk, the clock and the power do.

use std::collections::BTreeMap;

use covey_shared::ids::UnixMillis;
use covey_store::test_disk::{Fault, TestDisk};

use super::{UNSYNCED_BYTES, Writer};
use crate::counters::Counters;
use crate::files::Kind;
use crate::rows::testing::{action, served, shown_action};
use crate::rows::{Batch, ServedRow};
use crate::testing::*;

#[test]
fn rows_are_in_the_partition_of_their_hour_once_it_is_over() {
    let disk = TestDisk::new();
    let (mut writer, clock, counters) = writer(&disk);
    writer.append(&batch(0, 3)).unwrap();
    writer.append(&Batch::Actions(vec![action(1)])).unwrap();
    writer.tick().unwrap();
    assert_eq!(counters.totals().written_rows, 4);
    assert_eq!(numbers(&disk), [0; 0], "the hour is open");
    clock.pass(HOUR_MS);
    writer.tick().unwrap();
    writer.append(&batch(3, 1)).unwrap();
    writer.close().unwrap();
    assert_eq!(numbers(&disk), [0, 1, 2, 3]);
    assert_eq!(sealed(&disk, Kind::Actions), [shown_action(1)]);
    let folders = |kind| {
        files(&disk, kind)
            .iter()
            .map(|path| path[..path.rfind('/').unwrap()].to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        folders("served"),
        ["served/hour=2026-11-23T16", "served/hour=2026-11-23T17"]
    );
    assert_eq!(folders("actions"), ["actions/hour=2026-11-23T16"]);
    assert_eq!(files(&disk, "open"), [""; 0]);
}

#[test]
fn a_file_is_sealed_when_it_is_old_enough_before_its_hour_is_over() {
    let disk = TestDisk::new();
    let (env, clock) = env(&disk);
    let mut settings = settings();
    settings.rotate = std::time::Duration::from_secs(60);
    let mut writer = Writer::open(env, settings, Counters::default().into()).unwrap();
    writer.append(&batch(0, 1)).unwrap();
    writer.tick().unwrap();
    clock.pass(59_000);
    writer.append(&batch(1, 1)).unwrap();
    writer.tick().unwrap();
    assert_eq!(numbers(&disk), [0; 0]);
    clock.pass(1000);
    writer.tick().unwrap();
    assert_eq!(numbers(&disk), [0, 1]);
}

#[test]
fn a_clock_that_jumps_loses_nothing() {
    let disk = TestDisk::new();
    let (mut writer, clock, _) = writer(&disk);
    for (n, at) in [
        (0, START),
        (1, START - HOUR_MS),
        (2, START + 9 * HOUR_MS),
        (3, START),
        (4, 0),
    ] {
        clock.jump_to(at);
        writer.tick().unwrap();
        writer.append(&batch(n, 1)).unwrap();
        writer.tick().unwrap();
    }
    writer.close().unwrap();
    let mut found = numbers(&disk);
    found.sort_unstable();
    assert_eq!(found, [0, 1, 2, 3, 4]);
    assert_eq!(files(&disk, "served").len(), 5);
}

#[test]
fn rows_say_when_they_were_made_and_the_partition_when_they_came() {
    let disk = TestDisk::new();
    let (mut writer, ..) = writer(&disk);
    let late = ServedRow {
        asked_at: UnixMillis(START - 5 * HOUR_MS),
        ..served(0)
    };
    writer.append(&Batch::Served(vec![late])).unwrap();
    writer.close().unwrap();
    let asked_at = &sealed(&disk, Kind::Served)[0]["asked_at"];
    assert_eq!(asked_at.as_u64(), Some(START - 5 * HOUR_MS));
    assert!(files(&disk, "served")[0].starts_with("served/hour=2026-11-23T16/"));
}

#[test]
fn over_the_budget_the_oldest_hour_goes() {
    let disk = TestDisk::new();
    let (env, clock) = env(&disk);
    let counters = std::sync::Arc::new(Counters::default());
    let mut settings = settings();
    settings.budget = 30_000;
    let mut writer = Writer::open(env, settings, counters.clone()).unwrap();
    for hour in 0..8 {
        writer.append(&batch(hour * 50, 50)).unwrap();
        writer.tick().unwrap();
        clock.pass(HOUR_MS);
        writer.tick().unwrap();
    }
    let sizes = disk.files().iter().map(|(_, bytes)| *bytes as u64).collect::<Vec<_>>();
    let total: u64 = sizes.iter().sum();
    assert!(total <= 30_000 && total + sizes[0] > 30_000, "{sizes:?}");
    let kept = numbers(&disk);
    assert!(
        kept.len() < 400 && kept == (400 - kept.len() as u64..400).collect::<Vec<_>>(),
        "{kept:?}"
    );
    let totals = counters.totals();
    assert_eq!(totals.deleted_files as usize, 8 - sizes.len());
    assert!(totals.deleted_bytes > 0);
    let hours = crate::look::partitions(&*disk.shared(), std::path::Path::new(ROOT), Kind::Served);
    assert_eq!(hours.unwrap().len(), sizes.len());
    let folders = disk.shared().list(std::path::Path::new("/events/served"));
    assert_eq!(folders.unwrap().len(), sizes.len(), "no folder is empty");
}

#[test]
fn rows_are_dropped_while_open_files_alone_are_over_the_budget() {
    let disk = TestDisk::new();
    let (env, clock) = env(&disk);
    let counters = std::sync::Arc::new(Counters::default());
    let mut settings = settings();
    settings.budget = 1;
    let mut writer = Writer::open(env, settings, counters.clone()).unwrap();
    for dropped in [0, 3] {
        writer.append(&batch(0, 3)).unwrap();
        writer.tick().unwrap();
        assert_eq!(counters.totals().disk_dropped_rows, dropped);
    }
    clock.pass(HOUR_MS);
    writer.tick().unwrap();
    writer.append(&batch(3, 1)).unwrap();
    let totals = counters.totals();
    assert_eq!((totals.sealed_files, totals.deleted_files), (1, 1));
    assert_eq!(totals.disk_dropped_rows, 3, "there is room again");
}

#[test]
fn on_a_disk_that_others_fill_the_oldest_hours_give_way() {
    let disk = TestDisk::new();
    let (mut writer, clock, counters) = writer(&disk);
    for hour in 0..8 {
        writer.append(&batch(hour * 50, 50)).unwrap();
        writer.tick().unwrap();
        clock.pass(HOUR_MS);
        writer.tick().unwrap();
    }
    let taken = || disk.files().iter().map(|(_, bytes)| *bytes as u64).sum::<u64>();
    let before = taken();
    // A twentieth stays free.
    let (total, reserve) = (1_000_000, 50_000);
    for (others, kept) in [
        (total - reserve - before, before),
        (total - reserve - before / 2, before / 2),
        (total - reserve, 0),
        (total, 0),
    ] {
        disk.set_size(total, others);
        clock.pass(30_000);
        writer.tick().unwrap();
        let largest = before / 7;
        assert!(taken() <= kept && taken() + largest > kept, "{} of {kept}", taken());
    }
    assert_eq!(counters.totals().deleted_files, 8);
    writer.append(&batch(0, 3)).unwrap();
    assert_eq!(counters.totals().disk_dropped_rows, 3, "there is room for nothing");
    disk.set_size(total, 0);
    clock.pass(30_000);
    writer.tick().unwrap();
    writer.append(&batch(3, 2)).unwrap();
    writer.close().unwrap();
    assert_eq!(numbers(&disk), [3, 4], "there is room again");
}

#[test]
fn a_disk_that_fails_costs_what_does_not_fit_into_memory_and_nothing_else() {
    let disk = TestDisk::new();
    let (mut writer, _, counters) = writer(&disk);
    disk.fill(true);
    let mut sent = 0;
    while counters.totals().disk_dropped_rows == 0 {
        _ = writer.append(&batch(sent, 500));
        sent += 500;
        assert!(sent * 100 < 4 * UNSYNCED_BYTES as u64, "what waits is bounded");
    }
    assert!(writer.tick().is_err());
    disk.fill(false);
    writer.tick().unwrap();
    writer.append(&batch(sent, 1)).unwrap();
    writer.close().unwrap();
    let found = numbers(&disk);
    assert_eq!(found.len() as u64 + counters.totals().disk_dropped_rows, sent + 1);
    assert_eq!(found.last(), Some(&sent));
}

#[test]
fn rows_that_were_never_synced_are_counted_as_lost_at_the_end() {
    let disk = TestDisk::new();
    let (mut writer, _, counters) = writer(&disk);
    writer.append(&batch(0, 3)).unwrap();
    writer.tick().unwrap();
    writer.append(&batch(3, 5)).unwrap();
    writer.append(&Batch::Actions(vec![action(1)])).unwrap();
    disk.fail_syncs(true);
    assert!(writer.close().is_err());
    assert_eq!(counters.totals().disk_dropped_rows, 0, "they may yet be written");
    drop(writer);
    let totals = counters.totals();
    assert_eq!((totals.written_rows, totals.disk_dropped_rows), (3, 6));
}

/// Three hours with rows of both kinds; the number of rows that were synced at each moment is in the counters.
fn three_hours(disk: &TestDisk, go_on: bool) -> (u64, u64) {
    let (env, clock) = env(disk);
    let counters = std::sync::Arc::new(Counters::default());
    let mut done = Writer::open(env.clone(), settings(), counters.clone());
    if go_on && done.is_err() {
        done = Writer::open(env, settings(), counters.clone());
    }
    let Ok(mut writer) = done else { return (0, 0) };
    let mut recorded = 0;
    for _ in 0..3 {
        for _ in 0..2 {
            if writer.append(&batch(recorded, 2)).and(writer.tick()).is_err() && !go_on {
                return (recorded + 2, counters.totals().written_rows);
            }
            recorded += 2;
        }
        clock.pass(HOUR_MS);
    }
    let mut closed = writer.close();
    if go_on && closed.is_err() {
        closed = writer.close();
    }
    assert!(closed.is_ok() || !go_on);
    (recorded, counters.totals().written_rows)
}

#[test]
fn power_lost_anywhere_loses_nothing_that_was_synced_and_tears_no_file() {
    let disk = TestDisk::new();
    disk.plan([]);
    assert_eq!(three_hours(&disk, false), (12, 12));
    let operations = disk.operations();
    assert!(operations > 50, "{operations}");
    let mut lost_tails = 0;
    for fault in [Fault::PowerLoss, Fault::Kill] {
        for at in 1..=operations {
            for keep in 0..if fault == Fault::Kill { 1 } else { 4_u64 } {
                let disk = TestDisk::new();
                disk.plan([(at, fault)]);
                let (recorded, synced) = three_hours(&disk, false);
                let mut chance = keep;
                let survivor = match fault {
                    Fault::Kill => disk.copy(),
                    _ => disk.after_power_loss(|| {
                        chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(at);
                        keep == 3 || keep > 0 && chance >> 63 == 1
                    }),
                };
                let what = format!("{fault:?} at {at} of {operations}, keep {keep}");
                // A reader before the next start sees whole files: `numbers` reads all of them.
                let before = numbers(&survivor);
                let (mut next, _, counters) = writer(&survivor);
                next.close().unwrap_or_else(|error| panic!("{what}: {error}"));
                let found = numbers(&survivor);
                let whole = found.len() as u64;
                assert_eq!(found, (0..whole).collect::<Vec<_>>(), "{what}");
                assert!(
                    (synced..=recorded).contains(&whole),
                    "{what}: {synced} ≤ {whole} ≤ {recorded}"
                );
                assert!(before.len() <= found.len(), "{what}");
                assert!(files(&survivor, "open").is_empty(), "{what}");
                lost_tails += u64::from(counters.totals().torn_bytes > 0);
            }
        }
    }
    assert!(lost_tails > 0, "no crash tore a write");
}

#[test]
fn what_a_killed_process_sealed_outlives_a_power_loss_after_the_next_start() {
    let disk = TestDisk::new();
    disk.plan([]);
    three_hours(&disk, false);
    for at in 1..=disk.operations() {
        let disk = TestDisk::new();
        disk.plan([(at, Fault::Kill)]);
        three_hours(&disk, false);
        disk.plan([]);
        let (mut next, ..) = writer(&disk);
        next.close().unwrap();
        let survivor = disk.after_power_loss(|| false);
        assert_eq!(numbers(&survivor), numbers(&disk), "killed at {at}");
    }
}

#[test]
fn an_operation_that_fails_anywhere_is_tried_again_and_no_row_is_lost_or_doubled() {
    let disk = TestDisk::new();
    disk.plan([]);
    three_hours(&disk, true);
    for at in 1..=disk.operations() {
        let disk = TestDisk::new();
        disk.plan([(at, Fault::Error)]);
        let (recorded, _) = three_hours(&disk, true);
        assert_eq!(disk.happened().len(), 1);
        assert_eq!(recorded, 12, "error at {at}");
        assert_eq!(
            numbers(&disk),
            (0..12).collect::<Vec<_>>(),
            "error at {at}: {:?}",
            disk.happened()
        );
    }
}

#[test]
fn files_of_both_kinds_have_names_of_their_own() {
    let disk = TestDisk::new();
    let (mut writer, ..) = writer(&disk);
    for n in 0..3 {
        writer.append(&batch(n, 1)).unwrap();
        writer.append(&Batch::Actions(vec![action(n)])).unwrap();
        writer.close().unwrap();
    }
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    for path in files(&disk, "") {
        *names.entry(path.rsplit('/').next().unwrap().to_owned()).or_default() += 1;
    }
    assert_eq!(names.len(), 6);
}
