//! Filling a node that is new, or was taken back into service: replicas of the fullest nodes come to it, one after another, until it has
//! its share.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use covey_shared::ids::NodeId;
use covey_shared::metadata::{Ending, OperationFault, OperationRecord};

use crate::moving::Move;
use crate::parts::{Obstacle, Parts, Turn, in_vain};
use crate::placement::Outlook;
use crate::repair;
use crate::schedule::{Limits, Plan, SCHEDULER, late};

/// Replicas by which a move brings two nodes nearer: one loses what the other gains.
const NEARER: usize = 2;

/// An operation that runs and fills a node.
pub(crate) struct Filling<'a> {
    parts: Parts<'a>,
    node: NodeId,
    /// Replicas that it has, and that it should have at least.
    held: usize,
    share: usize,
}

impl<'a> Filling<'a> {
    pub(crate) fn of(record: &'a OperationRecord, node: NodeId, outlook: &Outlook<'a>) -> Filling<'a> {
        let shards = outlook.of_users();
        Filling {
            parts: Parts::of(record, outlook),
            node,
            held: shards.filter(|(known, _)| outlook.votes(known.shard, node)).count(),
            share: share(&spread(outlook), outlook),
        }
    }

    /// Begins what can begin, or ends it.
    pub(crate) fn go_on(&self, outlook: &mut Outlook<'a>, limits: &Limits, plan: &mut Plan) {
        let blocked_by = self.act(outlook, limits, plan);
        let left = self.share.saturating_sub(self.held);
        let waiting = vec![self.node; left.saturating_sub(self.coming(outlook))];
        let progress = self
            .parts
            .progress((self.step(), blocked_by), left, &waiting, outlook, limits);
        plan.progress.insert(self.parts.record.id, progress);
    }

    /// What is in the way.
    fn act(&self, outlook: &mut Outlook<'a>, limits: &Limits, plan: &mut Plan) -> String {
        let (record, now) = (self.parts.record, outlook.sights.now);
        let moving = self.parts.running().count();
        if record.cancelled {
            if moving == 0 {
                plan.end(record.id, self.parts.taken_back(now));
            }
            return String::new();
        }
        if late(record, now) {
            return String::new();
        }
        if repair::due(outlook, self.node, limits) {
            plan.cancel(record.id, SCHEDULER);
            return String::new();
        }
        let vain = self
            .parts
            .running()
            .filter(|work| !work.cancelled && in_vain(work, outlook));
        vain.for_each(|work| plan.cancel(work.id, SCHEDULER));
        if !outlook.state.knows_all_shards() {
            return OperationFault::NotYetKnown.to_string();
        }
        if let Some(shard) = self.parts.settles(self.node, outlook) {
            return Parts::told(vec![Obstacle::Turn(Turn::Settles(shard))], moving);
        }
        let wanted = moves(self.node, outlook);
        if wanted.is_empty() && !self.awaits(outlook) {
            plan.end(record.id, Ending::Done);
            return String::new();
        }
        let (began, obstacles) = self.begin_one(wanted, outlook, limits, plan);
        Parts::told(obstacles, moving + began)
    }

    /// Replicas that parts of this bring, and that do not count yet.
    fn coming(&self, outlook: &Outlook<'_>) -> usize {
        let shards = self.parts.running().filter_map(|part| part.what.shard());
        shards.filter(|shard| !outlook.votes(*shard, self.node)).count()
    }

    /// Whether a replica is on its way to the node, whoever brings it.
    fn awaits(&self, outlook: &Outlook<'_>) -> bool {
        let mut running = outlook.state.running();
        running.any(|record| Move::of(&record.what).is_some_and(|what| what.to == self.node))
    }

    /// How many moves begin, which is one at most, and what is in the way of better ones.
    fn begin_one(
        &self,
        wanted: Vec<Move>,
        outlook: &mut Outlook<'a>,
        limits: &Limits,
        plan: &mut Plan,
    ) -> (usize, Vec<Obstacle>) {
        let known = outlook.state.nodes.get(&self.node);
        let there = known.is_some_and(|node| node.away_since.is_none()) && outlook.sights.up.contains(&self.node);
        if !there {
            return (0, vec![Obstacle::Absent(self.node)]);
        }
        let mut obstacles = Vec::new();
        for what in wanted {
            if outlook.receives(self.node) {
                obstacles.push(Obstacle::Turn(Turn::Target(what.shard)));
                break;
            }
            let free = self.parts.free(what.shard, outlook);
            match free.and_then(|()| self.parts.begin(what, outlook, limits, plan)) {
                Ok(()) => return (1, obstacles),
                Err(obstacle) => obstacles.push(obstacle),
            }
        }
        (0, obstacles)
    }

    fn step(&self) -> String {
        let (node, held, share) = (self.node, self.held, self.share);
        match self.parts.record.cancelled {
            true => format!(
                "is taken back; {} moves come to their end",
                self.parts.running().count()
            ),
            false if held < share => format!("node {node} has {held} of the {share} replicas that are its share"),
            false => format!("node {node} has its share of the replicas"),
        }
    }
}

/// Moves that would each bring a node nearer to its share, best first: from the fullest nodes, and of their replicas rather one that does
/// not lead. None keeps the zones of its shard less apart, and none only has two nodes change their places. Those of the metadata stay.
pub(crate) fn moves(node: NodeId, outlook: &Outlook<'_>) -> Vec<Move> {
    let spread = spread(outlook);
    let held = |node: &NodeId| spread.get(node).copied().unwrap_or(0);
    if held(&node) >= share(&spread, outlook) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (known, nodes) in outlook.of_users().filter(|(_, nodes)| !nodes.contains(&node)) {
        let leader = outlook
            .sights
            .reports
            .get(&known.shard)
            .map(|report| report.replica.node());
        for from in nodes {
            let full = held(&from);
            if full >= held(&node) + NEARER && outlook.keeps_apart(known, from, node) {
                found.push((Reverse(full), leader == Some(from), known.shard, from));
            }
        }
    }
    found.sort_unstable();
    let to = node;
    let moves = found.into_iter().map(|(_, _, shard, from)| Move { shard, from, to });
    moves.collect()
}

/// Replicas of shards with slots that each node will have once the moves that run are done.
fn spread(outlook: &Outlook<'_>) -> BTreeMap<NodeId, usize> {
    let mut spread = BTreeMap::new();
    for node in outlook.of_users().flat_map(|(_, nodes)| nodes) {
        *spread.entry(node).or_default() += 1;
    }
    spread
}

/// Replicas that each node should have at least: those of all, by the nodes that may have some.
fn share(spread: &BTreeMap<NodeId, usize>, outlook: &Outlook<'_>) -> usize {
    let serving = outlook.state.nodes.values().filter(|node| !node.drained);
    let all: usize = spread.values().sum();
    all.checked_div(serving.count()).unwrap_or(0)
}

#[cfg(test)]
#[path = "filling_test.rs"]
mod tests;
