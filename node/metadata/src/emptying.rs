//! Emptying a node, for a drain or a repair: each replica that is there is moved away, a few at a time.

use covey_shared::ids::{NodeId, ShardId};
use covey_shared::metadata::{Ending, Operation, OperationFault, OperationRecord};

use crate::moving::{Move, Step, Waiting};
use crate::parts::{Obstacle, Parts, Turn, in_vain, replicas, step_of};
use crate::placement::{Asked, Choice, Outlook};
use crate::schedule::{Limits, Plan, SCHEDULER, late};

/// A drain or repair that runs.
pub(crate) struct Emptying<'a> {
    parts: Parts<'a>,
    node: NodeId,
    /// Shards that have a member there, or soon will.
    left: Vec<ShardId>,
}

impl<'a> Emptying<'a> {
    pub(crate) fn of(record: &'a OperationRecord, node: NodeId, outlook: &Outlook<'a>) -> Emptying<'a> {
        let mut left = outlook.on(node);
        for other in outlook.state.running() {
            match Move::of(&other.what) {
                Some(Move { shard, to, .. }) if to == node && !left.contains(&shard) => left.push(shard),
                _ => {}
            }
        }
        Emptying {
            parts: Parts::of(record, outlook),
            node,
            left,
        }
    }

    /// Begins what can begin, or ends it.
    pub(crate) fn go_on(&self, outlook: &mut Outlook<'a>, limits: &Limits, plan: &mut Plan) {
        let (moving, blocked_by) = self.act(outlook, limits, plan);
        let (said, waiting) = ((self.step(moving), blocked_by), self.waiting(outlook));
        let progress = self.parts.progress(said, self.left.len(), &waiting, outlook, limits);
        plan.progress.insert(self.parts.record.id, progress);
    }

    /// How many moves run then, and what is in the way of another one.
    fn act(&self, outlook: &mut Outlook<'a>, limits: &Limits, plan: &mut Plan) -> (usize, String) {
        let (record, now) = (self.parts.record, outlook.sights.now);
        let moving = self.parts.running().count();
        let unblocked = (moving, String::new());
        if record.cancelled {
            if moving == 0 {
                plan.end(record.id, self.parts.taken_back(now));
            }
            return unblocked;
        }
        let empty = self.left.is_empty() && moving == 0;
        if empty && outlook.state.knows_all_shards() {
            plan.end(record.id, Ending::Done);
            return unblocked;
        }
        if late(record, now) {
            return unblocked;
        }
        if self.answers_again(outlook) {
            plan.cancel(record.id, SCHEDULER);
            return unblocked;
        }
        if empty {
            return (0, OperationFault::NotYetKnown.to_string());
        }
        let (began, obstacles) = self.begin_moves(outlook, limits, plan);
        let moving = moving + began;
        (moving, Parts::told(obstacles, moving))
    }

    /// A repair is not needed any more, or never was: the node only did not answer who decides.
    fn answers_again(&self, outlook: &Outlook<'_>) -> bool {
        let known = outlook.state.nodes.get(&self.node);
        let back = known.is_none_or(|node| node.away_since.is_none());
        matches!(self.parts.record.what, Operation::Repair { .. }) && (back || outlook.heard(self.node))
    }

    /// How many moves begin, and what is in the way of others.
    fn begin_moves(&self, outlook: &mut Outlook<'a>, limits: &Limits, plan: &mut Plan) -> (usize, Vec<Obstacle>) {
        let (mut began, mut obstacles) = (0, Vec::new());
        for shard in &self.left {
            let works = outlook.state.running_in(*shard);
            if let Some(work) = works.filter(|work| work.parent == Some(self.parts.record.id)) {
                if !work.cancelled && in_vain(work, outlook) {
                    plan.cancel(work.id, SCHEDULER);
                }
                continue;
            }
            if let Some(work) = works.filter(|work| !work.cancelled && self.crossed_by(work, outlook)) {
                plan.cancel(work.id, SCHEDULER);
            }
            let chosen = self.chosen(*shard, outlook);
            match chosen.and_then(|what| self.parts.begin(what, outlook, limits, plan)) {
                Ok(()) => began += 1,
                Err(obstacle) => obstacles.push(obstacle),
            }
        }
        (began, obstacles)
    }

    /// Whether an operation brings to this node what has to leave it, or waits for its replica, which is away, and so for this
    /// operation, which waits for it.
    fn crossed_by(&self, work: &OperationRecord, outlook: &Outlook<'_>) -> bool {
        match work.what {
            Operation::TransferLeader { to, .. } => to == self.node,
            // It is too late for what has a vote.
            Operation::Move { shard, to, .. } | Operation::AddReplica { shard, to } if to == self.node => {
                !outlook.votes(shard, to)
            }
            Operation::Move { shard, from, to } => {
                let report = outlook.sights.reports.get(&shard);
                let step = report.map(|report| step_of(&Move { shard, from, to }, report));
                matches!(step, Some(Step::Wait(Waiting::Silent(nodes))) if nodes.contains(&self.node))
            }
            _ => false,
        }
    }

    fn chosen(&self, shard: ShardId, outlook: &Outlook<'_>) -> Result<Move, Obstacle> {
        self.parts.free(shard, outlook)?;
        let led = outlook.sights.reports.contains_key(&shard);
        let descriptor = outlook.shard(shard).filter(|_| led).ok_or(Obstacle::NoLeader(shard))?;
        let from = self.node;
        match outlook.target(descriptor, from, Asked::Now) {
            Choice::Node(to) => Ok(Move { shard, from, to }),
            Choice::Busy => Err(Obstacle::Turn(Turn::Target(shard))),
            Choice::Nobody => Err(Obstacle::NoTarget(shard)),
        }
    }

    /// Where the replicas go that no part of this moves yet, as things stand.
    fn waiting(&self, outlook: &Outlook<'a>) -> Vec<NodeId> {
        let mut outlook = outlook.clone();
        let moves = |shard: &ShardId| self.parts.running().any(|part| part.what.shard() == Some(*shard));
        let mut nodes = Vec::new();
        for shard in self.left.iter().filter(|shard| !moves(shard)) {
            let from = self.node;
            let begins = outlook.moving(*shard).map(|what| Choice::Node(what.to));
            let known = outlook.shard(*shard);
            let choice = begins.or_else(|| Some(outlook.target(known?, from, Asked::Soon)));
            if let Some(Choice::Node(to)) = choice {
                outlook.expect(&Move {
                    shard: *shard,
                    from,
                    to,
                });
                nodes.push(to);
            }
        }
        nodes
    }

    fn step(&self, moving: usize) -> String {
        let (node, left) = (self.node, replicas(self.left.len()));
        // One that has just left is still on its way.
        let leaving = moving.min(self.left.len());
        match (self.parts.record.cancelled, self.parts.record.what) {
            (true, _) => format!("is taken back; {moving} moves come to their end"),
            (false, _) if self.left.is_empty() => format!("node {node} has no replicas any more"),
            (false, Operation::Repair { .. }) => format!("makes {leaving} of {left} of node {node} anew elsewhere"),
            (false, _) => format!("moves {leaving} of {left} away from node {node}"),
        }
    }
}

#[cfg(test)]
#[path = "emptying_test.rs"]
mod tests;
