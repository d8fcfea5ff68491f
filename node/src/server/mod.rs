//! Calls from other processes: one handler per request, errors of one shard never hide the answers of others.

mod builds;
mod calls;
mod members;
mod metadata;
mod read_index;
mod reads;
mod snapshots;
mod status;
mod transfer;
mod write;

pub(crate) use calls::NodeHandle;
