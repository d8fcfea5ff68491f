//! The file of an open hour: frames of rows, each with a checksum. Pure.
//!
//! ```text
//! len 4 | crc32c of len and body 4 | body of len bytes: format version 2, rows in bincode
//! ```
//! Integers are little-endian. Files are never recycled, so what stands behind the last whole frame was never synced: a write
//! that a crash interrupted.

use std::ops::Range;

use covey_shared::codec::{CodecError, decode_versioned, encode_versioned};
use thiserror::Error;

use crate::rows::Row;

/// Version of the rows in frames: bumped when a row changes. A stop in good order leaves no frames, so no other version is read.
const VERSION: u16 = 2;
const HEADER: usize = 8;

/// Why the rows of a whole frame could not be read.
#[derive(Debug, Error)]
pub(crate) enum FrameError {
    #[error("an older release wrote its rows, in format {found}; this one reads format {VERSION}")]
    Older { found: u16 },
    #[error(transparent)]
    Codec(#[from] CodecError),
}

/// Appends one frame with these rows.
///
/// # Errors
/// The rows are too large for one frame.
pub(crate) fn append<R: Row>(out: &mut Vec<u8>, rows: &Vec<R>) -> Result<(), CodecError> {
    let body = encode_versioned(VERSION, rows)?;
    let len = u32::try_from(body.len()).map_err(|_| CodecError::TooLarge {
        what: "frame",
        bytes: body.len(),
        limit: u32::MAX as usize,
    })?;
    let len = len.to_le_bytes();
    out.extend_from_slice(&len);
    out.extend_from_slice(&checksum(len, &body).to_le_bytes());
    out.extend_from_slice(&body);
    Ok(())
}

fn checksum(len: [u8; 4], body: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&len), body)
}

/// Where the bodies of the whole frames are, in order. The end of the last one is where the torn tail begins.
pub(crate) fn scan(file: &[u8]) -> Vec<Range<usize>> {
    let mut bodies = Vec::new();
    let mut at = 0;
    while let Some(body) = frame_at(file, at) {
        at = body.end;
        bodies.push(body);
    }
    bodies
}

fn frame_at(file: &[u8], at: usize) -> Option<Range<usize>> {
    let len: [u8; 4] = *file.get(at..)?.first_chunk()?;
    let crc: [u8; 4] = *file.get(at + 4..)?.first_chunk()?;
    let start = at + HEADER;
    let body = start..start.checked_add(u32::from_le_bytes(len) as usize)?;
    let is_whole = checksum(len, file.get(body.clone())?) == u32::from_le_bytes(crc);
    is_whole.then_some(body)
}

/// The rows of a frame.
///
/// # Errors
/// Another release wrote them, or they are no rows of this kind.
pub(crate) fn rows<R: Row>(body: &[u8]) -> Result<Vec<R>, FrameError> {
    match body.first_chunk().map(|version| u16::from_le_bytes(*version)) {
        // Their fields are others, and might be read as something.
        Some(found @ 1..VERSION) => Err(FrameError::Older { found }),
        _ => Ok(decode_versioned(VERSION, body)?),
    }
}

#[cfg(test)]
#[path = "frames_test.rs"]
mod tests;
