//! The checkpointer: makes everything that is applied safe from any crash, so that the log can be cut.
//!
//! It waits for the disk on a thread of its own. Apply workers only begin and finish: both are short.

use std::sync::Arc;

use covey_store::kv::KvStore;
use tokio::sync::mpsc;

use crate::apply::ApplyLanes;
use crate::completions::{Completion, Completions};

/// Asks for checkpoints.
#[derive(Clone)]
pub(crate) struct Checkpoints(mpsc::Sender<()>);

impl Checkpoints {
    /// The way to the checkpointer, and its input.
    pub(crate) fn new() -> (Checkpoints, mpsc::Receiver<()>) {
        let (ask, input) = mpsc::channel(1);
        (Checkpoints(ask), input)
    }

    /// Asks for one. While one is made, at most one more waits; a closed input means that the node stops.
    pub(crate) fn ask(&self) {
        let _ = self.0.try_send(());
    }
}

/// Makes one checkpoint after the other, each of all shards of the node.
pub(crate) struct Checkpointer {
    pub(crate) input: mpsc::Receiver<()>,
    pub(crate) lanes: ApplyLanes,
    pub(crate) kv: Arc<dyn KvStore>,
    pub(crate) done: Completions,
}

impl Checkpointer {
    /// Works until the input closes; a checkpoint under way is finished. After a failed fsync nothing is known about what
    /// the disk kept; the log still has it all, so the process ends.
    pub(crate) async fn run(mut self) {
        while self.input.recv().await.is_some() && !self.input.is_closed() {
            if self.pass().await.is_none() {
                return;
            }
        }
    }

    async fn pass(&self) -> Option<()> {
        let mut applied = Vec::new();
        for lane in self.lanes.all() {
            let mut written = Vec::new();
            for (shard, begun) in lane.begin_checkpoint().await? {
                let vectors = begun.run().unwrap_or_else(|error| {
                    panic!(
                        "shard {shard}: vectors cannot be made durable: {:#}",
                        anyhow::Error::new(error)
                    )
                });
                written.push((shard, vectors));
            }
            applied.extend(lane.finish_checkpoint(written).await?);
        }
        if let Err(error) = self.kv.persist() {
            panic!(
                "the key-value store cannot be made durable: {:#}",
                anyhow::Error::new(error)
            );
        }
        for (shard, index) in applied {
            self.done.push(Completion::Checkpointed { shard, index: index.0 });
        }
        Some(())
    }
}
