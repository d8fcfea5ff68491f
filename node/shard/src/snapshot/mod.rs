//! A replica as files: [`export`](crate::ShardView::export) writes them, [`install`](crate::ShardStore::install) takes them over.
//!
//! What replicas share goes as key-value pairs, without their generation; sealed folders of vectors go as the files that
//! they are. Rows that lie in no sealed folder go as PendingRow records, as if no checkpoint had made them durable.

#[cfg(test)]
mod crash_test;
mod error;
mod export;
#[cfg(test)]
pub(crate) mod fixture;
mod hash;
mod install;
mod kv_file;
mod names;

pub use error::SnapshotError;
pub use export::ShardExport;
pub use hash::hash_file;
pub use install::StagedSnapshot;
