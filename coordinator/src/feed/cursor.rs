//! The cursor: what a session was served, signed, so that no page repeats an earlier one.

use bincode::{Decode, Encode};
use covey_shared::codec;
use covey_shared::ids::{PostId, UserId};

use crate::seal::{SealError, Sealer};

/// Version of the encoding.
const VERSION: u16 = 1;
/// A session token is not a cursor.
const PURPOSE: &str = "cursor";

/// Opaque to clients; they send back what the last page carried.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Cursor {
    /// Whose session it is.
    viewer: UserId,
    /// Under which key the ranked reserve of the page is kept; 0 = there is none.
    pub(crate) reserve: u64,
    /// What was served, oldest first.
    pub(crate) served: Vec<PostId>,
}

impl Cursor {
    /// The beginning of a session.
    pub(crate) fn new(viewer: UserId) -> Cursor {
        Cursor {
            viewer,
            ..Cursor::default()
        }
    }

    /// The cursor behind a page that served `served`. Of more than `most` ids the oldest are forgotten.
    #[must_use]
    pub(crate) fn next(&self, reserve: u64, served: Vec<PostId>, most: usize) -> Cursor {
        let mut all = self.served.clone();
        all.extend(served);
        all.drain(..all.len().saturating_sub(most));
        Cursor {
            viewer: self.viewer,
            reserve,
            served: all,
        }
    }

    /// The text that the client gets.
    pub(crate) fn seal(&self, sealer: &Sealer) -> String {
        let bytes = codec::encode_versioned(VERSION, self).expect("a cursor of a few thousand ids is below the limit");
        sealer.seal(PURPOSE, bytes)
    }

    /// The cursor behind a text; the empty text is the beginning of a session.
    ///
    /// # Errors
    /// It was changed, or handed out to somebody else or by another cluster.
    pub(crate) fn open(sealer: &Sealer, text: &str, viewer: UserId) -> Result<Cursor, SealError> {
        if text.is_empty() {
            return Ok(Cursor::new(viewer));
        }
        let bytes = sealer.open(PURPOSE, text)?;
        let cursor: Cursor = codec::decode_versioned(VERSION, &bytes).map_err(|_| SealError::Unreadable)?;
        if cursor.viewer == viewer {
            Ok(cursor)
        } else {
            Err(SealError::Forged)
        }
    }
}

#[cfg(test)]
#[path = "cursor_test.rs"]
mod tests;
