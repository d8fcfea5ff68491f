//! The log writer: one append and one fsync per turn, for all groups of the node.
//!
//! No timer gathers batches: what arrives while the disk syncs is the next batch.

use covey_shared::ids::{ReplicaId, ShardId};
use covey_store::log::{GroupId, LogBatch, LogError, LogStore};
use std::collections::BTreeMap;
use tokio::sync::mpsc;

use crate::completions::{Completion, Completions};
use crate::raft::AppendTask;

/// Entries of one turn by size; more waits for the next one, so that no turn takes long.
const TURN_BYTES: usize = 16 << 20;

/// Owns the log of the node. Runs on a thread of its own: fsync may block for as long as the disk likes.
pub(crate) struct LogWriter {
    pub(crate) log: Box<dyn LogStore>,
    pub(crate) replicas: BTreeMap<ShardId, ReplicaId>,
    pub(crate) input: mpsc::Receiver<Vec<AppendTask>>,
    pub(crate) done: Completions,
}

impl LogWriter {
    /// Works until the input closes. A failed append or fsync ends the process: nothing is known about the disk then.
    pub(crate) async fn run(mut self) {
        while let Some(tasks) = self.input.recv().await {
            let mut turn = tasks;
            while bytes(&turn) < TURN_BYTES
                && let Ok(more) = self.input.try_recv()
            {
                turn.extend(more);
            }
            if let Err(error) = self.turn(&turn) {
                panic!("the log cannot be written, nothing further may be acknowledged: {error}");
            }
            let readies = turn
                .iter()
                .filter(|t| t.ready > 0)
                .map(|t| (t.shard, t.ready))
                .collect();
            let usage = self.log.usage();
            self.done.push(Completion::Persisted {
                readies,
                live_bytes: usage.live_bytes,
            });
        }
    }

    fn turn(&mut self, tasks: &[AppendTask]) -> Result<(), LogError> {
        let mut batch = LogBatch::new();
        for task in tasks {
            let group = GroupId(self.replicas[&task.shard].0);
            if !task.entries.is_empty() {
                batch.entries(group, task.entries.clone());
            }
            match task.hard_state {
                Some(state) if task.must_sync => _ = batch.hard_state(group, state),
                Some(state) => _ = batch.commit(group, state),
                None => {}
            }
            if let Some(at) = task.compacted {
                batch.compact(group, at);
            }
        }
        self.log.append(&batch)?;
        if batch.needs_sync() {
            self.log.sync()?;
        }
        Ok(())
    }
}

fn bytes(tasks: &[AppendTask]) -> usize {
    tasks.iter().flat_map(|t| &t.entries).map(|e| e.data.len()).sum()
}
