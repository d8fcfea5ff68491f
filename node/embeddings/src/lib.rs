//! Embedding partitions: append-only f16 rows, sealed segments with their ANN index, exact tail.
//!
//! One partition holds one vector space of one shard replica. Its writer appends and deletes without I/O; searches run
//! on a published [`View`]; a [`Checkpoint`] makes rows durable; a [`Maintainer`] seals, builds and merges.
//! [`Reader::export`] lends its files to be copied, [`install()`] makes a partition of such copies.
//! A [`Scrub`] walks the files; [`Partition::repair`] puts a peer's copy in the place of a damaged row.
//! Files, row numbers and indexes are local to the replica and can be rebuilt.

mod builds;
mod checkpoint;
mod damage;
mod deleted;
mod effort;
mod envelope;
mod error;
mod export;
#[cfg(test)]
mod fixture;
mod folder;
#[cfg(test)]
mod glove_test;
mod install;
mod locator;
mod maintenance;
mod manifest;
mod memory;
mod merge;
#[cfg(test)]
mod model_test;
mod open;
mod partition;
mod passing;
mod plan;
mod recall;
mod repair;
mod request;
mod row;
mod scrub;
mod search;
mod segment;
mod shared;
mod space;
mod status;
mod tail;
mod view;
mod worker;

pub use builds::Builds;
pub use checkpoint::Checkpoint;
pub use error::{AppendError, PartitionError};
pub use export::{ExportedFile, ExportedFolder, PartitionExport};
pub use install::{FolderFiles, install};
pub use maintenance::{Maintainer, Step};
pub use manifest::MANIFEST;
pub use memory::PartitionMemory;
pub use open::OpenReport;
pub use partition::{Appended, Partition, Reader};
pub use repair::{DamagedRow, Repaired};
pub use request::{Found, SearchOutcome, SearchRequest};
pub use row::RowMeta;
pub use scrub::{MAX_DAMAGED, SCRUB_BLOCK, Scrub, ScrubReport};
pub use space::{MAX_DIM, MAX_SPACE_NAME, PartitionOptions, SpaceSpec};
pub use status::PartitionStatus;
pub use view::View;
pub use worker::{MaintenanceIntake, MaintenanceWorker, NotTaken};
