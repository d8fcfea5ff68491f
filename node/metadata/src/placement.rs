//! Where a replica that has to leave its node goes.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use covey_shared::ids::{NodeId, ReplicaId, ShardId};
use covey_shared::members::ShardDescriptor;
use covey_shared::metadata::{Ending, NodeRecord, Operation, OperationRecord};

use crate::moving::Move;
use crate::schedule::Sights;
use crate::state::Metadata;

/// The cluster as it will be once the moves that run, and those that were just decided, are done.
#[derive(Clone)]
pub(crate) struct Outlook<'a> {
    pub(crate) state: &'a Metadata,
    pub(crate) sights: &'a Sights<'a>,
    /// The newest that is known of each shard, be it behind the log or from its leader.
    shards: BTreeMap<ShardId, &'a ShardDescriptor>,
    /// Replicas of each node.
    load: BTreeMap<NodeId, usize>,
    /// Nodes to which a move brings a replica: one at a time. In a shard without a leader it brings nothing.
    targets: BTreeSet<NodeId>,
    /// Moves that are to come to their end, by shard.
    moves: BTreeMap<ShardId, Move>,
    /// Moves that other operations have begun and that can go on.
    children: usize,
}

/// Who takes a replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    /// This one.
    Node(NodeId),
    /// Who should is busy with another one.
    Busy,
    /// Nobody can.
    Nobody,
}

/// Who may be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// Those that could begin now.
    Now,
    /// Those that could once they have nothing else to do.
    Soon,
    /// Those that could if they were there, too.
    InPrinciple,
}

/// How well a node's zone fits; the lower the better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum ZoneFit {
    /// No other replica of the shard is there.
    Fresh,
    /// Its zone is not known.
    Unknown,
    /// So many other replicas are there.
    Shared(usize),
}

impl<'a> Outlook<'a> {
    pub(crate) fn new(state: &'a Metadata, sights: &'a Sights<'a>) -> Outlook<'a> {
        let mut shards: BTreeMap<_, _> = state.shards.iter().map(|(id, known)| (*id, known)).collect();
        for (id, report) in sights.reports {
            let known = shards.entry(*id).or_insert(&report.descriptor);
            if report.descriptor.epoch > known.epoch {
                *known = &report.descriptor;
            }
        }
        let mut load = BTreeMap::new();
        for replica in shards.values().flat_map(|descriptor| descriptor.members.all()) {
            *load.entry(replica.node()).or_default() += 1;
        }
        let mut outlook = Outlook {
            state,
            sights,
            shards,
            load,
            targets: BTreeSet::new(),
            moves: BTreeMap::new(),
            children: 0,
        };
        for record in state.running() {
            if let Some(what) = Move::of(&record.what) {
                outlook.expect(&what);
                if record.cancelled {
                    outlook.moves.remove(&what.shard);
                }
                let led = sights.reports.contains_key(&what.shard);
                outlook.children += usize::from(led && record.parent.is_some());
            }
        }
        outlook
    }

    /// Counts a move that another operation begins now.
    pub(crate) fn begin(&mut self, what: &Move) {
        self.expect(what);
        self.children += 1;
    }

    /// Counts the replica that a move brings.
    pub(crate) fn expect(&mut self, what: &Move) {
        let there = self.shards.get(&what.shard).and_then(|known| known.members.on(what.to));
        if there.is_none() {
            *self.load.entry(what.to).or_default() += 1;
        }
        // What has a vote has come.
        if self.sights.reports.contains_key(&what.shard) && !self.votes(what.shard, what.to) {
            self.targets.insert(what.to);
        }
        self.moves.insert(what.shard, *what);
    }

    /// Moves that other operations have begun and that can go on.
    pub(crate) fn children(&self) -> usize {
        self.children
    }

    pub(crate) fn shard(&self, shard: ShardId) -> Option<&'a ShardDescriptor> {
        self.shards.get(&shard).copied()
    }

    /// Whether a move brings a replica to a node.
    pub(crate) fn receives(&self, node: NodeId) -> bool {
        self.targets.contains(&node)
    }

    /// The move of a shard that is to come to its end.
    pub(crate) fn moving(&self, shard: ShardId) -> Option<&Move> {
        self.moves.get(&shard)
    }

    /// Shards that own slots, and the nodes whose replicas will have a vote.
    pub(crate) fn of_users(&self) -> impl Iterator<Item = (&'a ShardDescriptor, BTreeSet<NodeId>)> {
        let owning = self.shards.values().filter(|known| known.shard != ShardId::METADATA);
        owning.map(|known| {
            let mut nodes: BTreeSet<NodeId> = known.members.voters.iter().map(|voter| voter.node()).collect();
            if let Some(Move { from, to, .. }) = self.moves.get(&known.shard) {
                nodes.remove(from);
                nodes.insert(*to);
            }
            (*known, nodes)
        })
    }

    /// Shards that have a member on a node, ascending, that of the metadata last: the others are moved by it.
    pub(crate) fn on(&self, node: NodeId) -> Vec<ShardId> {
        let there = self.shards.values().filter(|known| known.members.on(node).is_some());
        let mut there: Vec<ShardId> = there.map(|known| known.shard).collect();
        there.sort_unstable_by_key(|shard| (*shard == ShardId::METADATA, *shard));
        there
    }

    /// Whether the replica on a node has a vote.
    pub(crate) fn votes(&self, shard: ShardId, node: NodeId) -> bool {
        let known = self.shards.get(&shard);
        known.is_some_and(|known| known.members.voters.iter().any(|voter| voter.node() == node))
    }

    /// Whether a leader hears of a replica on a node: it is there then, even if it does not answer who decides.
    pub(crate) fn heard(&self, node: NodeId) -> bool {
        let mut members = self.sights.reports.values().flat_map(|report| &report.members);
        members.any(|member| member.heard && member.replica.node() == node)
    }

    /// Whether a node is kept out of what goes on.
    pub(crate) fn in_maintenance(&self, node: NodeId) -> bool {
        let holds =
            |record: &OperationRecord| matches!(record.what, Operation::Maintenance { .. }) && !record.cancelled;
        self.state.running_on(node).is_some_and(holds)
    }

    /// The node to which the replica on `from` goes. A move that was interrupted goes on; else those where it failed come last, zones are
    /// kept apart, then loads alike.
    pub(crate) fn target(&self, shard: &ShardDescriptor, from: NodeId, asked: Asked) -> Choice {
        if let Some(to) = self.interrupted(shard, from) {
            return match asked == Asked::Now && self.targets.contains(&to) {
                true => Choice::Busy,
                false => Choice::Node(to),
            };
        }
        self.place(shard, from, asked)
    }

    /// The node that should have a replica of the shard once there is none on `from`.
    pub(crate) fn place(&self, shard: &ShardDescriptor, from: NodeId, asked: Asked) -> Choice {
        let zones = self.zones(shard, from);
        let failed = self.failed(shard.shard);
        let fit = |node: &NodeRecord| (failed.contains(&node.place.node), zone_fit(node, &zones));
        let able = || {
            let nodes = self.state.nodes.values();
            nodes.filter(|node| shard.members.on(node.place.node).is_none() && self.able(node, asked))
        };
        let Some(best) = able().map(fit).min() else {
            return Choice::Nobody;
        };
        // Who is busy soon is not any more: no reason to put two replicas into one zone.
        let free = able().filter(|node| fit(node) == best);
        let free = free.filter(|node| asked != Asked::Now || !self.targets.contains(&node.place.node));
        let load = |node: &NodeId| self.load.get(node).copied().unwrap_or(0);
        let chosen = free.map(|node| node.place.node).min_by_key(|node| (load(node), *node));
        chosen.map_or(Choice::Busy, Choice::Node)
    }

    fn able(&self, node: &NodeRecord, asked: Asked) -> bool {
        let id = node.place.node;
        let now = || self.sights.up.contains(&id) && node.away_since.is_none() && !self.in_maintenance(id);
        !node.drained && (asked == Asked::InPrinciple || now())
    }

    /// Where moves of the shard were to bring a replica in vain, of those that other operations had begun.
    fn failed(&self, shard: ShardId) -> BTreeSet<NodeId> {
        let to = |record: &OperationRecord| match (&record.ended, record.what) {
            (Some((_, Ending::Done)) | None, _) => None,
            (_, Operation::Move { shard: of, to, .. }) => (of == shard && record.parent.is_some()).then_some(to),
            _ => None,
        };
        self.state.operations.values().filter_map(to).collect()
    }

    /// Whether the zones of a shard are as far apart as before if the replica on `from` goes to `to`.
    pub(crate) fn keeps_apart(&self, shard: &ShardDescriptor, from: NodeId, to: NodeId) -> bool {
        let zones = self.zones(shard, from);
        let fit = |node| self.state.nodes.get(&node).map(|node| zone_fit(node, &zones));
        // One that is not known any more may go from wherever it was.
        fit(from).is_none() || fit(to) <= fit(from)
    }

    /// Zones of the members that stay, and how many are in each.
    fn zones(&self, shard: &ShardDescriptor, from: NodeId) -> BTreeMap<&'a str, usize> {
        let members = shard.members.all().into_iter().map(ReplicaId::node);
        let stay = members.filter(|node| *node != from);
        let mut zones = BTreeMap::new();
        for node in stay.filter_map(|node| self.state.nodes.get(&node)) {
            *zones.entry(node.place.zone.as_str()).or_default() += 1;
        }
        zones
    }

    /// Where an earlier move, which nobody drives any more, was bringing the replica on `from`.
    pub(crate) fn interrupted(&self, shard: &ShardDescriptor, from: NodeId) -> Option<NodeId> {
        let members = &shard.members;
        if members.voters.iter().any(|voter| voter.node() == from) {
            let able = |node: &NodeId| {
                let known = self.state.nodes.get(node);
                known.is_some_and(|node| self.able(node, Asked::Now))
            };
            let learners = members.learners.iter().map(|learner| learner.node());
            return learners.filter(|node| *node != from).find(able);
        }
        // It has no vote, be it not yet or not any more: it only has to go, and the newest voter most likely has its place.
        let newest = members.voters.iter().min_by_key(|voter| Reverse(voter.born()));
        newest.map(|voter| voter.node())
    }
}

fn zone_fit(node: &NodeRecord, zones: &BTreeMap<&str, usize>) -> ZoneFit {
    match (node.place.zone.as_str(), zones.get(node.place.zone.as_str())) {
        ("", _) => ZoneFit::Unknown,
        (_, None) => ZoneFit::Fresh,
        (_, Some(others)) => ZoneFit::Shared(*others),
    }
}

#[cfg(test)]
#[path = "placement_test.rs"]
mod tests;
