//! The one binary encoding inside the cluster: bincode 2 with fixed-width integers.
//!
//! Byte-identical to bincode 1's default and to other implementations of that format, so there is an exit. Lengths
//! read from bytes are bounded by a limit before anything is allocated. What is kept or sent carries a version
//! in front ([`encode_versioned`]); enums are append-only.

use bincode::config::{Configuration, Fixint, Limit, LittleEndian, NoLimit};
use bincode::{Decode, Encode};
use thiserror::Error;

/// Largest encoded message or record, in bytes.
pub const MAX_MESSAGE: usize = 16 << 20;

const WRITE: Configuration<LittleEndian, Fixint, NoLimit> = bincode::config::legacy();
const READ: Configuration<LittleEndian, Fixint, Limit<MAX_MESSAGE>> = WRITE.with_limit::<MAX_MESSAGE>();

/// Why bytes could not be read or a value not be written.
#[derive(Debug, Error)]
pub enum CodecError {
    /// The bytes are not what the type expects.
    #[error("cannot decode {what}")]
    Decode {
        /// The type that was expected.
        what: &'static str,
        /// Where it went wrong.
        source: bincode::error::DecodeError,
    },
    /// The value is larger than [`MAX_MESSAGE`] or otherwise cannot be written.
    #[error("cannot encode {what}")]
    Encode {
        /// The type that was given.
        what: &'static str,
        /// What went wrong.
        source: bincode::error::EncodeError,
    },
    /// The encoded value exceeds the limit.
    #[error("{what} takes {bytes} bytes, more than the limit of {limit}")]
    TooLarge {
        /// The type that was given.
        what: &'static str,
        /// Its encoded size.
        bytes: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// Bytes were left over after the value.
    #[error("{extra} bytes follow {what}")]
    Trailing {
        /// The type that was expected.
        what: &'static str,
        /// How many bytes are left.
        extra: usize,
    },
    /// Written by a newer release.
    #[error("{what} has format version {found}; this release reads up to {newest}: upgrade this process first")]
    Version {
        /// The type that was expected.
        what: &'static str,
        /// The version in the bytes.
        found: u16,
        /// The newest version this release knows.
        newest: u16,
    },
}

fn name<T>() -> &'static str {
    let full = std::any::type_name::<T>();
    full.rsplit("::").next().unwrap_or(full)
}

/// Encodes `value`.
pub fn encode<T: Encode>(value: &T) -> Result<Vec<u8>, CodecError> {
    let bytes = bincode::encode_to_vec(value, WRITE).map_err(|source| CodecError::Encode {
        what: name::<T>(),
        source,
    })?;
    if bytes.len() > MAX_MESSAGE {
        return Err(CodecError::TooLarge {
            what: name::<T>(),
            bytes: bytes.len(),
            limit: MAX_MESSAGE,
        });
    }
    Ok(bytes)
}

/// Decodes a value that fills `bytes` exactly.
pub fn decode<T: Decode<()>>(bytes: &[u8]) -> Result<T, CodecError> {
    match decode_prefix(bytes)? {
        (value, []) => Ok(value),
        (_, rest) => Err(CodecError::Trailing {
            what: name::<T>(),
            extra: rest.len(),
        }),
    }
}

/// Decodes a value at the begin of `bytes`, and returns what follows it.
pub fn decode_prefix<T: Decode<()>>(bytes: &[u8]) -> Result<(T, &[u8]), CodecError> {
    let (value, used) = bincode::decode_from_slice(bytes, READ).map_err(|source| CodecError::Decode {
        what: name::<T>(),
        source,
    })?;
    Ok((value, bytes.get(used..).unwrap_or_default()))
}

/// Encodes `value` behind its format version (2 bytes, little-endian).
pub fn encode_versioned<T: Encode>(version: u16, value: &T) -> Result<Vec<u8>, CodecError> {
    let mut bytes = version.to_le_bytes().to_vec();
    bytes.extend_from_slice(&encode(value)?);
    Ok(bytes)
}

/// Decodes what [`encode_versioned`] wrote; a version above `newest` is refused.
pub fn decode_versioned<T: Decode<()>>(newest: u16, bytes: &[u8]) -> Result<T, CodecError> {
    let found = bytes.first_chunk::<2>().map_or(0, |b| u16::from_le_bytes(*b));
    if found == 0 || found > newest {
        return Err(CodecError::Version {
            what: name::<T>(),
            found,
            newest,
        });
    }
    decode(&bytes[2..])
}

#[cfg(test)]
#[path = "codec_test.rs"]
mod tests;
