//! The last hash of each replica here, and what it should be: a small lock, held for a copy.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

use covey_shard::{RecordsAt, ShardView};
use covey_shared::command::ShardCommand;
use covey_shared::ids::{LogIndex, ShardId};
use covey_shared::wire::ReplicaHash;
use parking_lot::Mutex;
use tokio::sync::mpsc;

use crate::completions::{Completion, Completions};

/// Jobs that wait for the worker. Each keeps a moment of the key-value store; a check that finds no room is left to the next.
const QUEUE: usize = 4;

/// Records to be hashed.
pub(crate) struct Job {
    pub(crate) shard: ShardId,
    pub(crate) index: LogIndex,
    pub(crate) records: RecordsAt,
    pub(crate) view: Weak<ShardView>,
}

/// What is known of one entry.
struct Known {
    index: LogIndex,
    hash: Option<u64>,
    expected: Option<u64>,
    /// It is a copy that was never found equal.
    copy: bool,
    view: Weak<ShardView>,
}

/// Of all replicas of the node.
pub(crate) struct Hashes {
    known: Mutex<BTreeMap<ShardId, Known>>,
    jobs: mpsc::Sender<Job>,
    done: Completions,
}

impl Hashes {
    /// Reports replicas that differ to `done`. Also the worker's input.
    pub(crate) fn new(done: Completions) -> (Hashes, mpsc::Receiver<Job>) {
        let (jobs, input) = mpsc::channel(QUEUE);
        let known = Mutex::default();
        (Hashes { known, jobs, done }, input)
    }

    /// A replica has applied this command, and nothing behind it yet.
    pub(crate) fn applied(&self, shard: ShardId, index: LogIndex, command: &ShardCommand, view: &Arc<ShardView>) {
        match command {
            ShardCommand::ComputeHash => {
                let records = view.records();
                let view_of = Arc::downgrade(view);
                let known = Known {
                    index,
                    hash: None,
                    expected: None,
                    // What cannot be read speaks for nobody.
                    copy: view.is_copy().unwrap_or(true),
                    view: view_of.clone(),
                };
                let job = Job {
                    shard,
                    index,
                    records,
                    view: view_of,
                };
                self.known.lock().insert(shard, known);
                if self.jobs.try_send(job).is_err() {
                    self.forget(shard);
                }
            }
            ShardCommand::VerifyHash { index, hash } => {
                self.learn(shard, *index, |known| known.expected = Some(*hash));
            }
            _ => {}
        }
    }

    /// The worker has hashed the records behind an entry.
    pub(super) fn found(&self, shard: ShardId, index: LogIndex, hash: u64) {
        self.learn(shard, index, |known| known.hash = Some(hash));
    }

    fn learn(&self, shard: ShardId, index: LogIndex, learn: impl FnOnce(&mut Known)) {
        let mut all = self.known.lock();
        let Some(known) = all.get_mut(&shard).filter(|known| known.index == index) else {
            return;
        };
        learn(known);
        let (Some(hash), Some(expected)) = (known.hash, known.expected) else {
            return;
        };
        let view = known.view.clone();
        if hash == expected {
            let was_copy = std::mem::take(&mut known.copy);
            drop(all);
            if was_copy {
                confirm(shard, &view);
            }
        } else {
            tracing::error!(
                shard = shard.0,
                index = index.0,
                "this replica holds something else than the others: it is built anew from a snapshot"
            );
            all.remove(&shard);
            drop(all);
            self.condemn(shard, &view);
        }
    }

    /// A replica is damaged: it is not used any more, after a restart neither.
    pub(super) fn condemn(&self, shard: ShardId, view: &Weak<ShardView>) {
        if let Some(Err(error)) = view.upgrade().map(|view| view.condemn()) {
            let error = format!("{:#}", anyhow::Error::new(error));
            tracing::error!(shard = shard.0, error, "that a replica is damaged could not be noted");
        }
        self.done.push(Completion::Differs(shard));
    }

    /// A snapshot has taken the place of what was hashed.
    pub(crate) fn forget(&self, shard: ShardId) {
        self.known.lock().remove(&shard);
    }

    /// The hash behind this entry, once it is known.
    pub(crate) fn at(&self, shard: ShardId, index: LogIndex) -> Option<ReplicaHash> {
        let known = self.known.lock();
        let known = known.get(&shard).filter(|known| known.index == index)?;
        Some(ReplicaHash {
            hash: known.hash?,
            copy: known.copy,
        })
    }
}

fn confirm(shard: ShardId, view: &Weak<ShardView>) {
    if let Some(Err(error)) = view.upgrade().map(|view| view.confirm_copy()) {
        let error = format!("{:#}", anyhow::Error::new(error));
        tracing::warn!(
            shard = shard.0,
            error,
            "a copy was found equal to the others, which could not be noted"
        );
    }
}
