//! The file of an open hour: frames of rows, each with a checksum. Pure.
//!
//! ```text
//! len 4 | crc32c of len and body 4 | body of len bytes: format version 3, batches of rows in bincode
//! ```
//! Integers are little-endian. A frame is one write, which is synced before the next one begins, and files are never recycled. So
//! behind the last whole frame stands at most one write, that a crash interrupted.

use std::ops::Range;

use covey_shared::codec::{CodecError, decode_prefix, encode};
use thiserror::Error;

use crate::rows::Row;

/// Version of the rows in frames: bumped when a row changes. A stop in good order leaves no frames, so no other version is read.
const VERSION: u16 = 3;
const HEADER: usize = 8;
/// Where the batches begin: behind header and version.
const BATCHES: usize = HEADER + 2;

/// Why the rows of a file could not be read.
#[derive(Debug, Error)]
pub(crate) enum FrameError {
    #[error("another release wrote its rows, in format {found}; this one reads format {VERSION}")]
    Version { found: u16 },
    #[error("byte {at} does not begin a whole frame, but byte {next} does: the disk has changed what was synced")]
    Damaged { at: usize, next: usize },
    #[error(transparent)]
    Codec(#[from] CodecError),
}

/// Rows that become one frame.
#[derive(Default)]
pub(crate) struct Frame(Vec<u8>);

impl Frame {
    /// Adds rows.
    ///
    /// # Errors
    /// They are too many for one frame, which is left as it was.
    pub(crate) fn push<R: Row>(&mut self, rows: &Vec<R>) -> Result<(), CodecError> {
        let batch = encode(rows)?;
        let bytes = self.0.len().max(BATCHES) + batch.len() - HEADER;
        let len = u32::try_from(bytes).map_err(|_| CodecError::TooLarge {
            what: "frame",
            bytes,
            limit: u32::MAX as usize,
        })?;
        if self.0.is_empty() {
            self.0.extend([0; HEADER]);
            self.0.extend(VERSION.to_le_bytes());
        }
        self.0.extend(batch);
        self.0[..4].copy_from_slice(&len.to_le_bytes());
        Ok(())
    }

    /// Length in bytes; 0 without rows.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The frame as it is written; empty without rows.
    pub(crate) fn bytes(&mut self) -> &[u8] {
        if let Some((header, body)) = self.0.split_first_chunk_mut::<HEADER>() {
            let (len, crc) = header.split_at_mut(4);
            crc.copy_from_slice(&checksum(len, body).to_le_bytes());
        }
        &self.0
    }
}

fn checksum(len: &[u8], body: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(len), body)
}

/// Where the bodies of the whole frames are, in order. The end of the last one is where the torn tail begins.
///
/// # Errors
/// [`FrameError::Damaged`]: a whole frame follows what is not one. No crash leaves that.
pub(crate) fn scan(file: &[u8]) -> Result<Vec<Range<usize>>, FrameError> {
    let mut bodies = Vec::new();
    let mut at = 0;
    while let Some(body) = frame_at(file, at) {
        at = body.end;
        bodies.push(body);
    }
    // The version first: it costs nothing, where a checksum costs a pass over up to the rest of the file.
    let mut behind = (at + 1..file.len()).filter(|at| matches!(version(file, at + HEADER), Some(1..=VERSION)));
    match behind.find(|at| frame_at(file, *at).is_some()) {
        Some(next) => Err(FrameError::Damaged { at, next }),
        None => Ok(bodies),
    }
}

fn frame_at(file: &[u8], at: usize) -> Option<Range<usize>> {
    let len: [u8; 4] = *file.get(at..)?.first_chunk()?;
    let crc: [u8; 4] = *file.get(at + 4..)?.first_chunk()?;
    let start = at + HEADER;
    let body = start..start.checked_add(u32::from_le_bytes(len) as usize)?;
    let is_whole = checksum(&len, file.get(body.clone())?) == u32::from_le_bytes(crc);
    is_whole.then_some(body)
}

fn version(file: &[u8], at: usize) -> Option<u16> {
    file.get(at..)?
        .first_chunk()
        .map(|version| u16::from_le_bytes(*version))
}

/// The rows of a frame.
///
/// # Errors
/// Another release wrote them, whose fields are others and might be read as something; or they are no rows of this kind.
pub(crate) fn rows<R: Row>(body: &[u8]) -> Result<Vec<R>, FrameError> {
    let found = version(body, 0).unwrap_or(0);
    if found != VERSION {
        return Err(FrameError::Version { found });
    }
    let (mut rows, mut rest) = (Vec::new(), &body[2..]);
    while !rest.is_empty() {
        let (batch, after) = decode_prefix::<Vec<R>>(rest)?;
        rows.extend(batch);
        rest = after;
    }
    Ok(rows)
}

#[cfg(test)]
#[path = "frames_test.rs"]
mod tests;
