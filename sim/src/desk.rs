//! Talks to whoever leads the metadata.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use covey_env::Env;
use covey_rpc::NodeClient;
use covey_shared::command::{ItemResult, ShardCommand};
use covey_shared::ids::{ModelEpoch, NodeId, OperationId, ShardEpoch, ShardId};
use covey_shared::layout::FIRST_EPOCH;
use covey_shared::metadata::{ClusterView, MetadataChange, OperationFault};
use covey_shared::wire::{Class, ReplyBody, RequestBody, ShardError};

use crate::client::clients;
use crate::cluster::HOSTS;
use crate::history::Shared;
use crate::invariants;
use crate::reports::Look;

/// Time for one call.
const CALL: Duration = Duration::from_secs(2);
/// Lines of the audit log that are asked for: more than a run has.
const AUDIT: u32 = 1000;

pub(crate) struct Desk {
    clients: Vec<NodeClient>,
    history: Shared,
    /// Host that is asked next.
    ask: AtomicU64,
    conf_ver: AtomicU64,
}

impl Desk {
    pub(crate) fn new(env: &Env, history: Shared) -> Desk {
        Desk {
            clients: clients(env),
            history,
            ask: AtomicU64::new(1),
            conf_ver: AtomicU64::new(FIRST_EPOCH.conf_ver),
        }
    }

    /// Another host is asked next: who leads no more may not know it, and would be asked for ever.
    pub(crate) fn turn_to(&self, host: u64) {
        self.ask.store(host, Ordering::Relaxed);
    }

    /// What the leader says, if it is found at once.
    pub(crate) async fn describe(&self) -> Option<ClusterView> {
        let known = self.history.lock().metadata;
        match self.call(RequestBody::Describe { audit: AUDIT }).await? {
            ReplyBody::Describe(Ok(view)) => {
                let mut history = self.history.lock();
                invariants::one_operation_per_shard(&mut history, &view);
                invariants::metadata_goes_on(&mut history, known, &view);
                Some(*view)
            }
            ReplyBody::Describe(Err(error)) => self.go_on(&error),
            _ => self.go_on(&ShardError::Store),
        }
    }

    /// What the hosts say of a shard goes into the history.
    pub(crate) async fn look(&self, shard: ShardId) {
        Look::at(&self.clients, shard, &self.history).await;
    }

    /// What came of a change, if that is known at once. Who does not know asks again: nothing is begun twice.
    pub(crate) async fn change(&self, change: MetadataChange) -> Option<Result<OperationId, OperationFault>> {
        let shard = ShardId::METADATA;
        let epoch = ShardEpoch {
            conf_ver: self.conf_ver.load(Ordering::Relaxed),
            ..FIRST_EPOCH
        };
        let command = ShardCommand::Metadata(change);
        match self.call(RequestBody::Write { shard, epoch, command }).await? {
            ReplyBody::Write(Ok(reply)) => {
                let mut history = self.history.lock();
                history.metadata = history.metadata.max(reply.index);
                match reply.results.into_iter().next() {
                    Some(ItemResult::Operation(outcome)) => Some(outcome),
                    _ => None,
                }
            }
            ReplyBody::Write(Err(ShardError::StaleEpoch { current })) => {
                self.conf_ver.store(current.conf_ver, Ordering::Relaxed);
                None
            }
            ReplyBody::Write(Err(error)) => self.go_on(&error),
            _ => self.go_on(&ShardError::Store),
        }
    }

    async fn call(&self, body: RequestBody) -> Option<ReplyBody> {
        let host = self.ask.load(Ordering::Relaxed);
        let answer = self.clients[host as usize - 1]
            .call(Class::Admin, CALL, body, ModelEpoch(0))
            .await;
        answer
            .map_err(|_| self.ask.store(host % HOSTS + 1, Ordering::Relaxed))
            .ok()
    }

    /// The next call goes to whom this one names, or to the next host.
    fn go_on<T>(&self, error: &ShardError) -> Option<T> {
        let host = self.ask.load(Ordering::Relaxed);
        let next = NodeId(host % HOSTS + 1);
        let to = match error {
            ShardError::NotLeader { hint } => hint.unwrap_or(next),
            ShardError::NotReady(_) | ShardError::Uncertain | ShardError::Overloaded { .. } => NodeId(host),
            _ => next,
        };
        self.ask.store(to.0, Ordering::Relaxed);
        None
    }
}
