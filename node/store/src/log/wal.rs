//! The write-ahead log: appends records to preallocated segments, syncs, recycles what nobody needs.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use covey_env::{Disk, OpenMode};
use covey_shared::ids::{ClusterId, NodeId};

use super::batch::Change;
use super::codec::{MAX_SEGMENT, SEGMENT_HEADER, SegmentHeader};
use super::error::io_at;
use super::group::GroupImage;
use super::index::Index;
use super::record::RECORD_HEADER;
use super::recovery::replay;
use super::tail::Tail;
use super::{Appended, GroupId, LogBatch, LogError, LogStore, LogUsage, Recovered, segment};

/// How a log is opened.
#[derive(Clone, Debug)]
pub struct WalOptions {
    /// The cluster that owns the log; another's is refused.
    pub cluster: ClusterId,
    /// The node that owns the log; another's is refused.
    pub node: NodeId,
    /// Bytes of a segment: 4 KiB to 1 GiB. The largest atomic change of one group is a little less.
    pub segment_bytes: usize,
    /// How many old segments are kept to be written again.
    pub recycle: usize,
}

impl WalOptions {
    /// The defaults: 64 MiB segments, two spares.
    #[must_use]
    pub fn new(cluster: ClusterId, node: NodeId) -> WalOptions {
        WalOptions {
            cluster,
            node,
            segment_bytes: 64 << 20,
            recycle: 2,
        }
    }
}

/// A little more than the facts of one group take.
const FACTS_BYTES: usize = 64;

/// The log of a node on a [`Disk`].
pub struct Wal {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    options: WalOptions,
    /// Segments in use, oldest first; the last one is written.
    segments: VecDeque<u64>,
    spares: Vec<PathBuf>,
    tail: Tail,
    /// Whether a batch was appended since the last sync.
    dirty: bool,
    index: Index,
    poisoned: bool,
}

impl fmt::Debug for Wal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wal")
            .field("dir", &self.dir)
            .field("segments", &self.segments)
            .field("at", &self.tail.at())
            .field("next_seq", &self.tail.next_seq())
            .field("synced", &self.tail.synced())
            .field("poisoned", &self.poisoned)
            .finish_non_exhaustive()
    }
}

impl Wal {
    /// Opens the log in `dir`, or makes a new one there, and tells what it holds. All of that is durable.
    ///
    /// # Errors
    /// See [`LogError`]; after one, nothing was changed, except that a torn tail may be wiped already.
    ///
    /// # Panics
    /// If `segment_bytes` is out of its range.
    pub fn open(disk: Arc<dyn Disk>, dir: &Path, options: WalOptions) -> Result<(Wal, Recovered), LogError> {
        let bytes = options.segment_bytes;
        assert!(
            (4096..=MAX_SEGMENT).contains(&bytes),
            "a segment of {bytes} bytes is not between 4 KiB and 1 GiB"
        );
        disk.create_dir_all(dir).map_err(io_at("create", dir))?;
        // Names may come from a process that ended before it had synced them.
        disk.sync_dir(dir).map_err(io_at("sync", dir))?;
        let names = segment::names(&*disk, dir)?;
        for leftover in &names.leftovers {
            disk.remove_file(leftover).map_err(io_at("remove", leftover))?;
        }
        let spares = usable_spares(&*disk, names.spares, &options)?;
        if names.segments.is_empty() {
            return Ok((Wal::create(disk, dir, options, spares)?, Recovered::default()));
        }
        let (replay, tail) = replay(&*disk, dir, &options, &names.segments)?;
        let groups = replay
            .images
            .into_iter()
            .map(|(group, image)| (group, GroupImage::into_recovered(image)));
        let recovered = Recovered {
            groups: groups.collect(),
            torn: replay.torn,
        };
        let mut wal = Wal {
            disk,
            dir: dir.to_owned(),
            options,
            segments: names.segments.into(),
            spares,
            tail,
            dirty: false,
            index: replay.index,
            poisoned: false,
        };
        // A crash right after the segment was made left it without the facts that must head it.
        if wal.tail.at() == SEGMENT_HEADER {
            wal.write_facts()?;
        } else if !replay.ends_vouched && wal.tail.left() >= RECORD_HEADER {
            wal.write_mark()?;
        }
        wal.sync()?;
        Ok((wal, recovered))
    }

    fn create(disk: Arc<dyn Disk>, dir: &Path, options: WalOptions, mut spares: Vec<PathBuf>) -> Result<Wal, LogError> {
        let header = SegmentHeader {
            cluster: options.cluster,
            node: options.node,
            bytes: options.segment_bytes as u32,
            number: 1,
            first_seq: 1,
            prev_crc: 0,
        };
        let file = segment::create(&*disk, dir, &header, options.segment_bytes, spares.pop())?;
        Ok(Wal {
            disk,
            dir: dir.to_owned(),
            tail: Tail::new(file, &header, options.segment_bytes),
            options,
            segments: VecDeque::from([1]),
            spares,
            dirty: false,
            index: Index::default(),
            poisoned: false,
        })
    }

    /// Paths of the segments in use, oldest first.
    #[must_use]
    pub fn segment_paths(&self) -> Vec<PathBuf> {
        self.segments
            .iter()
            .map(|number| segment::path(&self.dir, *number))
            .collect()
    }

    fn usable(&self) -> Result<(), LogError> {
        if self.poisoned {
            Err(LogError::Poisoned { dir: self.dir.clone() })
        } else {
            Ok(())
        }
    }

    fn number(&self) -> u64 {
        *self.segments.back().expect("a log has a segment")
    }

    /// The most that a record may take in a segment headed by the present facts and `new_groups` more.
    fn limit(&mut self, new_groups: usize) -> usize {
        let facts = self.tail.encode(&self.index.facts()) + new_groups * FACTS_BYTES;
        self.options
            .segment_bytes
            .saturating_sub(SEGMENT_HEADER + facts + RECORD_HEADER)
    }

    /// Writes the encoded record of these changes.
    fn write(&mut self, changes: &[Change]) -> Result<u64, LogError> {
        self.poisoned = true;
        let bytes = self
            .tail
            .write_encoded()
            .map_err(io_at("append to", self.tail.path()))?;
        self.poisoned = false;
        self.dirty |= !changes.is_empty();
        for change in changes {
            self.index.apply(change, self.number());
        }
        Ok(bytes as u64)
    }

    /// Writes a batch that is too large for what is left of the segment.
    fn write_large(&mut self, batch: &LogBatch, len: usize) -> Result<u64, LogError> {
        let limit = self.limit(0);
        let parts = if len <= limit {
            vec![batch.changes.clone()]
        } else {
            self.split(batch)?
        };
        let mut bytes = 0;
        for (position, part) in parts.iter().enumerate() {
            let written = self.write_part(part, position == 0);
            // Half a batch is in the log: the next start sorts it out.
            self.poisoned |= written.is_err() && position > 0;
            bytes += written?;
        }
        Ok(bytes)
    }

    fn write_part(&mut self, part: &[Change], first: bool) -> Result<u64, LogError> {
        if first || self.tail.encode(part) > self.tail.room() {
            self.roll()?;
        }
        self.tail.encode(part);
        self.write(part)
    }

    /// Goes on in a new segment. The old one is synced first, so that only the newest can have a torn tail.
    fn roll(&mut self) -> Result<(), LogError> {
        self.sync_tail()?;
        let header = SegmentHeader {
            cluster: self.options.cluster,
            node: self.options.node,
            bytes: self.options.segment_bytes as u32,
            number: self.number() + 1,
            first_seq: self.tail.next_seq(),
            prev_crc: self.tail.prev_crc(),
        };
        let spare = self.spares.pop();
        let made = segment::create(&*self.disk, &self.dir, &header, self.options.segment_bytes, spare);
        let file = made.map_err(|error| match error {
            LogError::Io { path, source, .. } if source.kind() == ErrorKind::StorageFull => {
                LogError::Full { path, source }
            }
            other => {
                self.poisoned = true;
                other
            }
        })?;
        self.segments.push_back(header.number);
        self.tail = Tail::new(file, &header, self.options.segment_bytes);
        self.write_facts()
    }

    fn write_facts(&mut self) -> Result<(), LogError> {
        let facts = self.index.facts();
        if facts.is_empty() {
            return Ok(());
        }
        let (bytes, limit) = (self.tail.encode(&facts), self.tail.room());
        if bytes > limit {
            return Err(LogError::TooLarge {
                bytes: bytes as u64,
                limit: limit as u64,
            });
        }
        self.write(&facts).map(drop)
    }

    /// Says on the disk, a little later and without waiting, that the records before it are durable: should the last of
    /// them rot, it is not taken for a write that a crash interrupted.
    fn write_mark(&mut self) -> Result<(), LogError> {
        self.tail.encode(&[]);
        self.write(&[]).map(drop)
    }

    fn sync_tail(&mut self) -> Result<(), LogError> {
        self.poisoned = true;
        self.tail.sync().map_err(io_at("sync", self.tail.path()))?;
        self.poisoned = false;
        Ok(())
    }

    /// Parts of a batch that is larger than a segment: whole groups, as many as fit each time.
    fn split(&mut self, batch: &LogBatch) -> Result<Vec<Vec<Change>>, LogError> {
        let mut groups: BTreeMap<GroupId, Vec<Change>> = BTreeMap::new();
        for change in &batch.changes {
            groups.entry(change.group()).or_default().push(change.clone());
        }
        let limit = self.limit(groups.len());
        let mut parts: Vec<Vec<Change>> = Vec::new();
        let mut part_bytes = limit;
        for changes in groups.into_values() {
            let bytes = self.tail.encode(&changes);
            if bytes > limit {
                return Err(LogError::TooLarge {
                    bytes: bytes as u64,
                    limit: limit as u64,
                });
            }
            match parts.last_mut() {
                Some(part) if part_bytes + bytes <= limit => {
                    part.extend(changes);
                    part_bytes += bytes;
                }
                _ => {
                    parts.push(changes);
                    part_bytes = bytes;
                }
            }
        }
        Ok(parts)
    }

    /// Gives up the oldest segments that hold no live entry. Only after a sync: what makes their entries dead must be
    /// durable first. Only from the front: a later segment may hold the truncation of an earlier one's entries.
    fn retire_dead(&mut self) -> Result<(), LogError> {
        let live = self.index.oldest_live().map_or(u64::MAX, |(segment, _)| segment);
        while let Some(oldest) = self.segments.front().copied().filter(|n| *n < live.min(self.number())) {
            let keep = self.spares.len() < self.options.recycle;
            self.spares
                .extend(segment::retire(&*self.disk, &self.dir, oldest, keep)?);
            self.segments.pop_front();
        }
        Ok(())
    }
}

impl LogStore for Wal {
    fn append(&mut self, batch: &LogBatch) -> Result<Appended, LogError> {
        self.usable()?;
        self.index.check(batch)?;
        let mut bytes = 0;
        if !batch.is_empty() {
            let len = self.tail.encode(&batch.changes);
            bytes = if len <= self.tail.room() {
                self.write(&batch.changes)?
            } else {
                self.write_large(batch, len)?
            };
        }
        Ok(Appended {
            seq: self.tail.next_seq() - 1,
            bytes,
        })
    }

    fn sync(&mut self) -> Result<(), LogError> {
        self.usable()?;
        if !self.dirty {
            return Ok(());
        }
        self.sync_tail()?;
        self.dirty = false;
        self.write_mark()?;
        self.retire_dead()
    }

    fn usage(&self) -> LogUsage {
        // The only segment is in use anyway.
        let oldest = self.segments.front().copied().filter(|_| self.segments.len() > 1);
        let pinned = self.index.oldest_live().filter(|(segment, _)| Some(*segment) == oldest);
        LogUsage {
            segments: self.segments.len(),
            spares: self.spares.len(),
            live_bytes: self.index.live_bytes(),
            pinned_by: pinned.map(|(_, group)| group),
        }
    }
}

/// Spares of the right size, as many as wanted; the others are removed.
fn usable_spares(disk: &dyn Disk, found: Vec<PathBuf>, options: &WalOptions) -> Result<Vec<PathBuf>, LogError> {
    let mut spares = Vec::new();
    for spare in found {
        let file = disk.open(&spare, OpenMode::Read).map_err(io_at("open", &spare))?;
        let len = file.len().map_err(io_at("measure", &spare))?;
        drop(file);
        if len == options.segment_bytes as u64 && spares.len() < options.recycle {
            spares.push(spare);
        } else {
            disk.remove_file(&spare).map_err(io_at("remove", &spare))?;
        }
    }
    Ok(spares)
}

#[cfg(test)]
#[path = "wal_test.rs"]
pub(crate) mod tests;
