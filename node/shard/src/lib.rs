//! The state of one shard replica: applying its log, the post store, viewer state, timelines, and every read.
//!
//! Architecture invariant: a pure core. It knows neither actix nor raft nor tokio; one thread applies
//! ([`ShardStore`]), any number of threads read ([`ShardView`]).
//!
//! The life of an entry: [`ShardStore::apply`] → `apply/` decides on an overlay over the key-value store → one batch
//! with the applied record → the same changes in memory (`memory/`) → the published applied index moves.
//!
//! ```text
//! ShardStore::open(&Env, Arc<dyn KvStore>, &Path, ShardOptions) -> Result<(ShardStore, OpenReport), ShardStoreError>
//!     .applied() -> &Applied
//!     .apply(&mut, &[EntryToApply]) -> Result<Vec<Vec<ItemResult>>, ShardStoreError>    one list per entry
//!     .checkpoint(&mut) -> Result<LogIndex, ShardStoreError>     durable once the caller then calls kv.persist()
//!     .view() -> Arc<ShardView>
//!     .outbox(after: &OutboxCursor, limit) -> Result<Vec<OutboxItem>, ShardStoreError>
//!     .pressure() -> Option<Pressure>   .stats() -> ShardStats
//! ShardView (&self, any thread)
//!     .applied_index() -> LogIndex   .epoch() -> ShardEpoch   .slots() -> SlotRange
//!     .get_posts(&GetPostsQuery) -> Result<Read<Vec<PostView>>, ShardStoreError>
//!     .search(&SearchQuery, cancelled) -> Result<Read<Vec<Hit>>, _>
//!     .viewer(&ViewerQuery) -> Result<Read<ViewerState>, _>
//!     .in_network(&InNetworkQuery, cancelled) -> Result<Read<Vec<Candidate>>, _>
//!     .popular(&PopularQuery, cancelled) -> Result<Read<Vec<Candidate>>, _>
//!     .verdicts(&VerdictQuery) -> Result<Read<Vec<Verdict>>, _>
//!     .authors(&AuthorsQuery) -> Result<Read<Vec<AuthorInfo>>, _>
//!     .logical_hash() -> Result<u64, _>
//! Read<T> { value: T, visited: u64, partial: bool }      cancelled: &dyn Fn() -> bool
//! ```

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
mod keys;
mod memory;
mod open;
mod options;
mod read;
mod records;
mod row_tag;
mod store;

pub use applied::{Applied, EntryToApply, Payload};
pub use checkpoint::{ShardCheckpoint, WrittenCheckpoint};
pub use error::ShardStoreError;
pub use open::OpenReport;
pub use options::{ImpressionOptions, InNetworkLimits, ShardLimits, ShardOptions};
pub use read::{Read, ShardView};
pub use store::{Pressure, ShardStats, ShardStore};
