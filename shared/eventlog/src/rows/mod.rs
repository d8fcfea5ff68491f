//! The rows of the log. Their columns are documented in `docs/event-log.md`.

mod action;
mod served;
#[cfg(test)]
pub(crate) mod testing;

use bincode::{Decode, Encode};

pub use action::ActionRow;
pub(crate) use action::action_name;
pub use served::{ChannelHit, ServedRow};

use crate::files::Kind;
use crate::table::Fields;

/// A row of one kind: how it is kept in frames, and in the columns of a table.
pub(crate) trait Row: Encode + Decode<()> + Fields {
    /// Its table.
    const KIND: Kind;
}

/// Rows that are recorded together.
#[derive(Clone, Debug, PartialEq)]
pub enum Batch {
    /// The posts of one page of a feed.
    Served(Vec<ServedRow>),
    /// The accepted actions of one request.
    Actions(Vec<ActionRow>),
}

impl Batch {
    /// How many rows.
    pub fn len(&self) -> usize {
        match self {
            Batch::Served(rows) => rows.len(),
            Batch::Actions(rows) => rows.len(),
        }
    }

    /// Whether there is nothing to record.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The table of the rows.
    pub fn kind(&self) -> Kind {
        match self {
            Batch::Served(_) => Kind::Served,
            Batch::Actions(_) => Kind::Actions,
        }
    }
}

#[cfg(test)]
#[path = "rows_test.rs"]
mod tests;
