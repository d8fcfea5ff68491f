//! Pages that cannot be read are zeros in our maps, and the end of the process elsewhere.

use std::os::unix::process::ExitStatusExt;
use std::process::Command;

use covey_env::{Env, OpenMode};
use memmap2::MmapOptions;

use super::super::super::{HEADER_BYTES, MmapRowFile, RowFile, RowFileSpec};
use super::*;

/// Set in the child that is to die: how.
const DIE: &str = "COVEY_TEST_DIE_OF_SIGBUS";
const ROWS: u64 = 3 * 4096 / 8;

/// A mapped file of three pages of rows, each row its own number plus one.
fn mapped(dir: &tempfile::TempDir) -> MmapRowFile {
    let disk = Env::production(1).unwrap().disk;
    let spec = RowFileSpec {
        row_bytes: 8,
        capacity: ROWS,
        description: Vec::new(),
    };
    let path = dir.path().join("rows");
    let file = MmapRowFile::create(&*disk, &path, spec).unwrap();
    let rows: Vec<u8> = (1..=ROWS).flat_map(u64::to_le_bytes).collect();
    file.append(&rows).unwrap();
    file.sync().unwrap();
    file
}

/// Cuts the file behind the back of its map: what a page that the disk cannot read looks like to a reader.
fn cut(file: &MmapRowFile, pages: usize) {
    let disk = Env::production(1).unwrap().disk;
    let length = (HEADER_BYTES + pages * 4096) as u64;
    let handle = disk.open(file.path(), OpenMode::ReadWrite).unwrap();
    handle.set_len(length).unwrap();
}

fn number(file: &MmapRowFile, row: u64) -> u64 {
    u64::from_le_bytes((*file.row(row).unwrap()).try_into().unwrap())
}

#[test]
fn a_page_that_cannot_be_read_is_zeros_and_counted() {
    let dir = tempfile::tempdir().unwrap();
    let file = mapped(&dir);
    assert_eq!((number(&file, 0), number(&file, ROWS - 1)), (1, ROWS));
    cut(&file, 1);
    assert_eq!(number(&file, 511), 512, "the first page is there");
    assert_eq!(file.faulted_pages(), 0);
    for row in [512, 1023, 600, ROWS - 1] {
        assert_eq!(number(&file, row), 0, "row {row}");
    }
    assert_eq!(file.faulted_pages(), 2, "each page is met once");
    assert_eq!(number(&file, 0), 1, "other pages are as before");
}

#[test]
fn all_readers_of_a_lost_page_survive() {
    let dir = tempfile::tempdir().unwrap();
    let env = Env::production(1).unwrap();
    let file = std::sync::Arc::new(mapped(&dir));
    cut(&file, 0);
    let (done, answers) = std::sync::mpsc::sync_channel(8);
    for _ in 0..8 {
        let (file, done) = (file.clone(), done.clone());
        env.spawn.compute(Box::new(move || {
            done.send((0..ROWS).map(|row| number(&file, row)).sum::<u64>()).unwrap();
        }));
    }
    drop(done);
    assert_eq!(answers.iter().collect::<Vec<_>>(), [0; 8]);
}

#[test]
fn a_new_map_in_the_place_of_an_old_one_starts_at_nought() {
    let dir = tempfile::tempdir().unwrap();
    let file = mapped(&dir);
    cut(&file, 2);
    assert_eq!(number(&file, ROWS - 1), 0);
    assert_eq!(file.faulted_pages(), 1);
    drop(file);
    let dir = tempfile::tempdir().unwrap();
    let files: Vec<_> = (0..4).map(|_| tempfile::tempdir_in(&dir).unwrap()).collect();
    for dir in &files {
        let file = mapped(dir);
        assert_eq!(file.faulted_pages(), 0);
        assert_eq!(number(&file, ROWS - 1), ROWS);
        cut(&file, 1);
        assert_eq!(number(&file, ROWS - 1), 0);
    }
}

#[test]
fn a_place_that_is_empty_or_changes_holds_nothing() {
    let place = Place::new();
    assert!(!place.holds(0));
    place.set(4096..8192);
    let held = [4095, 4096, 8191, 8192].map(|address| place.holds(address));
    assert_eq!(held, [false, true, true, false]);
    place.version.fetch_add(1, Ordering::Relaxed);
    assert!(!place.holds(4096));
    place.version.fetch_add(1, Ordering::Relaxed);
    place.set(0..0);
    assert!(!place.holds(4096));
}

#[test]
fn the_more_is_lost_the_more_is_replaced_at_once_but_nothing_beside_the_map() {
    let (place, page) = (Place::new(), 4096);
    place.set(10 * page..3000 * page);
    let window = |faulted, at: usize| {
        place.faults.store(faulted, Ordering::Relaxed);
        let (start, end) = place.window(at * page + 7, page);
        (start / page, end / page)
    };
    assert_eq!(window(0, 1000), (1000, 1001));
    assert_eq!(window(ALONE - 1, 1001), (1001, 1002));
    assert_eq!(window(ALONE, 1001), (1000, 1002));
    assert_eq!(window(ALONE * 4, 1001), (992, 1008));
    assert_eq!(window(ALONE * 4, 12), (10, 16));
    assert_eq!(window(u64::MAX, 12), (10, 3000));
}

/// Not a test of its own unless the child of the next one runs it.
#[test]
fn dies_when_told_to() {
    let Ok(how) = std::env::var(DIE) else { return };
    let dir = tempfile::tempdir().unwrap();
    let file = mapped(&dir);
    cut(&file, 0);
    assert_eq!(number(&file, 0), 0, "the handler is there");
    if how == "sent" {
        // The first one is for the handler that Rust's runtime installs: it makes way for the default and ignores it.
        for _ in 0..2 {
            // SAFETY: a signal to this thread.
            unsafe { libc::raise(libc::SIGBUS) };
        }
    } else {
        let disk = Env::production(1).unwrap().disk;
        let other = disk.open(&dir.path().join("other"), OpenMode::CreateNew).unwrap();
        other.set_len(4096).unwrap();
        let map = MmapOptions::new()
            .map_raw_read_only(&other.descriptor().unwrap())
            .unwrap();
        other.set_len(0).unwrap();
        // SAFETY: the map is there; that the read fails is the point.
        let byte = unsafe { map.as_ptr().read_volatile() };
        eprintln!("read {byte}");
    }
}

#[test]
fn a_bus_error_that_is_none_of_ours_still_ends_the_process() {
    for how in ["elsewhere", "sent"] {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["rows::mmap::fault::tests::dies_when_told_to", "--exact"])
            .env(DIE, how)
            .output()
            .unwrap();
        assert_eq!(child.status.signal(), Some(libc::SIGBUS), "{how}: {child:?}");
    }
}
