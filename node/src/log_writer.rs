//! The log writer: one append and one fsync per turn, for all groups of the node.
//!
//! No timer gathers batches: what arrives while the disk syncs is the next batch.

use covey_env::Env;
use covey_shared::ids::ReplicaId;
use covey_store::log::{LogBatch, LogEntry, LogError, LogStore};
use std::sync::Arc;
use tokio::sync::mpsc;

use crate::completions::{Completion, Completions};
use crate::disk_stalls::DiskStalls;
use crate::raft::AppendTask;

/// Entries of one turn by size, before the last batch; more waits for the next one, so that no turn takes long.
const TURN_BYTES: usize = 16 << 20;

/// Owns the log of the node. Runs on a thread of its own: fsync may block for as long as the disk likes.
pub(crate) struct LogWriter {
    pub(crate) env: Env,
    pub(crate) log: Box<dyn LogStore>,
    pub(crate) input: mpsc::Receiver<Vec<AppendTask>>,
    /// Entries of one record by size: well below a segment, so that every record fits into one.
    pub(crate) part_bytes: usize,
    /// With more files, members that are away are not waited for.
    pub(crate) max_segments: usize,
    pub(crate) stalls: Arc<DiskStalls>,
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
            let readies = turn
                .iter()
                .filter(|t| t.ready > 0)
                .map(|t| (t.shard, t.ready))
                .collect();
            self.timed(turn).await;
            let usage = self.log.usage();
            let pressing = usage.segments > self.max_segments;
            let pinned_by = usage.pinned_by.map(|group| (ReplicaId(group.0).shard(), pressing));
            self.done.push(Completion::Persisted {
                readies,
                live_bytes: usage.live_bytes,
                pinned_by,
            });
        }
    }

    /// The time is taken here and not in the log: it includes what another part of the node makes the disk wait for.
    async fn timed(&mut self, tasks: Vec<AppendTask>) {
        self.stalls.begin(self.env.clock.monotonic());
        let delay = self.env.disk.simulated_delay();
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        let files = |log: &dyn LogStore| log.usage().segments + log.usage().spares;
        let before = files(&*self.log);
        match self.turn(tasks) {
            // It filled a new file with zeros: a disk that is well takes long for that.
            Ok(_) if files(&*self.log) > before => self.stalls.skip(),
            Ok(synced) => self.stalls.end(self.env.clock.monotonic(), synced),
            Err(error) => panic!("the log cannot be written, nothing further may be acknowledged: {error}"),
        }
    }

    /// Whether the turn had to be synced.
    fn turn(&mut self, tasks: Vec<AppendTask>) -> Result<bool, LogError> {
        let mut needs_sync = false;
        let mut batch = LogBatch::new();
        let mut filled = 0;
        for task in tasks {
            let group = task.group;
            if let Some(at) = task.create {
                batch.create_group(group, at);
            }
            if let Some(at) = task.reset {
                batch.truncate(group, at.index + 1).compact(group, at);
            }
            // The hard state goes with or before its entries: a log that knows entries of a term knows the term.
            match task.hard_state {
                Some(state) if task.must_sync => _ = batch.hard_state(group, state),
                Some(state) => _ = batch.commit(group, state),
                None => {}
            }
            for part in parts(task.entries, self.part_bytes) {
                let size = part.iter().map(|e| e.data.len()).sum::<usize>();
                if filled > 0 && filled + size > self.part_bytes {
                    needs_sync |= batch.needs_sync();
                    self.log.append(&std::mem::take(&mut batch))?;
                    filled = 0;
                }
                filled += size;
                batch.entries(group, part);
            }
            if let Some(at) = task.compacted {
                batch.compact(group, at);
            }
            if task.tombstone {
                batch.tombstone(group);
            }
        }
        needs_sync |= batch.needs_sync();
        self.log.append(&batch)?;
        if needs_sync {
            self.log.sync()?;
        }
        Ok(needs_sync)
    }
}

/// Cuts a run of entries into runs of at most `bytes`, or of one entry.
fn parts(entries: Vec<LogEntry>, bytes: usize) -> Vec<Vec<LogEntry>> {
    let mut parts: Vec<Vec<LogEntry>> = Vec::new();
    let mut filled = 0;
    for entry in entries {
        filled += entry.data.len();
        match parts.last_mut() {
            Some(part) if filled <= bytes => part.push(entry),
            _ => {
                filled = entry.data.len();
                parts.push(vec![entry]);
            }
        }
    }
    parts
}

fn bytes(tasks: &[AppendTask]) -> usize {
    tasks.iter().flat_map(|t| &t.entries).map(|e| e.data.len()).sum()
}
