//! The file of an open hour: frames of rows, each with checksums. Pure.
//!
//! ```text
//! header: magic 8 | format version 2 | length of the body 4 | crc32c of the body 4 | crc32c of these 18 bytes 4
//! body:   format version 4: batches of rows in bincode
//! ```
//! Integers are little-endian. Every format from 4 on has this header, so that what another release wrote is known as that, whatever
//! its body is. A frame is one write, which is synced before the next one begins, and files are never recycled. So behind the last
//! whole frame stands at most one write, that a crash interrupted, and a header behind that one is damage: where its own header is
//! whole behind the body of which it tells, otherwise anywhere.

use std::ops::Range;

use covey_shared::codec::{CodecError, decode_prefix, encode};
use memchr::memmem;
use thiserror::Error;

use crate::rows::Row;

/// What every frame begins with. It does not overlap itself, so a search misses none.
const MAGIC: [u8; 8] = *b"COVEYEVT";
/// Version of the rows in frames: bumped when a row changes. A stop in good order leaves no frames, so no other version is read.
const VERSION: u16 = 4;
const HEADER: usize = 22;

/// Why the rows of a file could not be read.
#[derive(Debug, Error)]
pub(crate) enum FrameError {
    #[error("another release wrote its rows, in format {found}; this one reads format {VERSION}")]
    Version { found: u16 },
    #[error(
        "byte {at} does not begin a whole frame, but byte {next} begins another one: the disk has changed what was synced"
    )]
    Damaged { at: usize, next: usize },
    #[error(
        "it does not begin as a file of rows: another release wrote it, in a format before 4, or the disk has changed it"
    )]
    Foreign,
    #[error(transparent)]
    Codec(#[from] CodecError),
}

struct Header {
    version: u16,
    len: u32,
    body_crc: u32,
}

impl Header {
    fn encode(&self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..10].copy_from_slice(&self.version.to_le_bytes());
        bytes[10..14].copy_from_slice(&self.len.to_le_bytes());
        bytes[14..18].copy_from_slice(&self.body_crc.to_le_bytes());
        let crc = crc32c::crc32c(&bytes[..18]);
        bytes[18..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// The header with which `file` begins.
    fn parse(file: &[u8]) -> Option<Header> {
        let mut rest = file.get(MAGIC.len()..)?;
        let header = Header {
            version: u16::from_le_bytes(take(&mut rest)?),
            len: u32::from_le_bytes(take(&mut rest)?),
            body_crc: u32::from_le_bytes(take(&mut rest)?),
        };
        // With the magic and the checksum.
        file.starts_with(&header.encode()).then_some(header)
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (first, behind) = rest.split_first_chunk()?;
    *rest = behind;
    Some(*first)
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
        let bytes = self.0.len().max(HEADER) + batch.len() - HEADER;
        if u32::try_from(bytes).is_err() {
            return Err(CodecError::TooLarge {
                what: "frame",
                bytes,
                limit: u32::MAX as usize,
            });
        }
        if self.0.is_empty() {
            self.0.extend([0; HEADER]);
        }
        self.0.extend(batch);
        Ok(())
    }

    /// Length in bytes; 0 without rows.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The frame as it is written; empty without rows.
    pub(crate) fn bytes(&mut self) -> &[u8] {
        if let Some((header, body)) = self.0.split_first_chunk_mut::<HEADER>() {
            let (version, body_crc) = (VERSION, crc32c::crc32c(body));
            // `push` keeps it below 4 GiB.
            let len = body.len() as u32;
            *header = Header { version, len, body_crc }.encode();
        }
        &self.0
    }
}

/// Where the bodies of the whole frames are, in order. The end of the last one is where the torn tail begins.
///
/// # Errors
/// No crash leaves that, or this release cannot tell: see [`FrameError`].
pub(crate) fn scan(file: &[u8]) -> Result<Vec<Range<usize>>, FrameError> {
    let mut bodies = Vec::new();
    let mut at = 0;
    while let Some(body) = frame_at(file, at) {
        at = body.end;
        bodies.push(body);
    }
    let tail = &file[at..];
    let from = match Header::parse(tail) {
        // What a row of a body holds is no header, whoever wrote the row.
        Some(header) if header.version == VERSION => (HEADER + header.len as usize).min(tail.len()),
        _ => 0,
    };
    // A header has a checksum of its own: no body is read for it, so this costs one pass, whatever stands there.
    let found = memmem::find_iter(&tail[from..], &MAGIC).find_map(|offset| {
        let next = at + from + offset;
        match Header::parse(&file[next..])?.version {
            VERSION => Some(FrameError::Damaged { at, next }),
            // Its body may be checked otherwise, so it is left alone, whole or not.
            found => Some(FrameError::Version { found }),
        }
    });
    match found {
        Some(error) => Err(error),
        None if at == 0 && !may_be_torn(tail) => Err(FrameError::Foreign),
        None => Ok(bodies),
    }
}

/// A crash leaves of the first write of a file its beginning, or zeros in its place.
fn may_be_torn(tail: &[u8]) -> bool {
    let mut beginning = tail.iter().zip(MAGIC);
    beginning.all(|(byte, magic)| *byte == magic || *byte == 0)
}

fn frame_at(file: &[u8], at: usize) -> Option<Range<usize>> {
    let header = Header::parse(file.get(at..)?)?;
    let start = at + HEADER;
    let body = start..start.checked_add(header.len as usize)?;
    let is_whole = header.version == VERSION && crc32c::crc32c(file.get(body.clone())?) == header.body_crc;
    is_whole.then_some(body)
}

/// The rows of a frame.
///
/// # Errors
/// They are no rows of this kind.
pub(crate) fn rows<R: Row>(mut body: &[u8]) -> Result<Vec<R>, CodecError> {
    let mut rows = Vec::new();
    while !body.is_empty() {
        let (batch, rest) = decode_prefix::<Vec<R>>(body)?;
        rows.extend(batch);
        body = rest;
    }
    Ok(rows)
}

#[cfg(test)]
#[path = "frames_test.rs"]
mod tests;
