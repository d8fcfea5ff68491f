//! From committed entries to the stores: every shard has its lane, and every lane a worker that owns the stores of its shards.

mod lanes;
mod worker;

pub(crate) use lanes::{ApplyLanes, MAX_REPLICAS};
pub(crate) use worker::{Applier, ApplyWorker, Seat};
