//! What every log must do.

use bytes::Bytes;

use super::Seeded;
use crate::log::{
    EntryKind, GroupId, HardState, LogBatch, LogEntry, LogError, LogPosition, LogStore, MemoryImage, MemoryLog,
    Recovered, Rejection,
};

/// A log and what it found.
pub type Opened = (Box<dyn LogStore>, Recovered);

const GROUP: GroupId = GroupId(7);
const OTHER: GroupId = GroupId(8);
const START: LogPosition = LogPosition { index: 0, term: 0 };
const BEYOND: LogPosition = LogPosition { index: 50, term: 9 };

pub(crate) fn entries(range: std::ops::RangeInclusive<u64>, term: u64, bytes: usize) -> Vec<LogEntry> {
    let entry = |index: u64| {
        let kind = if index.is_multiple_of(5) {
            EntryKind::ConfChange
        } else {
            EntryKind::Normal
        };
        LogEntry {
            index,
            term,
            kind,
            data: Bytes::from(vec![(index * 31 + term) as u8; bytes]),
        }
    };
    range.map(entry).collect()
}

/// Group life cycle, replacement of suffixes, compaction, and what is refused. `open` opens the log anew, empty at first;
/// the one before has been dropped.
pub fn log_rules(open: &mut dyn FnMut() -> Opened) {
    let (mut log, found) = open();
    assert_eq!(found, Recovered::default(), "a new log is empty");
    refusals(&mut *log);

    append(&mut *log, |batch| {
        batch
            .create_group(GROUP, START)
            .create_group(OTHER, LogPosition { index: 5, term: 5 })
    });
    let state = HardState {
        term: 2,
        vote: 3,
        commit: 0,
    };
    append(&mut *log, |batch| {
        batch.entries(GROUP, entries(1..=4, 1, 10)).hard_state(GROUP, state)
    });
    append(&mut *log, |batch| batch.entries(GROUP, entries(3..=6, 2, 10)));
    append(&mut *log, |batch| {
        batch
            .entries(OTHER, entries(6..=9, 5, 0))
            .truncate(OTHER, 8)
            .truncate(OTHER, 100)
    });
    append(&mut *log, |batch| {
        batch
            .compact(GROUP, LogPosition { index: 2, term: 1 })
            .compact(GROUP, START)
    });
    append(&mut *log, |batch| batch.commit(GROUP, HardState { commit: 6, ..state }));
    refused(&mut *log, GROUP, Rejection::Exists, |batch| {
        batch.create_group(GROUP, START)
    });
    let compacted = Rejection::Compacted { from: 2, compacted: 2 };
    refused(&mut *log, GROUP, compacted, |batch| {
        batch.entries(GROUP, entries(2..=3, 3, 1))
    });
    refused(&mut *log, GROUP, compacted, |batch| batch.truncate(GROUP, 2));
    let hole = Rejection::Hole { from: 8, last: 6 };
    refused(&mut *log, GROUP, hole, |batch| {
        batch.entries(GROUP, entries(8..=9, 3, 1))
    });
    log.sync().expect("a log syncs");
    drop(log);

    let (mut log, found) = open();
    let group = &found.groups[&GROUP];
    assert_eq!(group.hard_state, HardState { commit: 6, ..state });
    assert_eq!(group.compacted, LogPosition { index: 2, term: 1 });
    assert_eq!(group.entries, entries(3..=6, 2, 10));
    assert_eq!(found.groups[&OTHER].entries, entries(6..=7, 5, 0));
    destruction(&mut *log);
    drop(log);

    let (mut log, found) = open();
    assert_eq!(found.groups[&GROUP].compacted, BEYOND);
    assert_eq!(found.groups[&GROUP].entries, entries(51..=52, 9, 1));
    assert!(found.groups[&OTHER].tombstone && found.groups[&OTHER].entries.is_empty());
    assert!(found.groups[&GroupId(99)].tombstone);
    refused(&mut *log, OTHER, Rejection::Tombstone, |batch| {
        batch.create_group(OTHER, START)
    });
    assert_eq!(found.torn, None);
}

/// A log emptied past its end goes on there; a destroyed group takes nothing any more.
fn destruction(log: &mut dyn LogStore) {
    append(log, |batch| {
        batch
            .compact(GROUP, BEYOND)
            .entries(GROUP, entries(51..=52, 9, 1))
            .tombstone(OTHER)
    });
    append(log, |batch| batch.tombstone(GroupId(99)));
    refused(log, OTHER, Rejection::Tombstone, |batch| {
        batch.create_group(OTHER, START)
    });
    refused(log, OTHER, Rejection::Tombstone, |batch| {
        batch.entries(OTHER, entries(8..=8, 5, 1))
    });
    log.sync().expect("a log syncs");
}

fn refusals(log: &mut dyn LogStore) {
    refused(log, GROUP, Rejection::Unknown, |batch| {
        batch.entries(GROUP, entries(1..=1, 1, 1))
    });
    refused(log, GROUP, Rejection::Unknown, |batch| {
        batch.commit(GROUP, HardState::default())
    });
    let gap = [entries(1..=1, 1, 1), entries(3..=3, 1, 1)].concat();
    let not_contiguous = Rejection::NotContiguous;
    refused(log, GROUP, not_contiguous, |batch| {
        batch.create_group(GROUP, START).entries(GROUP, gap)
    });
    refused(log, GROUP, not_contiguous, |batch| {
        batch.create_group(GROUP, START).entries(GROUP, Vec::new())
    });
    let exists = Rejection::Exists;
    refused(log, GROUP, exists, |batch| {
        batch.create_group(GROUP, START).create_group(GROUP, START)
    });
}

fn append(log: &mut dyn LogStore, fill: impl FnOnce(&mut LogBatch) -> &mut LogBatch) {
    let mut batch = LogBatch::new();
    fill(&mut batch);
    log.append(&batch).expect("a fit batch is appended");
}

fn refused(
    log: &mut dyn LogStore,
    group: GroupId,
    reason: Rejection,
    fill: impl FnOnce(&mut LogBatch) -> &mut LogBatch,
) {
    let mut batch = LogBatch::new();
    fill(&mut batch);
    match log.append(&batch) {
        Err(LogError::Rejected {
            group: found,
            reason: why,
        }) => assert_eq!((found, why), (group, reason)),
        other => panic!("a batch that is not fit was answered with {other:?}"),
    }
}

/// Runs random batches with random syncs and reopenings against the oracle: after every reopening the log holds the
/// first batches in order, among them all that were synced. `open` may lose power before it opens.
pub fn log_keeps_what_it_synced(seed: u64, steps: u64, open: &mut dyn FnMut() -> Opened) {
    let mut random = Seeded::new(seed);
    let (mut log, found) = open();
    assert_eq!(found, Recovered::default(), "a new log is empty");
    let mut history = History::new();
    for step in 0..steps {
        let batch = history.random_batch(&mut random);
        history.append(&batch);
        log.append(&batch)
            .unwrap_or_else(|error| panic!("seed {seed} step {step}: {error}"));
        if random.one_in(3) {
            log.sync()
                .unwrap_or_else(|error| panic!("seed {seed} step {step}: {error}"));
            history.synced();
        }
        if random.one_in(20) {
            drop(log);
            let (opened, found) = open();
            log = opened;
            assert!(
                history.reopened(&found),
                "seed {seed} step {step}: not a prefix with all synced batches: {found:?}"
            );
        }
    }
}

/// The oracle and all its states since the last sync.
#[derive(Debug)]
pub(crate) struct History {
    oracle: MemoryLog,
    image: MemoryImage,
    /// The state at the last sync, and after each batch since.
    pub(crate) states: Vec<Recovered>,
}

impl History {
    pub(crate) fn new() -> History {
        let image = MemoryImage::default();
        let (oracle, empty) = MemoryLog::open(&image);
        History {
            oracle,
            image,
            states: vec![empty],
        }
    }

    pub(crate) fn append(&mut self, batch: &LogBatch) {
        self.oracle.append(batch).expect("the oracle takes every fit batch");
        self.states.push(self.oracle.state());
    }

    pub(crate) fn synced(&mut self) {
        self.oracle.sync().expect("the oracle has nothing to fail");
        self.states.drain(..self.states.len() - 1);
    }

    /// Goes on from what a log found at its opening; false if it must not have found that.
    pub(crate) fn reopened(&mut self, found: &Recovered) -> bool {
        let same = |state: &Recovered| state.groups == found.groups;
        let Some(kept) = self.states.iter().rposition(same) else {
            return false;
        };
        self.image.power_loss(kept);
        let (oracle, state) = MemoryLog::open(&self.image);
        self.oracle = oracle;
        self.states = vec![state];
        true
    }

    pub(crate) fn random_batch(&mut self, random: &mut Seeded) -> LogBatch {
        let mut batch = LogBatch::new();
        for _ in 0..=random.below(4) {
            let mut with_one_more = batch.clone();
            self.random_change(random, &mut with_one_more);
            // Unfit changes are left out; what is fit is the oracle's to say.
            if self.oracle.accepts(&with_one_more) {
                batch = with_one_more;
            }
        }
        batch
    }

    fn random_change(&self, random: &mut Seeded, batch: &mut LogBatch) {
        let group = GroupId(random.below(4));
        let state = self.states.last().and_then(|state| state.groups.get(&group));
        let Some(state) = state else {
            let index = random.below(3);
            batch.create_group(group, LogPosition { index, term: index });
            return;
        };
        let first = state.compacted.index + 1;
        let last = state.compacted.index + state.entries.len() as u64;
        let within = first + random.below(last + 2 - first);
        let term = state.hard_state.term + 1;
        match random.below(20) {
            0..10 => {
                let from = if random.one_in(4) { within } else { last + 1 };
                let (count, bytes) = (random.below(5), random.below(200) as usize);
                batch.entries(group, entries(from..=from + count, term, bytes))
            }
            10..13 => batch.hard_state(
                group,
                HardState {
                    term,
                    vote: random.below(4),
                    commit: last,
                },
            ),
            13..16 => batch.commit(
                group,
                HardState {
                    commit: last,
                    ..state.hard_state
                },
            ),
            16 => batch.truncate(group, within),
            17 => batch.compact(
                group,
                LogPosition {
                    index: last + random.below(3),
                    term,
                },
            ),
            18 => batch.compact(group, LogPosition { index: within, term }),
            _ if random.one_in(20) => batch.tombstone(group),
            _ => batch.compact(group, LogPosition { index: last, term }),
        };
    }
}
