//! Emptying a node, for a drain or a repair: each replica that is there is moved away, a few at a time.

use covey_shared::ids::{NodeId, OperationId, ShardId, UnixMillis};
use covey_shared::members::ShardDescriptor;
use covey_shared::metadata::{
    Ending, MetadataChange, Operation, OperationFault, OperationProgress, OperationRecord, Start,
};
use covey_shared::wire::ShardReport;
use thiserror::Error;

use crate::moving::{End, Move, Seen, Step, Waiting};
use crate::placement::{Asked, Choice, Outlook};
use crate::schedule::{Limits, Plan, SCHEDULER, late};

/// Pause after a move of a shard ended and its replica is still there, in milliseconds: what failed would fail again at once, and what
/// went well shows soon.
pub(crate) const PAUSE_MS: u64 = 30_000;

/// Why the next move of a shard does not begin.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
enum Obstacle {
    #[error("operation {operation} works on shard {shard}")]
    Works { operation: OperationId, shard: ShardId },
    #[error("shard {shard} was not moved ({why}); the next try begins in {seconds} s")]
    Failed { shard: ShardId, why: String, seconds: u64 },
    #[error("the leader of shard {0} is not heard of")]
    NoLeader(ShardId),
    #[error("no node that is up can take a replica of shard {0}")]
    NoTarget(ShardId),
    #[error("shard {0}: {1}")]
    Waits(ShardId, Waiting),
    #[error("shard {0}: {1}")]
    Ends(ShardId, End),
    #[error("shard {0}: {1}")]
    Refused(ShardId, OperationFault),
    /// It only has to wait for its turn.
    #[error("{0}")]
    Turn(Turn),
}

/// What passes when other moves end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
enum Turn {
    #[error("other operations move as many replicas as may move at once")]
    Limit,
    #[error("the nodes that could take a replica of shard {0} get another one first")]
    Target(ShardId),
    #[error("shard {0} has just moved, and does not say so yet")]
    Settles(ShardId),
}

/// A drain or repair that runs.
pub(crate) struct Emptying<'a> {
    record: &'a OperationRecord,
    node: NodeId,
    /// What it has begun.
    children: Vec<&'a OperationRecord>,
    /// Shards that have a member there, or soon will.
    left: Vec<ShardId>,
}

impl<'a> Emptying<'a> {
    pub(crate) fn of(record: &'a OperationRecord, node: NodeId, outlook: &Outlook<'a>) -> Emptying<'a> {
        let mut left = outlook.on(node);
        for other in outlook.state.running() {
            match other.what {
                Operation::Move { shard, to, .. } if to == node && !left.contains(&shard) => left.push(shard),
                _ => {}
            }
        }
        let children = outlook.state.operations.values();
        Emptying {
            record,
            node,
            children: children.filter(|child| child.parent == Some(record.id)).collect(),
            left,
        }
    }

    /// Begins what can begin, or ends it.
    pub(crate) fn go_on(&self, outlook: &mut Outlook<'a>, limits: &Limits, plan: &mut Plan) {
        let (moving, blocked_by) = self.act(outlook, limits, plan);
        let progress = self.progress(moving, blocked_by, limits);
        plan.progress.insert(self.record.id, progress);
    }

    /// How many moves run then, and what is in the way of another one.
    fn act(&self, outlook: &mut Outlook<'a>, limits: &Limits, plan: &mut Plan) -> (usize, String) {
        let (id, now) = (self.record.id, outlook.sights.now);
        let moving = self.children.iter().filter(|child| child.runs()).count();
        let unblocked = (moving, String::new());
        if self.record.cancelled {
            if moving == 0 {
                plan.end(id, self.taken_back(now));
            }
            return unblocked;
        }
        let empty = self.left.is_empty() && moving == 0;
        if empty && outlook.state.knows_all_shards() {
            plan.end(id, Ending::Done);
            return unblocked;
        }
        if late(self.record, now) {
            return unblocked;
        }
        if self.answers_again(outlook) {
            plan.cancel(id, SCHEDULER);
            return unblocked;
        }
        if empty {
            return (0, OperationFault::NotYetKnown.to_string());
        }
        let (began, obstacle) = self.begin_moves(outlook, limits, plan);
        let moving = moving + began;
        let obstacle = obstacle.filter(|why| moving == 0 || !matches!(why, Obstacle::Turn(_)));
        (moving, obstacle.map_or_else(String::new, |why| why.to_string()))
    }

    fn taken_back(&self, now: UnixMillis) -> Ending {
        match self.record.deadline <= now {
            true => Ending::Failed("it was not done in time".to_owned()),
            false => Ending::Cancelled,
        }
    }

    /// A repair is not needed any more, or never was: the node only did not answer who decides.
    fn answers_again(&self, outlook: &Outlook<'_>) -> bool {
        let known = outlook.state.nodes.get(&self.node);
        let back = known.is_none_or(|node| node.away_since.is_none());
        matches!(self.record.what, Operation::Repair { .. }) && (back || outlook.heard(self.node))
    }

    /// How many moves begin, and what is most in the way of another one.
    fn begin_moves(&self, outlook: &mut Outlook<'a>, limits: &Limits, plan: &mut Plan) -> (usize, Option<Obstacle>) {
        let (mut began, mut obstacles) = (0, Vec::new());
        for shard in &self.left {
            let works = outlook.state.running_in(*shard);
            if let Some(work) = works.filter(|work| work.parent == Some(self.record.id)) {
                if !work.cancelled && in_vain(work, outlook) {
                    plan.cancel(work.id, SCHEDULER);
                }
                continue;
            }
            if let Some(work) = works.filter(|work| !work.cancelled && self.crossed_by(work, outlook)) {
                plan.cancel(work.id, SCHEDULER);
            }
            match self.next_move(*shard, works, outlook, limits) {
                Ok((what, start)) => {
                    outlook.begin(&what);
                    plan.propose(MetadataChange::Start(start));
                    began += 1;
                }
                Err(obstacle) => obstacles.push(obstacle),
            }
        }
        obstacles.sort_by_key(|obstacle| matches!(obstacle, Obstacle::Turn(_)));
        (began, obstacles.into_iter().next())
    }

    /// Whether an operation brings to this node what has to leave it, or waits for its replica, which is away, and so for this
    /// operation, which waits for it.
    fn crossed_by(&self, work: &OperationRecord, outlook: &Outlook<'_>) -> bool {
        match work.what {
            Operation::TransferLeader { to, .. } => to == self.node,
            // It is too late for what has a vote.
            Operation::Move { shard, to, .. } if to == self.node => !outlook.votes(shard, to),
            Operation::Move { shard, from, to } => {
                let report = outlook.sights.reports.get(&shard);
                let step = report.map(|report| step_of(&Move { shard, from, to }, report));
                matches!(step, Some(Step::Wait(Waiting::Silent(nodes))) if nodes.contains(&self.node))
            }
            _ => false,
        }
    }

    fn next_move(
        &self,
        shard: ShardId,
        works: Option<&OperationRecord>,
        outlook: &Outlook<'a>,
        limits: &Limits,
    ) -> Result<(Move, Start), Obstacle> {
        if let Some(operation) = works.map(|work| work.id) {
            return Err(Obstacle::Works { operation, shard });
        }
        self.rested(shard, outlook)?;
        let descriptor = outlook.shard(shard).ok_or(Obstacle::NoLeader(shard))?;
        let what = self.chosen(descriptor, outlook)?;
        let start = Start {
            what: Operation::Move {
                shard,
                from: what.from,
                to: what.to,
            },
            by: SCHEDULER.to_owned(),
            parent: Some(self.record.id),
            limit_ms: limits.move_limit_ms,
        };
        // What would be refused is not asked for: each refusal is a line of the audit log.
        let admitted = outlook.state.admit(outlook.sights.now, &start);
        admitted.map_err(|fault| Obstacle::Refused(shard, fault))?;
        match outlook.children() < limits.moves {
            true => Ok((what, start)),
            false => Err(Obstacle::Turn(Turn::Limit)),
        }
    }

    /// No move of the shard has ended just now.
    fn rested(&self, shard: ShardId, outlook: &Outlook<'_>) -> Result<(), Obstacle> {
        let ended = self.children.iter().filter(|child| child.what.shard() == Some(shard));
        let Some((at, ending)) = ended.filter_map(|child| child.ended.as_ref()).max_by_key(|(at, _)| *at) else {
            return Ok(());
        };
        let rest = PAUSE_MS.saturating_sub(outlook.sights.now.since(*at));
        let seconds = rest.div_ceil(1000);
        match (rest, ending) {
            (0, _) => Ok(()),
            (_, Ending::Done) => Err(Obstacle::Turn(Turn::Settles(shard))),
            (_, Ending::Cancelled) => {
                let why = "it was cancelled".to_owned();
                Err(Obstacle::Failed { shard, why, seconds })
            }
            (_, Ending::Failed(why)) => {
                let why = why.clone();
                Err(Obstacle::Failed { shard, why, seconds })
            }
        }
    }

    /// The move, if its first step could be taken.
    fn chosen(&self, descriptor: &ShardDescriptor, outlook: &Outlook<'_>) -> Result<Move, Obstacle> {
        let (shard, from) = (descriptor.shard, self.node);
        let report = outlook.sights.reports.get(&shard).ok_or(Obstacle::NoLeader(shard))?;
        let to = match outlook.target(descriptor, from, Asked::Now) {
            Choice::Node(to) => to,
            Choice::Busy => return Err(Obstacle::Turn(Turn::Target(shard))),
            Choice::Nobody => return Err(Obstacle::NoTarget(shard)),
        };
        let what = Move { shard, from, to };
        match step_of(&what, report) {
            // It would take the place of one that can.
            Step::Wait(why @ Waiting::Silent(_)) => Err(Obstacle::Waits(shard, why)),
            Step::Done(end @ (End::NothingToMove(_) | End::AlreadyThere(_))) => Err(Obstacle::Ends(shard, end)),
            _ => Ok(what),
        }
    }

    fn progress(&self, moving: usize, blocked_by: String, limits: &Limits) -> OperationProgress {
        let times = self.children.iter().filter_map(|child| match &child.ended {
            Some((at, Ending::Done)) => Some(at.since(child.started)),
            _ => None,
        });
        let times: Vec<u64> = times.collect();
        let (done, left) = (times.len() as u64, self.left.len() as u64);
        let mean = times
            .iter()
            .fold(0, |sum: u64, time| sum.saturating_add(*time))
            .checked_div(done);
        let at_once = (limits.moves as u64).max(1);
        OperationProgress {
            step: self.step(moving),
            blocked_by,
            done,
            total: done.saturating_add(left),
            eta_ms: mean
                .filter(|_| !self.record.cancelled)
                .map(|mean| mean.saturating_mul(left.div_ceil(at_once))),
            ..OperationProgress::default()
        }
    }

    fn step(&self, moving: usize) -> String {
        let (node, left) = (self.node, replicas(self.left.len()));
        // One that has just left is still on its way.
        let leaving = moving.min(self.left.len());
        match (self.record.cancelled, self.record.what) {
            (true, _) => format!("is taken back; {moving} moves come to their end"),
            (false, _) if self.left.is_empty() => format!("node {node} has no replicas any more"),
            (false, Operation::Repair { .. }) => format!("makes {leaving} of {left} of node {node} anew elsewhere"),
            (false, _) => format!("moves {leaving} of {left} away from node {node}"),
        }
    }
}

/// Whether a move waits for a target that is gone. One of which a leader hears is not.
fn in_vain(work: &OperationRecord, outlook: &Outlook<'_>) -> bool {
    let Operation::Move { shard, to, .. } = work.what else {
        return false;
    };
    let known = outlook.state.nodes.get(&to);
    let away = known.is_some_and(|node| node.away_since.is_some()) && !outlook.heard(to);
    away && !outlook.votes(shard, to)
}

fn step_of(what: &Move, report: &ShardReport) -> Step {
    what.next(&Seen {
        report,
        left_over: None,
        cancelled: false,
    })
}

fn replicas(count: usize) -> String {
    match count {
        1 => "1 replica".to_owned(),
        _ => format!("{count} replicas"),
    }
}

#[cfg(test)]
#[path = "emptying_test.rs"]
mod tests;
