//! Bytes of records, as the log and the journal of the simulated store write them. Pure.
//!
//! ```text
//! len 4 | crc 4 | seq 8 | synced 8 | prev crc 4 | version 4 | body of len bytes | zeros to a multiple of 8
//! ```
//! Integers are little-endian. The checksum starts from a salt, the checksum of the file's header, so that a record left
//! over from a former life of a recycled file is never valid. `synced` is the newest sequence known to be durable when
//! the record was written: by it, recovery tells a damaged acknowledged record from a write that a crash interrupted,
//! even when the disk wrote the pages of an unsynced tail out of order.

/// Version of the record bodies: bumped when an old release must not read them; a new variant needs a bump.
pub(crate) const BODY_VERSION: u32 = 1;
/// No release ever writes one above it: what claims to be is not looked at as a record. Below the upper half of a time in
/// milliseconds, which stands there in what posts leave behind.
const NEWEST_VERSION: u32 = u8::MAX as u32;
pub(crate) const RECORD_HEADER: usize = 32;
/// Records are multiples of this long, which makes the search for a valid one quick.
const ALIGN: usize = 8;

/// What a new record links to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) seq: u64,
    pub(crate) synced: u64,
    pub(crate) prev_crc: u32,
}

/// A record whose checksum is right.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Record<'a> {
    pub(crate) link: Link,
    pub(crate) crc: u32,
    pub(crate) version: u32,
    pub(crate) body: &'a [u8],
    /// Offset after the record and its padding.
    pub(crate) end: usize,
}

/// Encodes a record into `out`, replacing what is there, and returns its checksum.
pub(crate) fn encode_record(out: &mut Vec<u8>, salt: u32, link: Link, write_body: impl FnOnce(&mut Vec<u8>)) -> u32 {
    out.clear();
    out.resize(RECORD_HEADER, 0);
    write_body(out);
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
pub(crate) fn record_at(segment: &[u8], offset: usize, salt: u32) -> Option<Record<'_>> {
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
pub(crate) struct Remains {
    /// The newest sequence that a valid record says was synced.
    pub(crate) synced: u64,
    /// Offset after the last valid record, or after the torn one if its header stands.
    pub(crate) end: usize,
}

/// Whether a record can begin so, told without its checksum. What lies in a recycled file are posts of long ago: small numbers,
/// each of which could be a sequence behind a length of many megabytes.
pub(super) fn could_be_record(head: &[u8], seq: u64) -> bool {
    u64_at(head, 16) < seq && (1..=NEWEST_VERSION).contains(&u32_at(head, 28))
}

/// Looks after `offset`, where record `seq` should be, for it or later ones.
pub(crate) fn remains(segment: &[u8], offset: usize, salt: u32, seq: u64) -> Remains {
    let mut remains = Remains { synced: 0, end: offset };
    let mut at = offset;
    while let Some(head) = segment.get(at..at + RECORD_HEADER) {
        let found = u64_at(head, 8);
        // A later record cannot be nearer than the records that lie in between.
        let reach = ((at - offset) / RECORD_HEADER) as u64;
        if found >= seq && found - seq <= reach {
            if let Some(record) = could_be_record(head, found)
                .then(|| record_at(segment, at, salt))
                .flatten()
            {
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

pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

pub(super) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}
