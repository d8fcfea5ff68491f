//! Snapshots of replicas between nodes.
//!
//! [`source`] has a leader's replica written out as files and hands out their pieces. [`puller`] builds replicas here from
//! such files: those whose leader no longer has the log that they lack, those that found nothing on their disk, and new ones. [`rejoin`]
//! says when the second may take part again, [`leaving`] when a replica may be removed.

mod fetch;
mod leaving;
mod manifest;
mod puller;
mod pulls;
mod rejoin;
mod source;
mod sources;

use covey_shard::ShardStore;
use covey_shared::ids::{Generation, ReplicaId, ShardId};
use covey_store::log::HardState;

use crate::apply::Seat;
use crate::raft::Fetched;

pub(crate) use puller::{LostReplica, Puller, PullerDeps};
pub(crate) use pulls::{Pulls, Want};
pub(crate) use source::Snapshots;

/// A replica that was built from a snapshot and waits to take the place of what is there.
pub(crate) struct Arrival {
    pub(crate) shard: ShardId,
    pub(crate) me: ReplicaId,
    pub(crate) store: Box<ShardStore>,
    pub(crate) generation: Generation,
    pub(crate) fetched: Fetched,
    /// What its group begins with if it has none.
    pub(crate) hard_state: HardState,
    /// Where it is seen, if it is new here.
    pub(crate) seat: Option<Seat>,
}

impl std::fmt::Debug for Arrival {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Arrival")
            .field("shard", &self.shard)
            .field("at", &self.fetched.at)
            .finish_non_exhaustive()
    }
}
