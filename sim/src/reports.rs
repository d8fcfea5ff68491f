//! What the hosts say of who belongs to a shard.

use std::collections::BTreeMap;
use std::time::Duration;

use covey_rpc::NodeClient;
use covey_shared::ids::{ModelEpoch, NodeId, ReplicaId, ShardId};
use covey_shared::members::ShardDescriptor;
use covey_shared::wire::{Class, ReplyBody, RequestBody, ShardError, ShardReport};
use futures::future::join_all;

use crate::history::Shared;
use crate::invariants;

/// Time for one question: who is away must not hold back the others.
const ASK: Duration = Duration::from_millis(500);

/// What one host says of a shard.
#[derive(Clone, Debug)]
enum Answer {
    /// It has a replica.
    Has(Box<ShardReport>),
    /// It has none.
    NotHere,
    /// It does not answer, or has a replica that takes no part yet.
    Unknown,
}

/// What all of them say, about at once.
#[derive(Clone, Debug)]
pub(crate) struct Look(BTreeMap<NodeId, Answer>);

impl Look {
    /// Asks all hosts; what they say goes into the history.
    pub(crate) async fn at(clients: &[NodeClient], shard: ShardId, history: &Shared) -> Look {
        let ask = |(host, client)| async move { (NodeId(host), answer(client, shard).await) };
        let before = history.lock().heard.clone();
        let answers: BTreeMap<NodeId, Answer> = join_all((1..).zip(clients).map(ask)).await.into_iter().collect();
        let mut history = history.lock();
        for (host, answer) in &answers {
            if let Answer::Has(report) = answer {
                invariants::one_host_per_replica(&mut history, &before, *host, report);
                invariants::one_list_per_version(&mut history, &before, report);
            }
        }
        Look(answers)
    }

    /// The shard at its highest `conf_ver`.
    pub(crate) fn newest(&self) -> Option<&ShardDescriptor> {
        let known = self.reports().map(|report| &report.descriptor);
        known.max_by_key(|descriptor| descriptor.epoch.conf_ver)
    }

    /// Those that have a replica.
    pub(crate) fn reports(&self) -> impl Iterator<Item = &ShardReport> {
        self.0.values().filter_map(|answer| match answer {
            Answer::Has(report) => Some(&**report),
            Answer::NotHere | Answer::Unknown => None,
        })
    }

    /// Whether every member, and nobody else, has its replica, and all of them know the same members and have applied as much.
    pub(crate) fn is_level(&self) -> bool {
        let Some(newest) = self.newest() else { return false };
        let place = |(host, answer): (&NodeId, &Answer)| match (newest.members.on(*host), answer) {
            (Some(member), Answer::Has(report)) => report.replica == member && report.descriptor == *newest,
            (member, Answer::NotHere) => member.is_none(),
            _ => false,
        };
        let mut applied = self.reports().map(|report| report.applied);
        let first = applied.next();
        self.0.iter().all(place) && applied.all(|index| Some(index) == first)
    }

    /// For people.
    pub(crate) fn in_words(&self) -> String {
        let line = |(host, answer): (&NodeId, &Answer)| match answer {
            Answer::Has(r) => {
                let (epoch, members) = (r.descriptor.epoch, &r.descriptor.members);
                let leads = if r.members.is_empty() { "" } else { ", leads" };
                let lists = [&members.voters, &members.outgoing, &members.learners].map(|list| nodes(list));
                format!(
                    "\n    {host}: {:?} {:?} applied {} of {}, {epoch:?} {lists:?}{leads}",
                    r.replica, r.term, r.applied, r.last
                )
            }
            Answer::NotHere => format!("\n    {host}: none"),
            Answer::Unknown => format!("\n    {host}: no answer"),
        };
        self.0.iter().map(line).collect()
    }
}

fn nodes(replicas: &[ReplicaId]) -> Vec<u64> {
    replicas.iter().map(|replica| replica.node().0).collect()
}

async fn answer(client: &NodeClient, shard: ShardId) -> Answer {
    let body = RequestBody::Members { shard };
    match client.call(Class::Admin, ASK, body, ModelEpoch(0)).await {
        Ok(ReplyBody::Members(Ok(report))) => Answer::Has(report),
        Ok(ReplyBody::Members(Err(ShardError::NotHere(_)))) => Answer::NotHere,
        Ok(_) | Err(_) => Answer::Unknown,
    }
}
