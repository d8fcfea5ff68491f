//! Hashes records, one replica at a time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use tokio::sync::mpsc;

use super::{Hashes, Job};
use crate::set_aside::DamageWatch;

/// Works on a thread of low priority: a hash reads all records of a shard.
pub(crate) struct HashWorker {
    pub(crate) jobs: mpsc::Receiver<Job>,
    /// Not kept alive from here: whoever gives jobs does.
    pub(crate) hashes: Weak<Hashes>,
    pub(crate) damage: DamageWatch,
    /// The node stops.
    pub(crate) stop: Arc<AtomicBool>,
}

impl HashWorker {
    /// Works until the node stops.
    pub(crate) async fn run(mut self) {
        while let Some(job) = self.jobs.recv().await {
            let (shard, index) = (job.shard, job.index);
            let stop = || self.stop.load(Ordering::Acquire);
            match job.records.hash(&stop) {
                Ok(Some(hash)) => match self.hashes.upgrade() {
                    Some(hashes) => hashes.found(shard, index, hash),
                    None => return,
                },
                Ok(None) => return,
                Err(error) => {
                    if !self.damage.note(&error)
                        && error.is_damage()
                        && let Some(hashes) = self.hashes.upgrade()
                    {
                        hashes.condemn(shard, &job.view);
                    }
                    tracing::error!(
                        shard = shard.0,
                        error = format!("{:#}", anyhow::Error::new(error)),
                        "the records of this replica cannot be read"
                    );
                }
            }
        }
    }
}
