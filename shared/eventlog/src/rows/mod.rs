//! The rows of the log. Their columns are documented in `docs/event-log.md`.

mod action;
mod served;
#[cfg(test)]
pub(crate) mod testing;

use bincode::{Decode, Encode};

pub use action::{ActionRow, action_name};
pub use served::{ChannelHit, ServedRow};

use crate::files::Kind;
use crate::table::Column;

/// A row of one kind: how it is kept in frames, and in the columns of a table.
pub trait Row: Encode + Decode<()> + Default + Send + 'static {
    /// Its table.
    const KIND: Kind;
    /// The schema of that table, in the language of Parquet. Columns may be added at the end; none changes its name or meaning.
    const SCHEMA: &'static str;
    /// The columns, in the order of the schema.
    fn columns() -> Vec<Column<Self>>;
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
