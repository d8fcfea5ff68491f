//! Bytes of segment headers and record bodies. Pure.
//!
//! ```text
//! magic 8 | version 4 | 0 4 | cluster 8 | node 8 | number 8 | first seq 8 | prev crc 4 | crc 4 | zeros to 512
//! ```
//! Integers are little-endian. The header's checksum salts the segment's records.

use bincode::config::{Configuration, Fixint, Limit, LittleEndian};
use bincode::error::DecodeError;
use covey_shared::ids::{ClusterId, NodeId};

use super::batch::Change;
use super::record::{u32_at, u64_at};

pub(super) const MAGIC: [u8; 8] = *b"COVEYWAL";
/// Version of the segment format.
pub(super) const FORMAT_VERSION: u32 = 1;
/// One sector: it is written once, before the segment gets its name, and never again.
pub(super) const SEGMENT_HEADER: usize = 512;
const SEGMENT_HEADER_USED: usize = 56;
/// Upper bound of a segment, and so of anything decoded from one.
pub(super) const MAX_SEGMENT: usize = 1 << 30;

const BODY: Configuration<LittleEndian, Fixint, Limit<MAX_SEGMENT>> =
    bincode::config::legacy().with_limit::<MAX_SEGMENT>();

/// The first block of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SegmentHeader {
    pub(super) cluster: ClusterId,
    pub(super) node: NodeId,
    /// Length of the whole file, made before it got its name: a shorter one has lost its end. 0 if it is not known.
    pub(super) bytes: u32,
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
        block[12..16].copy_from_slice(&self.bytes.to_le_bytes());
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
            bytes: u32_at(block, 12),
            number: u64_at(block, 32),
            first_seq: u64_at(block, 40),
            prev_crc: u32_at(block, 48),
        };
        Ok((header, crc))
    }
}

/// The body of a record; empty if nothing changes.
pub(super) fn encode_body(out: &mut Vec<u8>, changes: &[Change]) {
    if !changes.is_empty() {
        bincode::encode_into_std_write(changes, out, BODY).expect("writing into memory does not fail");
    }
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

#[cfg(test)]
#[path = "codec_test.rs"]
mod tests;
