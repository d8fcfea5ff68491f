//! What the log writer, the apply workers and the puller report back to the Raft actor.
//!
//! They push here and poke the actor. A full mailbox loses only the poke: the actor drains this queue at every drive,
//! and a full mailbox means that a drive is coming. The queue is bounded by what the actor has handed out, and by the number of shards.

use std::sync::{Arc, Weak};

use actix::Recipient;
use covey_shard::ShardView;
use covey_shared::ids::ShardId;
use covey_shared::members::ShardDescriptor;
use covey_store::log::HardState;
use parking_lot::Mutex;

use crate::raft::AppliedTask;
use crate::raft::actor::Drive;
use crate::snapshot::Arrival;

/// One report.
#[derive(Debug)]
pub(crate) enum Completion {
    /// These (group, ready) pairs are on disk.
    Persisted {
        readies: Vec<(ShardId, u64)>,
        live_bytes: u64,
        /// Whose entries keep the oldest log file, and whether there are too many files.
        pinned_by: Option<(ShardId, bool)>,
    },
    /// A store has applied a task.
    Applied(AppliedTask),
    /// Everything a shard has applied up to `index` survives any crash.
    Checkpointed { shard: ShardId, index: u64 },
    /// A replica was built from a snapshot.
    Arrived(Box<Arrival>),
    /// A replica found nothing on its disk, and nobody else has anything: its group is new.
    New {
        /// As it was founded.
        descriptor: ShardDescriptor,
        hard_state: HardState,
    },
    /// A replica is no member of its group any more, as one of the members has shown.
    Gone(ShardId),
    /// Somebody fetches a snapshot at `index`: the log is kept behind it. `None` ends that.
    Hold { shard: ShardId, index: Option<u64> },
    /// A replica holds something else than the others.
    Differs(ShardId),
    /// The snapshot at `index` is the store of the shard now, safe from any crash.
    Installed {
        shard: ShardId,
        index: u64,
        /// What reads may still run on.
        replaced: Weak<ShardView>,
    },
    /// The store of a replica that is gone is closed: what lies on the disk of it may be removed.
    Destroyed {
        shard: ShardId,
        /// What reads may still run on.
        replaced: Weak<ShardView>,
    },
}

/// The way back to the actor; clones share one queue.
#[derive(Clone)]
pub(crate) struct Completions {
    queue: Arc<Mutex<Vec<Completion>>>,
    poke: Arc<std::sync::OnceLock<Recipient<Drive>>>,
}

impl Completions {
    pub(crate) fn new() -> Self {
        Completions {
            queue: Arc::default(),
            poke: Arc::default(),
        }
    }

    /// Names the actor to poke; it does so itself when it starts.
    pub(crate) fn attach(&self, actor: Recipient<Drive>) {
        assert!(self.poke.set(actor).is_ok(), "one actor drains the completions");
    }

    pub(crate) fn push(&self, completion: Completion) {
        self.queue.lock().push(completion);
        if let Some(actor) = self.poke.get() {
            // Full: a drive is coming anyway. Closed: the node shuts down.
            let _ = actor.try_send(Drive);
        }
    }

    pub(crate) fn take(&self) -> Vec<Completion> {
        std::mem::take(&mut self.queue.lock())
    }
}
