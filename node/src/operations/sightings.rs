//! What whoever leads the metadata has seen of the nodes of late. It is forgotten with the leadership.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use covey_env::Monotonic;
use covey_metadata::{Forecast, Pace, Sights};
use covey_shared::ids::{NodeId, OperationId, ReplicaId, ShardId, UnixMillis};
use covey_shared::members::ShardDescriptor;
use covey_shared::metadata::{Ending, NodeReports, OperationProgress};
use covey_shared::wire::{RebuildStatus, ShardReport};
use parking_lot::Mutex;

use super::step::Stepped;

/// A node that has not answered for so long is away: more than an election takes, so that a restart of a process hardly shows.
const AWAY: Duration = Duration::from_secs(5);

/// Shared by who looks, who acts and who is asked.
#[derive(Debug, Default)]
pub(crate) struct Sightings(Mutex<Seen>);

#[derive(Debug, Default)]
struct Seen {
    /// When this node began to look.
    since: Option<Monotonic>,
    /// When each node last answered, be it that it has too much to do.
    alive: BTreeMap<NodeId, Monotonic>,
    /// When each node last said what it knows, and what that was.
    reports: BTreeMap<NodeId, (Monotonic, NodeReports)>,
    progress: BTreeMap<OperationId, OperationProgress>,
    /// How long moves take.
    pace: Pace,
}

/// What is seen of the cluster at one moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Glimpse {
    /// Nodes that answer.
    pub(crate) up: BTreeSet<NodeId>,
    /// For how long each other node has been silent, in milliseconds.
    pub(crate) silent: BTreeMap<NodeId, u64>,
    /// What the leader of each shard says, of those on nodes that said something lately.
    pub(crate) reports: BTreeMap<ShardId, ShardReport>,
    /// How long moves take.
    pub(crate) forecast: Forecast,
}

impl Glimpse {
    /// For who decides at `now`.
    pub(crate) fn sights(&self, now: UnixMillis) -> Sights<'_> {
        Sights {
            now,
            up: &self.up,
            silent: &self.silent,
            reports: &self.reports,
            forecast: &self.forecast,
        }
    }
}

impl Sightings {
    /// Another node leads.
    pub(crate) fn forget(&self) {
        *self.0.lock() = Seen::default();
    }

    /// This node leads.
    pub(crate) fn begin(&self, now: Monotonic) {
        self.0.lock().since.get_or_insert(now);
    }

    /// A node has answered.
    pub(crate) fn alive(&self, node: NodeId, now: Monotonic) {
        self.0.lock().alive.insert(node, now);
    }

    /// A node has said what it knows.
    pub(crate) fn saw(&self, node: NodeId, now: Monotonic, reports: NodeReports) {
        let mut seen = self.0.lock();
        seen.alive.insert(node, now);
        seen.reports.insert(node, (now, reports));
    }

    /// What a replica has just said of its shard.
    pub(crate) fn heard_of(&self, report: ShardReport) {
        let mut seen = self.0.lock();
        let node = seen.reports.get_mut(&report.replica.node());
        let known = node.and_then(|(_, reports)| {
            let mut shards = reports.shards.iter_mut();
            shards.find(|known| known.replica == report.replica)
        });
        known.into_iter().for_each(|known| known.clone_from(&report));
    }

    /// Since a node last answered.
    pub(crate) fn heard(&self, node: NodeId, now: Monotonic) -> Option<Duration> {
        let seen = self.0.lock();
        seen.alive.get(&node).map(|at| now.since(*at))
    }

    /// All of it, of these nodes.
    pub(crate) fn glimpse(
        &self,
        nodes: impl Iterator<Item = NodeId>,
        known: &BTreeMap<ShardId, ShardDescriptor>,
        now: Monotonic,
    ) -> Glimpse {
        let seen = self.0.lock();
        let mut glimpse = Glimpse {
            reports: seen.leaders(known, now),
            forecast: seen.forecast(),
            ..Glimpse::default()
        };
        for node in nodes {
            // One that has not answered yet is silent since this node looks.
            let Some(last) = seen.alive.get(&node).or(seen.since.as_ref()) else {
                continue;
            };
            let silence = now.since(*last);
            if silence >= AWAY {
                glimpse.silent.insert(node, millis(silence));
            } else if seen.alive.contains_key(&node) {
                glimpse.up.insert(node);
            }
        }
        glimpse
    }

    /// The newest that any replica says of each shard: what a member has committed is true.
    pub(crate) fn newest(&self) -> BTreeMap<ShardId, ShardDescriptor> {
        let seen = self.0.lock();
        let mut newest: BTreeMap<ShardId, ShardDescriptor> = BTreeMap::new();
        for descriptor in seen.reports.values().flat_map(|(_, reports)| &reports.shards) {
            let descriptor = &descriptor.descriptor;
            // One that lost its data knows no members until it has fetched them.
            let known = !descriptor.members.voters.is_empty();
            let newer = newest
                .get(&descriptor.shard)
                .is_none_or(|other| descriptor.epoch > other.epoch);
            if known && newer {
                newest.insert(descriptor.shard, descriptor.clone());
            }
        }
        newest
    }

    /// Replicas that their shards, as they are known, have no more, and that do not know it.
    pub(crate) fn strangers(&self, known: &BTreeMap<ShardId, ShardDescriptor>) -> Vec<ReplicaId> {
        let seen = self.0.lock();
        let all = seen.reports.values().flat_map(|(_, reports)| &reports.shards);
        let strange = all.filter(|report| !is_current(report, known));
        strange.map(|report| report.replica).collect()
    }

    /// How the replica of `shard` that is being built on `node` comes along.
    pub(crate) fn rebuild(&self, node: NodeId, shard: ShardId) -> Option<RebuildStatus> {
        let seen = self.0.lock();
        let (_, reports) = seen.reports.get(&node)?;
        reports.rebuilds.iter().find(|rebuild| rebuild.shard == shard).cloned()
    }

    pub(crate) fn note(&self, operation: OperationId, progress: OperationProgress) {
        self.0.lock().progress.insert(operation, progress);
    }

    /// What came of a step; its time left goes by how long others have taken.
    pub(super) fn stepped(&self, operation: OperationId, now: Monotonic, stepped: &Stepped) {
        let mut seen = self.0.lock();
        let (mut progress, now) = (stepped.progress.clone(), millis(now.0));
        match stepped.phase {
            Some(phase) => {
                seen.pace.saw(operation, phase, now);
                progress.eta_ms = seen.pace.left(operation, progress.eta_ms, now);
            }
            None => {
                seen.pace.lost(operation);
                progress.eta_ms = None;
            }
        }
        if stepped.ending == Some(Ending::Done) {
            seen.pace.done(operation, now);
        }
        seen.progress.insert(operation, progress);
    }

    pub(crate) fn progress(&self, operation: OperationId) -> OperationProgress {
        self.0.lock().progress.get(&operation).cloned().unwrap_or_default()
    }

    /// Only these go on.
    pub(crate) fn keep(&self, running: &BTreeSet<OperationId>) {
        let mut seen = self.0.lock();
        seen.progress.retain(|operation, _| running.contains(operation));
        seen.pace.keep(running);
    }
}

impl Seen {
    fn forecast(&self) -> Forecast {
        let left = |(id, progress): (&OperationId, &OperationProgress)| Some((*id, progress.eta_ms?));
        Forecast {
            usual_ms: self.pace.usual_ms(),
            left_ms: self.progress.iter().filter_map(left).collect(),
        }
    }

    /// Who was deposed and does not know it yet has the lower term. Who was left behind by a recovery may have a higher one: it is no
    /// member.
    fn leaders(&self, known: &BTreeMap<ShardId, ShardDescriptor>, now: Monotonic) -> BTreeMap<ShardId, ShardReport> {
        let lately = self.reports.values().filter(|(at, _)| now.since(*at) < AWAY);
        let mut leaders: BTreeMap<ShardId, ShardReport> = BTreeMap::new();
        for report in lately.flat_map(|(_, reports)| &reports.shards) {
            let shard = report.descriptor.shard;
            let newer = leaders.get(&shard).is_none_or(|other| report.term > other.term);
            if !report.members.is_empty() && newer && is_current(report, known) {
                leaders.insert(shard, report.clone());
            }
        }
        leaders
    }
}

/// Whether it is a member, as far as is known, or knows better.
fn is_current(report: &ShardReport, known: &BTreeMap<ShardId, ShardDescriptor>) -> bool {
    let known = known.get(&report.descriptor.shard);
    known.is_none_or(|known| report.descriptor.epoch > known.epoch || known.members.has(report.replica))
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
#[path = "sightings_test.rs"]
mod tests;
