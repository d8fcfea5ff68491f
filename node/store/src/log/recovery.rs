//! Reads all segments back. The log ends at the first unreadable record, but only if no later record says that it had
//! been synced: an acknowledged entry is never silently cut off.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use covey_env::{Disk, DiskFile, OpenMode};

use super::codec::decode_body;
use super::codec::{BadHeader, FORMAT_VERSION, MAX_SEGMENT, SEGMENT_HEADER, SegmentHeader};
use super::error::io_at;
use super::group::{Images, apply};
use super::index::Index;
use super::record::{BODY_VERSION, record_at, remains};
use super::tail::Tail;
use super::{Damage, LogError, TornTail, WalOptions, segment};

/// What the segments hold.
#[derive(Debug, Default)]
pub(super) struct Replay {
    pub(super) images: Images,
    pub(super) index: Index,
    pub(super) torn: Option<TornTail>,
    /// Sequence of the next record.
    pub(super) next_seq: u64,
    /// Checksum of the last record.
    pub(super) prev_crc: u32,
    /// Where the last segment ends.
    pub(super) at: usize,
    /// Where the last record of the last segment begins that only says that those before it were synced. Nothing says
    /// so of it and of those behind.
    pub(super) in_doubt_from: usize,
    /// Whether it is the last of all.
    pub(super) ends_vouched: bool,
}

/// One segment, read whole.
struct Loaded {
    header: SegmentHeader,
    path: PathBuf,
    file: Arc<dyn DiskFile>,
    /// Length of the file.
    len: usize,
    content: Vec<u8>,
    salt: u32,
}

/// Replays the segments `numbers` (not empty, ascending), cuts a torn tail and leaves everything it read durable.
pub(super) fn replay(
    disk: &dyn Disk,
    dir: &Path,
    options: &WalOptions,
    numbers: &[u64],
) -> Result<(Replay, Tail), LogError> {
    let mut replay = Replay::default();
    let mut last = None;
    for (position, number) in numbers.iter().copied().enumerate() {
        if let Some(missing) = position
            .checked_sub(1)
            .map(|before| numbers[before] + 1)
            .filter(|n| *n != number)
        {
            let damage = Damage::MissingSegment { number: missing };
            return Err(LogError::Corrupt {
                path: segment::path(dir, missing),
                offset: 0,
                damage,
            });
        }
        let loaded = load(disk, dir, options, number)?;
        let header = loaded.header;
        if position == 0 {
            (replay.next_seq, replay.prev_crc) = (header.first_seq, header.prev_crc);
        } else if (header.first_seq, header.prev_crc) != (replay.next_seq, replay.prev_crc) {
            // The segment before was synced to its end before this one was made, and now ends earlier.
            let path = segment::path(dir, number - 1);
            let damage = Damage::Record { seq: replay.next_seq };
            return Err(LogError::Corrupt {
                path,
                offset: replay.at as u64,
                damage,
            });
        }
        replay.segment(&loaded)?;
        last = Some(loaded);
    }
    let last = last.expect("a log is replayed only if it has a segment");
    replay.cut(&last)?;
    replay.check_complete(&last.path)?;
    let tail = Tail::new(last.file, &last.header, options.segment_bytes);
    let tail = tail.resume(replay.at, replay.next_seq, replay.prev_crc);
    Ok((replay, tail))
}

fn load(disk: &dyn Disk, dir: &Path, options: &WalOptions, number: u64) -> Result<Loaded, LogError> {
    let path = segment::path(dir, number);
    let corrupt = |damage| LogError::Corrupt {
        path: path.clone(),
        offset: 0,
        damage,
    };
    let file = disk.open(&path, OpenMode::ReadWrite).map_err(io_at("open", &path))?;
    let len = file.len().map_err(io_at("measure", &path))?;
    let len = usize::try_from(len)
        .ok()
        .filter(|len| (SEGMENT_HEADER..=MAX_SEGMENT).contains(len));
    let len = len.ok_or_else(|| corrupt(Damage::Header))?;
    // Zeros behind the end of a segment that is smaller than new ones: it will be lengthened.
    let mut content = vec![0; len.max(options.segment_bytes)];
    file.read_at(&mut content[..len], 0).map_err(io_at("read", &path))?;
    let (header, salt) = match SegmentHeader::decode(&content) {
        Ok(decoded) => decoded,
        Err(BadHeader::Damaged) => return Err(corrupt(Damage::Header)),
        Err(BadHeader::Version(found)) => {
            return Err(LogError::Version {
                path,
                found,
                supported: FORMAT_VERSION,
            });
        }
    };
    if (header.cluster, header.node) != (options.cluster, options.node) {
        return Err(LogError::WrongOwner {
            path,
            found_cluster: header.cluster,
            found_node: header.node,
            cluster: options.cluster,
            node: options.node,
        });
    }
    if header.number != number {
        return Err(corrupt(Damage::Number { found: header.number }));
    }
    // A segment had its length, durably, before its name: no crash makes it shorter.
    if len < header.bytes as usize {
        let (found, expected) = (len as u64, header.bytes.into());
        return Err(corrupt(Damage::Cut { found, expected }));
    }
    Ok(Loaded {
        header,
        path,
        file,
        len,
        content,
        salt,
    })
}

impl Replay {
    fn segment(&mut self, loaded: &Loaded) -> Result<(), LogError> {
        (self.at, self.in_doubt_from) = (SEGMENT_HEADER, SEGMENT_HEADER);
        while let Some(record) = record_at(&loaded.content, self.at, loaded.salt) {
            if (record.link.seq, record.link.prev_crc) != (self.next_seq, self.prev_crc) {
                break;
            }
            if record.version > BODY_VERSION {
                let (path, found) = (loaded.path.clone(), record.version);
                return Err(LogError::Version {
                    path,
                    found,
                    supported: BODY_VERSION,
                });
            }
            let corrupt = |damage| LogError::Corrupt {
                path: loaded.path.clone(),
                offset: self.at as u64,
                damage,
            };
            let seq = record.link.seq;
            self.ends_vouched = record.body.is_empty();
            if self.ends_vouched {
                self.in_doubt_from = self.at;
            }
            let changes = decode_body(record.body).map_err(|source| corrupt(Damage::Body { seq, source }))?;
            for change in changes {
                let group = change.group();
                self.index.apply(&change, loaded.header.number);
                apply(&mut self.images, change)
                    .map_err(|reason| corrupt(Damage::Contradiction { seq, group, reason }))?;
            }
            (self.next_seq, self.prev_crc, self.at) = (seq + 1, record.crc, record.end);
        }
        Ok(())
    }

    /// Judges what follows the last readable record, wipes it, and syncs: what was read may only be in the page cache
    /// of a process that was killed, and is about to be relied on. It is written again first, because that process may
    /// have ended over a failed sync, after which the system holds pages for clean that it never wrote.
    fn cut(&mut self, last: &Loaded) -> Result<(), LogError> {
        let (path, offset) = (&last.path, self.at as u64);
        let remains = remains(&last.content, self.at, last.salt, self.next_seq);
        if remains.synced >= self.next_seq {
            let damage = Damage::Record { seq: self.next_seq };
            return Err(LogError::Corrupt {
                path: path.clone(),
                offset,
                damage,
            });
        }
        if remains.end > self.at {
            let bytes = (remains.end - self.at) as u64;
            last.file
                .write_at(&vec![0; remains.end - self.at], offset)
                .map_err(io_at("wipe the torn end of", path))?;
            self.torn = Some(TornTail {
                path: path.clone(),
                offset,
                bytes,
            });
        }
        if self.in_doubt_from < self.at {
            last.file
                .write_at(&last.content[self.in_doubt_from..self.at], self.in_doubt_from as u64)
                .map_err(io_at("write the end again of", path))?;
        }
        if last.len < last.content.len() {
            last.file
                .set_len(last.content.len() as u64)
                .map_err(io_at("lengthen", path))?;
        }
        last.file.sync_all().map_err(io_at("sync", path))
    }

    fn check_complete(&self, last: &Path) -> Result<(), LogError> {
        for (group, image) in &self.images {
            if let Some((from, to)) = image.absent() {
                let damage = Damage::Entries {
                    group: *group,
                    from,
                    to,
                };
                return Err(LogError::Corrupt {
                    path: last.to_owned(),
                    offset: self.at as u64,
                    damage,
                });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "recovery_test.rs"]
mod tests;
