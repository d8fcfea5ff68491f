//! The event log: what feeds showed and what viewers did with it, for the training of models. See `docs/event-log.md`.
//!
//! [`EventLog::record`] puts rows into a bounded queue and never waits: a full queue costs rows, which are counted, and no
//! request. A thread of its own appends them as checksummed frames to a file of the open hour, synced once a second; when the
//! hour or the file is over, the frames become one Parquet file in the hour's partition. What a crash leaves as frames is sealed
//! at the next start.
#![forbid(unsafe_code)]

mod budget;
mod counters;
mod files;
mod frames;
mod hour;
mod log;
mod look;
mod places;
mod rows;
mod seal;
mod table;
#[cfg(test)]
mod testing;
mod writer;

pub use counters::Totals;
pub use files::Kind;
pub use hour::Hour;
pub use log::{EventLog, EventLogThread, Settings};
pub use look::{LookError, Looked, look, partitions};
pub use rows::{ActionRow, Batch, ChannelHit, ServedRow};
