//! A world for tests: a disk in memory, a clock that is set, chance that counts.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use covey_env::{Clock, Entropy, Env, Monotonic};
use covey_store::test_disk::TestDisk;
use serde_json::Value;

use crate::counters::Counters;
use crate::files::Kind;
use crate::log::Settings;
use crate::look::first;
use crate::rows::Batch;
use crate::rows::testing::{served, shown_served};
use crate::writer::Writer;

pub(crate) const ROOT: &str = "/events";
/// 2026-11-23T16:00:00 UTC.
pub(crate) const START: u64 = 1_795_449_600_000;
pub(crate) const HOUR_MS: u64 = 3_600_000;

/// Two clocks that stand until they are set.
#[derive(Clone, Default)]
pub(crate) struct SetClock {
    unix_ms: Arc<AtomicU64>,
    monotonic_ms: Arc<AtomicU64>,
}

impl SetClock {
    /// Time goes on.
    pub(crate) fn pass(&self, ms: u64) {
        self.unix_ms.fetch_add(ms, Relaxed);
        self.monotonic_ms.fetch_add(ms, Relaxed);
    }

    /// Somebody sets the calendar.
    pub(crate) fn jump_to(&self, unix_ms: u64) {
        self.unix_ms.store(unix_ms, Relaxed);
    }
}

impl Clock for SetClock {
    fn monotonic(&self) -> Monotonic {
        Monotonic(Duration::from_millis(self.monotonic_ms.load(Relaxed)))
    }

    fn unix_ms(&self) -> u64 {
        self.unix_ms.load(Relaxed)
    }

    fn rpc_deadline(&self, _: Duration) -> Instant {
        unreachable!("the log makes no calls")
    }
}

#[derive(Default)]
struct Counting(AtomicU64);

impl Entropy for Counting {
    fn next_u64(&self) -> u64 {
        self.0.fetch_add(1, Relaxed)
    }
}

/// The world of one process on this disk.
pub(crate) fn env(disk: &TestDisk) -> (Env, SetClock) {
    let clock = SetClock::default();
    clock.jump_to(START);
    static PRODUCTION: OnceLock<Env> = OnceLock::new();
    let production = PRODUCTION.get_or_init(|| Env::production(1).expect("a machine that runs tests has a thread"));
    let env = Env {
        clock: Arc::new(clock.clone()),
        entropy: Arc::new(Counting::default()),
        disk: disk.shared(),
        ..production.clone()
    };
    (env, clock)
}

pub(crate) fn settings() -> Settings {
    Settings {
        dir: ROOT.into(),
        budget: u64::MAX,
        min_free: 0.05,
        rotate: Duration::from_secs(3600),
        queue: 100,
    }
}

/// A writer with the defaults of tests, its clock and its counters.
pub(crate) fn writer(disk: &TestDisk) -> (Writer, SetClock, Arc<Counters>) {
    let (env, clock) = env(disk);
    let counters = Arc::new(Counters::default());
    let writer = Writer::open(env, settings(), counters.clone()).expect("the disk works");
    (writer, clock, counters)
}

/// Paths of all files of the log below `folder`, by name.
pub(crate) fn files(disk: &TestDisk, folder: &str) -> Vec<String> {
    let folder = format!("{ROOT}/{folder}");
    let all = disk.files().into_iter().map(|(path, _)| path);
    let wanted = all.filter(|path| path.starts_with(&folder));
    wanted
        .filter_map(|path| Some(path.strip_prefix(ROOT).ok()?.to_str()?.to_owned()))
        .collect()
}

/// The rows of all sealed files of a kind, file by file, as JSON.
pub(crate) fn sealed(disk: &TestDisk, kind: Kind) -> Vec<Value> {
    let paths = files(disk, kind.as_str());
    let paths = paths.iter().filter(|path| path.ends_with(".parquet"));
    let rows = paths.map(|path| {
        let content = disk.shared().read_file(&Path::new(ROOT).join(path), u64::MAX);
        shown(content.expect("the file is there"))
    });
    rows.flatten().collect()
}

/// The rows of a Parquet file as JSON.
pub(crate) fn shown(file: Vec<u8>) -> Vec<Value> {
    let rows = first(file, usize::MAX).expect("the file is whole");
    let rows = rows.iter().map(|row| serde_json::to_value(row).expect("a row is JSON"));
    rows.collect()
}

/// Changes a byte of a file of one frame so that its checksums are right: as if another release had written it.
pub(crate) fn forge(disk: &TestDisk, path: &Path, at: usize, byte: u8) {
    disk.tamper(path, |bytes| {
        bytes[at] = byte;
        for (checked, crc) in [(22..bytes.len(), 14..18), (0..18, 18..22)] {
            let sum = crc32c::crc32c(&bytes[checked]);
            bytes[crc].copy_from_slice(&sum.to_le_bytes());
        }
    });
}

/// Served rows with these numbers.
pub(crate) fn batch(from: u64, count: u64) -> Batch {
    Batch::Served((from..from + count).map(served).collect())
}

/// The numbers of the sealed rows, in the order of the files.
pub(crate) fn numbers(disk: &TestDisk) -> Vec<u64> {
    let rows = sealed(disk, Kind::Served).into_iter();
    rows.map(|row| {
        let n = row["asked_at"].as_u64().expect("a time") - START;
        assert_eq!(row, shown_served(n));
        n
    })
    .collect()
}
