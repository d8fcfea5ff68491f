//! The frame around every file: magic, checksum, and the space it belongs to.
//!
//! `magic(8) | crc32c of the rest(4) | header length(4) | header | body`. The header is versioned.

use std::io;
use std::path::Path;
use std::sync::Arc;

use bincode::{Decode, Encode};
use covey_ann::Metric;
use covey_env::{Disk, DiskFile, OpenMode};
use covey_shared::codec::{CodecError, decode_versioned, encode_versioned};
use covey_shared::ids::ModelEpoch;

use crate::error::PartitionError;
use crate::space::SpaceSpec;

/// Format of all files of a partition.
pub(crate) const FORMAT: u16 = 1;
const PREFIX: usize = 16;
/// Magic and checksum, which the checksum does not cover.
const UNSUMMED: usize = 12;
/// A header holds a name of at most 64 bytes and a few numbers.
const MAX_HEADER: usize = 512;

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileKind {
    Manifest,
    Rows,
    Ids,
    Index,
    Meta,
}

impl FileKind {
    fn magic(self) -> [u8; 8] {
        match self {
            FileKind::Manifest => *b"CVMANIF\n",
            FileKind::Rows => *b"CVROWSE\n",
            FileKind::Ids => *b"CVROWID\n",
            FileKind::Index => *b"CVINDEX\n",
            FileKind::Meta => *b"CVSMETA\n",
        }
    }
}

/// The space as files know it. Metrics are numbered for ever.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
struct Stamp {
    name: String,
    dim: u32,
    metric: u8,
    model_epoch: ModelEpoch,
}

impl Stamp {
    fn of(space: &SpaceSpec) -> Self {
        let metric = match space.metric {
            Metric::InnerProduct => 0,
            Metric::Cosine => 1,
            Metric::L2 => 2,
        };
        Self {
            name: space.name.clone(),
            dim: space.dim as u32,
            metric,
            model_epoch: space.model_epoch,
        }
    }
}

/// Puts the frame around a body.
pub(crate) fn wrap(kind: FileKind, space: &SpaceSpec, body: &[u8]) -> Vec<u8> {
    let header = encode_versioned(FORMAT, &Stamp::of(space)).expect("a name of 64 bytes can be encoded");
    let mut bytes = Vec::with_capacity(PREFIX + header.len() + body.len());
    bytes.extend_from_slice(&kind.magic());
    bytes.extend_from_slice(&[0; 4]);
    bytes.extend_from_slice(&(header.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&header);
    bytes.extend_from_slice(body);
    let sum = crc32c::crc32c(&bytes[UNSUMMED..]);
    bytes[8..12].copy_from_slice(&sum.to_le_bytes());
    bytes
}

/// Checks the frame of `path` and returns the body.
pub(crate) fn unwrap<'a>(
    kind: FileKind,
    space: &SpaceSpec,
    path: &Path,
    bytes: &'a [u8],
) -> Result<&'a [u8], PartitionError> {
    let damaged = |what| PartitionError::Damaged {
        path: path.to_owned(),
        what,
    };
    if bytes.len() < PREFIX || bytes[..8] != kind.magic() {
        return Err(damaged("it does not begin like a file of this kind"));
    }
    let number = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
    if crc32c::crc32c(&bytes[UNSUMMED..]) != number(8) {
        return Err(damaged("its checksum does not match"));
    }
    let header_len = number(12) as usize;
    if header_len > MAX_HEADER.min(bytes.len() - PREFIX) {
        return Err(damaged("its header is too long"));
    }
    let (header, body) = bytes[PREFIX..].split_at(header_len);
    let stamp: Stamp = decode_versioned(FORMAT, header).map_err(|error| refuse(path, &error))?;
    let expected = Stamp::of(space);
    if stamp != expected {
        let (found, expected) = (format!("{stamp:?}"), format!("{expected:?}"));
        return Err(PartitionError::WrongSpace {
            path: path.to_owned(),
            found,
            expected,
        });
    }
    Ok(body)
}

/// The error for content that does not decode.
pub(crate) fn refuse(path: &Path, error: &CodecError) -> PartitionError {
    match *error {
        CodecError::Version { found, newest, .. } if found > newest => PartitionError::Newer {
            path: path.to_owned(),
            found,
            known: newest,
        },
        _ => PartitionError::Damaged {
            path: path.to_owned(),
            what: "its content does not decode",
        },
    }
}

/// Replaces a whole file by a framed body, durably.
pub(crate) fn write(
    disk: &dyn Disk,
    kind: FileKind,
    space: &SpaceSpec,
    path: &Path,
    body: &[u8],
) -> Result<(), PartitionError> {
    let bytes = wrap(kind, space, body);
    disk.replace_file(path, &bytes).map_err(|source| PartitionError::Io {
        path: path.to_owned(),
        source,
    })
}

/// Reads a whole framed file; `None` if there is none.
pub(crate) fn read(
    disk: &dyn Disk,
    kind: FileKind,
    space: &SpaceSpec,
    path: &Path,
    limit: u64,
) -> Result<Option<Vec<u8>>, PartitionError> {
    let io = |source| PartitionError::Io {
        path: path.to_owned(),
        source,
    };
    if !disk.exists(path).map_err(io)? {
        return Ok(None);
    }
    let mut bytes = disk.read_file(path, limit).map_err(io)?;
    let body = unwrap(kind, space, path, &bytes)?.len();
    bytes.drain(..bytes.len() - body);
    Ok(Some(bytes))
}

/// Reads a framed file again, piece by piece, to compare it with its checksum.
pub(crate) struct Recheck {
    file: Arc<dyn DiskFile>,
    len: u64,
    at: u64,
    sum: u32,
    wanted: u32,
}

impl Recheck {
    /// Begins; `None` if it does not look like a file of this kind.
    pub(crate) fn open(disk: &dyn Disk, kind: FileKind, path: &Path) -> io::Result<Option<Self>> {
        let file = disk.open(path, OpenMode::Read)?;
        let (len, mut head) = (file.len()?, [0; UNSUMMED]);
        if len < PREFIX as u64 {
            return Ok(None);
        }
        file.read_at(&mut head, 0)?;
        let wanted = u32::from_le_bytes([head[8], head[9], head[10], head[11]]);
        Ok((head[..8] == kind.magic()).then_some(Self {
            file,
            len,
            at: UNSUMMED as u64,
            sum: 0,
            wanted,
        }))
    }

    /// Reads on, at most into `piece`, and answers how many bytes it read: 0 at the end.
    pub(crate) fn read_on(&mut self, piece: &mut [u8]) -> io::Result<usize> {
        let some = usize::try_from(self.len - self.at).map_or(piece.len(), |left| left.min(piece.len()));
        self.file.read_at(&mut piece[..some], self.at)?;
        self.sum = crc32c::crc32c_append(self.sum, &piece[..some]);
        self.at += some as u64;
        Ok(some)
    }

    /// Whether the checksum matches, once all has been read.
    pub(crate) fn is_sound(&self) -> bool {
        self.at == self.len && self.sum == self.wanted
    }
}

#[cfg(test)]
#[path = "envelope_test.rs"]
pub(crate) mod tests;
