//! The state of one shard replica: applying its log, the post store, viewer state, timelines, and every read.
//!
//! Architecture invariant: a pure core. It knows neither actix nor raft nor tokio; one thread applies
//! ([`ShardStore`]), any number of threads read ([`ShardView`]).
//!
//! The life of an entry: [`ShardStore::apply`] → `apply/` decides on an overlay over the key-value store → one batch
//! with the applied record → the same changes in memory (`memory/`) → the published applied index moves.
//!
//! A checkpoint: [`ShardStore::begin_checkpoint`] → [`ShardCheckpoint::run`] on any thread → [`ShardStore::finish_checkpoint`]
//! → one `persist` of the key-value store for all shards of the node → the log may be cut behind the returned indexes.
//!
//! A replica from a snapshot: [`ShardView::export`] on the one node, [`Incarnation::begin`] → [`ShardStore::install`] →
//! [`Incarnation::switch`] → [`Incarnation::log_reset`] → [`Incarnation::sweep`] on the other. One that leaves its node:
//! [`Incarnation::retire`] → [`Incarnation::sweep`].
//!
//! A damaged vector: [`ShardView::scrub`] finds it, [`ShardView::rows_of`] on a peer has it, [`ShardStore::repair`] takes it in.

mod ahead;
#[cfg(test)]
mod answers;
mod applied;
mod apply;
mod bloom;
mod checkpoint;
mod db;
mod error;
mod expiry;
#[cfg(test)]
mod fixture;
mod heat;
mod incarnation;
mod keys;
mod load;
mod memory;
mod open;
mod options;
mod progress;
#[cfg(test)]
mod random_log;
mod read;
mod records;
mod row_tag;
mod snapshot;
mod store;
mod sweep;

pub use applied::{Applied, EntryToApply, Payload};
pub use checkpoint::{ShardCheckpoint, WrittenCheckpoint};
pub use error::ShardStoreError;
pub use incarnation::{Incarnation, MAX_RETIRED, replica_dir};
pub use open::OpenReport;
pub use options::{ImpressionOptions, InNetworkLimits, ShardLimits, ShardOptions};
pub use read::{Read, RecordsAt, ShardView};
pub use snapshot::{ShardExport, SnapshotError, StagedSnapshot, hash_file};
pub use store::{PartMemory, Pressure, ShardStats, ShardStore};
