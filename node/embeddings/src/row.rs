//! What is known of a row besides its vector.

use covey_shared::ids::{PostId, UserId, Version};
use covey_shared::slots::Slot;
use half::f16;
use zerocopy::IntoBytes;

/// Bytes of a record of `rows.ids`.
pub(crate) const RECORD: usize = 40;

/// Whose vector a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowMeta {
    /// The post.
    pub post: PostId,
    /// Its author.
    pub author: UserId,
    /// Version of the post that brought the vector; the higher one wins.
    pub version: Version,
    /// A word of the caller's own for filters, kept as it is: for example creation time and flags.
    pub tag: u64,
    /// The author's slot.
    pub slot: Slot,
}

/// A row's record: its meta and the checksum over meta and vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RowRecord {
    pub(crate) meta: RowMeta,
    pub(crate) checksum: u32,
}

impl RowRecord {
    pub(crate) fn new(meta: RowMeta, row: &[f16]) -> Self {
        Self {
            meta,
            checksum: checksum(&meta, row.as_bytes()),
        }
    }

    /// Whether the vector is the one that was written.
    pub(crate) fn matches(&self, row: &[f16]) -> bool {
        self.matches_bytes(row.as_bytes())
    }

    /// The same, of the bytes of the file.
    pub(crate) fn matches_bytes(&self, row: &[u8]) -> bool {
        checksum(&self.meta, row) == self.checksum
    }

    pub(crate) fn encode(&self) -> [u8; RECORD] {
        let mut bytes = [0; RECORD];
        bytes[..36].copy_from_slice(&encode_meta(&self.meta));
        bytes[36..].copy_from_slice(&self.checksum.to_le_bytes());
        bytes
    }

    /// `None` if the two bytes that mean nothing are not zero: no checksum covers them.
    pub(crate) fn decode(bytes: &[u8; RECORD]) -> Option<Self> {
        let word = |at: usize| u64::from_le_bytes(std::array::from_fn(|i| bytes[at + i]));
        let meta = RowMeta {
            post: PostId(word(0)),
            author: UserId(word(8)),
            version: Version(word(16)),
            tag: word(24),
            slot: Slot(u16::from_le_bytes([bytes[32], bytes[33]])),
        };
        let checksum = u32::from_le_bytes([bytes[36], bytes[37], bytes[38], bytes[39]]);
        (bytes[34..36] == [0; 2]).then_some(Self { meta, checksum })
    }
}

fn encode_meta(meta: &RowMeta) -> [u8; 36] {
    let mut bytes = [0; 36];
    for (at, word) in [meta.post.0, meta.author.0, meta.version.0, meta.tag]
        .into_iter()
        .enumerate()
    {
        bytes[at * 8..][..8].copy_from_slice(&word.to_le_bytes());
    }
    bytes[32..34].copy_from_slice(&meta.slot.0.to_le_bytes());
    bytes
}

fn checksum(meta: &RowMeta, row: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&encode_meta(meta)), row)
}

#[cfg(test)]
#[path = "row_test.rs"]
mod tests;
