//! What a node keeps on disk, in three stores behind traits, each with a production form, a form for the simulator, and
//! one conformance suite that both pass:
//!
//! - [`log`]: the replicated log, one write-ahead log for all Raft groups of the node;
//! - [`kv`]: the node-wide ordered key-value store;
//! - [`rows`]: files of fixed-width rows.
//!
//! [`test_disk`] is the faulty disk that all of them are tested on.
#![deny(unsafe_code)]

pub mod conformance;
pub mod kv;
pub mod log;
pub mod rows;
pub mod test_disk;

use std::io;

/// What Linux answers where a disk cannot read a sector.
const EIO: i32 = 5;

/// Whether an error of reading means that what was there is gone: a bad sector, or a file that is missing or too short.
pub fn is_unreadable(error: &io::Error) -> bool {
    let gone = matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::UnexpectedEof);
    gone || error.raw_os_error() == Some(EIO)
}
