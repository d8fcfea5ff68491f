//! Small records in files of their own, with a checksum: what rots there must not be taken for something else.

use bincode::{Decode, Encode};
use covey_shared::codec::{self, CodecError};

/// The bytes of a record of this version.
///
/// # Errors
/// It is too long to be written.
pub(crate) fn to_bytes<T: Encode>(version: u16, record: &T) -> Result<Vec<u8>, CodecError> {
    let mut bytes = codec::encode_versioned(version, record)?;
    bytes.extend(crc32c::crc32c(&bytes).to_le_bytes());
    Ok(bytes)
}

/// `None` if it is damaged, or of a newer program.
pub(crate) fn from_bytes<T: Decode<()>>(newest: u16, bytes: &[u8]) -> Option<T> {
    let (body, sum) = bytes.split_last_chunk()?;
    let sound = crc32c::crc32c(body).to_le_bytes() == *sum;
    codec::decode_versioned(newest, body).ok().filter(|_| sound)
}

#[cfg(test)]
#[path = "checked_file_test.rs"]
mod tests;
