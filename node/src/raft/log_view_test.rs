//! The log view keeps Raft's rules for overwriting and compacting.

use super::*;

fn entry(index: u64, term: u64) -> Entry {
    let mut entry = Entry::default();
    entry.set_index(index);
    entry.set_term(term);
    entry.set_data(vec![0; 100].into());
    entry
}

fn log(entries: Vec<Entry>) -> LogView {
    LogView::new(HardState::default(), ConfState::default(), (0, 0), entries)
}

#[test]
fn an_append_replaces_the_suffix() {
    let mut log = log(vec![entry(1, 1), entry(2, 1), entry(3, 1)]);
    log.append(&[entry(2, 2)]);
    assert_eq!((log.last(), log.term(2).expect("there")), (2, 2));
}

#[test]
fn compaction_keeps_the_term_of_the_last_gone_entry() {
    let mut log = log(vec![entry(1, 1), entry(2, 3), entry(3, 3)]);
    assert_eq!(log.compact(2), Some((2, 3)));
    assert_eq!(log.compact(1), None);
    assert_eq!((log.first(), log.last(), log.term(2).expect("kept")), (3, 3, 3));
    assert!(matches!(log.term(1), Err(Error::Store(StorageError::Compacted))));
}

#[test]
fn a_size_limit_still_returns_one_entry() {
    let log = log(vec![entry(1, 1), entry(2, 1), entry(3, 1)]);
    let read = |max| {
        log.entries(1, 4, Some(max), GetEntriesContext::empty(false))
            .expect("there")
            .len()
    };
    assert_eq!((read(0), read(264), read(u64::MAX)), (1, 2, 3));
}

#[test]
#[should_panic(expected = "raft appends at 5")]
fn a_gap_aborts() {
    log(vec![entry(1, 1)]).append(&[entry(5, 1)]);
}
