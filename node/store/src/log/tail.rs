//! The end of the log: the open segment, to which records are appended.

use std::io;
use std::path::Path;
use std::sync::Arc;

use covey_env::DiskFile;

use super::batch::Change;
use super::codec::{SEGMENT_HEADER, SegmentHeader, encode_body};
use super::record::{Link, RECORD_HEADER, encode_record};

/// Appends records to one segment and knows which of them are durable.
pub(super) struct Tail {
    file: Arc<dyn DiskFile>,
    segment_bytes: usize,
    salt: u32,
    /// Where the next record goes.
    at: usize,
    next_seq: u64,
    prev_crc: u32,
    /// All records up to here are durable.
    synced: u64,
    /// The record encoded last, and its checksum.
    buffer: Vec<u8>,
    crc: u32,
}

impl Tail {
    /// The empty segment of `header`.
    pub(super) fn new(file: Arc<dyn DiskFile>, header: &SegmentHeader, segment_bytes: usize) -> Tail {
        Tail {
            file,
            segment_bytes,
            salt: header.encode().1,
            at: SEGMENT_HEADER,
            next_seq: header.first_seq,
            prev_crc: header.prev_crc,
            synced: header.first_seq - 1,
            buffer: Vec::new(),
            crc: 0,
        }
    }

    /// The segment with records up to `at`, all of them durable.
    pub(super) fn resume(self, at: usize, next_seq: u64, prev_crc: u32) -> Tail {
        Tail {
            at,
            next_seq,
            prev_crc,
            synced: next_seq - 1,
            ..self
        }
    }

    pub(super) fn path(&self) -> &Path {
        self.file.path()
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn next_seq(&self) -> u64 {
        self.next_seq
    }

    pub(super) fn prev_crc(&self) -> u32 {
        self.prev_crc
    }

    #[cfg(test)]
    pub(super) fn salt(&self) -> u32 {
        self.salt
    }

    pub(super) fn synced(&self) -> u64 {
        self.synced
    }

    /// Bytes that the next batch may take. Room for the small record after a sync stays free.
    pub(super) fn room(&self) -> usize {
        self.left().saturating_sub(RECORD_HEADER)
    }

    /// Bytes to the end of the segment.
    pub(super) fn left(&self) -> usize {
        self.segment_bytes.saturating_sub(self.at)
    }

    /// Encodes the changes as the next record and returns its length.
    pub(super) fn encode(&mut self, changes: &[Change]) -> usize {
        let link = Link {
            seq: self.next_seq,
            synced: self.synced,
            prev_crc: self.prev_crc,
        };
        self.crc = encode_record(&mut self.buffer, self.salt, link, |out| encode_body(out, changes));
        self.buffer.len()
    }

    /// Writes the record encoded last, and returns its length.
    pub(super) fn write_encoded(&mut self) -> io::Result<usize> {
        assert!(
            self.buffer.len() <= self.left(),
            "a record never crosses the end of its segment"
        );
        self.file.write_at(&self.buffer, self.at as u64)?;
        self.at += self.buffer.len();
        self.next_seq += 1;
        self.prev_crc = self.crc;
        Ok(self.buffer.len())
    }

    /// Makes all records durable.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        if self.synced + 1 < self.next_seq {
            self.file.sync_data()?;
            self.synced = self.next_seq - 1;
        }
        Ok(())
    }
}
