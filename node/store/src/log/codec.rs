//! Bytes of segment headers and records. Pure.
//!
//! ```text
//! segment  magic 8 | version 4 | 0 4 | cluster 8 | node 8 | number 8 | first seq 8 | prev crc 4 | crc 4 | zeros to 512
//! record   len 4 | crc 4 | seq 8 | synced 8 | prev crc 4 | version 4 | body of len bytes | zeros to a multiple of 8
//! ```
//! Integers are little-endian. A record's checksum starts from its segment header's, so that a record left over from a
//! former life of a recycled segment is never valid. `synced` is the newest sequence known to be durable when the record
//! was written: by it, recovery tells a damaged acknowledged record from a write that a crash interrupted, even when the
//! disk wrote the pages of an unsynced tail out of order.

use bincode::config::{Configuration, Fixint, Limit, LittleEndian};
use bincode::error::DecodeError;
use covey_shared::ids::{ClusterId, NodeId};

use super::batch::Change;

pub(super) const MAGIC: [u8; 8] = *b"COVEYWAL";
/// Version of the segment format.
pub(super) const FORMAT_VERSION: u32 = 1;
/// Version of the record bodies: bumped when an old release must not read them; a new variant needs a bump.
pub(super) const BODY_VERSION: u32 = 1;
/// One sector: it is written once, before the segment gets its name, and never again.
pub(super) const SEGMENT_HEADER: usize = 512;
const SEGMENT_HEADER_USED: usize = 56;
pub(super) const RECORD_HEADER: usize = 32;
/// Records start at multiples of this, which makes the search for a valid one quick.
const ALIGN: usize = 8;
/// Upper bound of a segment, and so of anything decoded from one.
pub(super) const MAX_SEGMENT: usize = 1 << 30;

const BODY: Configuration<LittleEndian, Fixint, Limit<MAX_SEGMENT>> =
    bincode::config::legacy().with_limit::<MAX_SEGMENT>();

/// The first block of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SegmentHeader {
    pub(super) cluster: ClusterId,
    pub(super) node: NodeId,
    pub(super) number: u64,
    pub(super) first_seq: u64,
    /// Checksum of the record before the first one.
    pub(super) prev_crc: u32,
}

/// Why a header was not read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum BadHeader {
    Damaged,
    Version(u32),
}

impl SegmentHeader {
    /// The block, and the checksum that salts the segment's records.
    pub(super) fn encode(&self) -> ([u8; SEGMENT_HEADER], u32) {
        let mut block = [0; SEGMENT_HEADER];
        block[0..8].copy_from_slice(&MAGIC);
        block[8..12].copy_from_slice(&FORMAT_VERSION.to_le_bytes());
        block[16..24].copy_from_slice(&self.cluster.0.to_le_bytes());
        block[24..32].copy_from_slice(&self.node.0.to_le_bytes());
        block[32..40].copy_from_slice(&self.number.to_le_bytes());
        block[40..48].copy_from_slice(&self.first_seq.to_le_bytes());
        block[48..52].copy_from_slice(&self.prev_crc.to_le_bytes());
        let crc = crc32c::crc32c(&block[..52]);
        block[52..SEGMENT_HEADER_USED].copy_from_slice(&crc.to_le_bytes());
        (block, crc)
    }

    /// The header and the salt.
    pub(super) fn decode(block: &[u8]) -> Result<(SegmentHeader, u32), BadHeader> {
        if block.len() < SEGMENT_HEADER || block[..8] != MAGIC {
            return Err(BadHeader::Damaged);
        }
        let crc = u32_at(block, 52);
        if crc != crc32c::crc32c(&block[..52]) {
            return Err(BadHeader::Damaged);
        }
        match u32_at(block, 8) {
            FORMAT_VERSION => {}
            found => return Err(BadHeader::Version(found)),
        }
        let header = SegmentHeader {
            cluster: ClusterId(u64_at(block, 16)),
            node: NodeId(u64_at(block, 24)),
            number: u64_at(block, 32),
            first_seq: u64_at(block, 40),
            prev_crc: u32_at(block, 48),
        };
        Ok((header, crc))
    }
}

/// What a new record links to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) seq: u64,
    pub(super) synced: u64,
    pub(super) prev_crc: u32,
}

/// A record whose checksum is right.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Record<'a> {
    pub(super) link: Link,
    pub(super) crc: u32,
    pub(super) version: u32,
    pub(super) body: &'a [u8],
    /// Offset after the record and its padding.
    pub(super) end: usize,
}

/// Encodes a record into `out`, replacing what is there, and returns its checksum. An empty list of changes has no body.
pub(super) fn encode_record(out: &mut Vec<u8>, salt: u32, link: Link, changes: &[Change]) -> u32 {
    out.clear();
    out.resize(RECORD_HEADER, 0);
    if !changes.is_empty() {
        bincode::encode_into_std_write(changes, out, BODY).expect("writing into memory does not fail");
    }
    let len = u32::try_from(out.len() - RECORD_HEADER).expect("a record is far smaller than 4 GiB");
    out[0..4].copy_from_slice(&len.to_le_bytes());
    out[8..16].copy_from_slice(&link.seq.to_le_bytes());
    out[16..24].copy_from_slice(&link.synced.to_le_bytes());
    out[24..28].copy_from_slice(&link.prev_crc.to_le_bytes());
    out[28..32].copy_from_slice(&BODY_VERSION.to_le_bytes());
    let crc = checksum(salt, out);
    out[4..8].copy_from_slice(&crc.to_le_bytes());
    out.resize(out.len().next_multiple_of(ALIGN), 0);
    crc
}

/// Over the length and everything after the checksum, padding excluded.
fn checksum(salt: u32, record: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c_append(salt, &record[..4]), &record[8..])
}

/// The record at `offset`, if it is whole.
pub(super) fn record_at(segment: &[u8], offset: usize, salt: u32) -> Option<Record<'_>> {
    let head = segment.get(offset..offset.checked_add(RECORD_HEADER)?)?;
    let len = u32_at(head, 0) as usize;
    let record = segment.get(offset..offset + RECORD_HEADER + len)?;
    let crc = u32_at(head, 4);
    if crc != checksum(salt, record) {
        return None;
    }
    let link = Link {
        seq: u64_at(head, 8),
        synced: u64_at(head, 16),
        prev_crc: u32_at(head, 24),
    };
    let end = (offset + RECORD_HEADER + len).next_multiple_of(ALIGN);
    Some(Record {
        link,
        crc,
        version: u32_at(head, 28),
        body: &record[RECORD_HEADER..],
        end,
    })
}

/// What follows an unreadable record.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Remains {
    /// The newest sequence that a valid record says was synced.
    pub(super) synced: u64,
    /// Offset after the last valid record, or after the torn one if its header stands.
    pub(super) end: usize,
}

/// Looks after `offset`, where record `seq` should be, for it or later ones.
pub(super) fn remains(segment: &[u8], offset: usize, salt: u32, seq: u64) -> Remains {
    let mut remains = Remains { synced: 0, end: offset };
    let mut at = offset;
    while let Some(head) = segment.get(at..at + RECORD_HEADER) {
        let found = u64_at(head, 8);
        // A later record cannot be nearer than the records that lie in between.
        let reach = ((at - offset) / RECORD_HEADER) as u64;
        if found >= seq && found - seq <= reach {
            if let Some(record) = record_at(segment, at, salt) {
                remains.synced = remains.synced.max(record.link.synced);
                remains.end = record.end;
            } else if at == offset {
                remains.end = segment
                    .len()
                    .min((at + RECORD_HEADER + u32_at(head, 0) as usize).next_multiple_of(ALIGN));
            }
        }
        at += ALIGN;
    }
    remains.end = remains.end.min(segment.len());
    remains
}

/// The changes in a record's body.
pub(super) fn decode_body(body: &[u8]) -> Result<Vec<Change>, DecodeError> {
    if body.is_empty() {
        return Ok(Vec::new());
    }
    let (changes, used) = bincode::decode_from_slice(body, BODY)?;
    if used < body.len() {
        return Err(DecodeError::Other("bytes are left over"));
    }
    Ok(changes)
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}

#[cfg(test)]
#[path = "codec_test.rs"]
mod tests;
