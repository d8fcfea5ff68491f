//! What the log writer and the apply workers report back to the Raft actor.
//!
//! They push here and poke the actor. A full mailbox loses only the poke: the actor drains this queue at every drive,
//! and a full mailbox means that a drive is coming. The queue is bounded by what the actor has handed out.

use std::sync::Arc;

use actix::Recipient;
use covey_shared::ids::ShardId;
use parking_lot::Mutex;

use crate::raft::AppliedTask;
use crate::raft::actor::Drive;

/// One report.
#[derive(Debug)]
pub(crate) enum Completion {
    /// These (group, ready) pairs are on disk.
    Persisted {
        readies: Vec<(ShardId, u64)>,
        live_bytes: u64,
        pinned_by: Option<ShardId>,
    },
    /// A store has applied a task.
    Applied(AppliedTask),
    /// Everything a shard has applied up to `index` survives any crash.
    Checkpointed { shard: ShardId, index: u64 },
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
