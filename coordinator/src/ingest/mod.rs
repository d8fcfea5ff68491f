//! Writes: items of many requests become entries of the log, one batch per shard at a time and kind.

mod batcher;
mod event_log;
mod ingest_actor;
mod item;
mod parents;
mod vectors;

use std::sync::Arc;
use std::time::Duration;

use actix::Addr;
use covey_config::Config;
use covey_env::{Clock, Monotonic};
use covey_eventlog::{EventLog, ServedRow, Totals};
use covey_shared::command::Served;
use tokio::sync::oneshot;
use tracing::Span;

use crate::cluster::{Cluster, Threads};
use batcher::{BatchLimits, Batcher};
use event_log::Events;
use ingest_actor::{IngestActor, Submit};

pub(crate) use ingest_actor::Submitted;
pub(crate) use item::{Outcome, WriteFailure, WriteItem, Written};
pub(crate) use parents::fill_references;
pub(crate) use vectors::{VectorError, Vectors};

/// What was served waits this long for company: it is best effort, and the first to be shed.
const SERVED_LINGER: Duration = Duration::from_secs(1);
/// The actor answers at the deadline for every item by itself; this is for its answer to arrive.
const GRACE: Duration = Duration::from_millis(50);
/// Batches that may wait in front of one shard, per kind.
const QUEUED_BATCHES: usize = 16;

/// The way to the ingest actor.
#[derive(Clone)]
pub struct Ingest {
    addr: Addr<IngestActor>,
    cluster: Arc<Cluster>,
    events: Option<Events>,
}

impl Ingest {
    /// Starts the actor.
    pub fn start(cluster: Arc<Cluster>, config: &Config, threads: &Threads) -> Ingest {
        let coordinator = &config.coordinator;
        let items = coordinator.ingest_batch.min(config.raft.max_batch_items);
        let limits = BatchLimits {
            items,
            // The estimate is an upper bound; half leaves room for the frame of the entry in any case.
            bytes: config.raft.max_entry.as_usize() / 2,
            linger: coordinator.ingest_linger,
            served_linger: SERVED_LINGER,
            queue: items * QUEUED_BATCHES,
        };
        let actor = IngestActor::new(cluster.clone(), Batcher::new(limits));
        Ingest {
            addr: threads.start(actor, coordinator.mailbox),
            cluster,
            events: None,
        }
    }

    /// The same, that also writes down in `log` which actions were accepted and what feeds showed.
    #[must_use]
    pub fn logging_to(self, log: EventLog, clock: Arc<dyn Clock>) -> Ingest {
        Ingest {
            events: Some(Events { log, clock }),
            ..self
        }
    }

    /// Writes items and waits for their outcomes, at most until `deadline`.
    pub(crate) async fn submit(&self, items: Vec<WriteItem>, deadline: Monotonic) -> Submitted {
        let count = items.len();
        let actions = self.events.as_ref().map(|_| event_log::actions(&items));
        let (reply, outcome) = oneshot::channel();
        let submit = Submit {
            items,
            deadline,
            span: Span::current(),
            reply: Some(reply),
        };
        if self.addr.try_send(submit).is_err() {
            return all(WriteFailure::Unavailable { retry_after_ms: 50 }, count);
        }
        let left = deadline.left(self.cluster.now());
        match tokio::time::timeout(left + GRACE, outcome).await {
            Ok(Ok(submitted)) => {
                if let (Some(events), Some(actions)) = (&self.events, actions) {
                    events.accepted(actions, &submitted.outcomes);
                }
                submitted
            }
            Ok(Err(_)) | Err(_) => all(WriteFailure::Uncertain, count),
        }
    }

    /// Records what feeds showed, best effort: false when the queue is full and the record is lost.
    pub fn record_served(&self, served: Vec<Served>, deadline: Monotonic) -> bool {
        let submit = Submit {
            items: served.into_iter().map(WriteItem::Served).collect(),
            deadline,
            span: Span::none(),
            reply: None,
        };
        self.addr.try_send(submit).is_ok()
    }

    /// Writes down what a feed showed; see [`EventLog::record`].
    pub(crate) fn log_served(&self, rows: Vec<ServedRow>) {
        if let Some(events) = &self.events {
            events.served(rows);
        }
    }

    /// What the event log has written and lost since the start; nothing without a log.
    pub(crate) fn logged(&self) -> Totals {
        self.events
            .as_ref()
            .map(|events| events.log.totals())
            .unwrap_or_default()
    }
}

fn all(failure: WriteFailure, count: usize) -> Submitted {
    Submitted {
        outcomes: vec![Err(failure); count],
        ..Submitted::default()
    }
}

#[cfg(test)]
#[path = "ingest_test.rs"]
mod tests;
