//! Moves as parts of an operation: which one may begin, which one is in vain, and how the whole comes along.

use covey_shared::ids::{NodeId, OperationId, ShardId, UnixMillis};
use covey_shared::metadata::{
    Ending, MetadataChange, Operation, OperationFault, OperationProgress, OperationRecord, Start,
};
use covey_shared::wire::ShardReport;
use thiserror::Error;

use crate::moving::{End, Move, Seen, Step, Waiting};
use crate::pace::until_all;
use crate::placement::Outlook;
use crate::schedule::{Limits, Plan, SCHEDULER, Sights};

/// Pause after a move of a shard ended and its replica is still there, in milliseconds: what failed would fail again at once, and what
/// went well shows soon.
pub(crate) const PAUSE_MS: u64 = 30_000;

/// Why the next move of a shard does not begin.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum Obstacle {
    #[error("operation {operation} works on shard {shard}")]
    Works { operation: OperationId, shard: ShardId },
    #[error("shard {shard} was not moved ({why}); the next try begins in {seconds} s")]
    Failed { shard: ShardId, why: String, seconds: u64 },
    #[error("the leader of shard {0} is not heard of")]
    NoLeader(ShardId),
    #[error("no node that is up can take a replica of shard {0}")]
    NoTarget(ShardId),
    #[error("node {0} does not answer; it gets replicas once it does")]
    Absent(NodeId),
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
pub(crate) enum Turn {
    #[error("other operations move as many replicas as may move at once")]
    Limit,
    #[error("the nodes that could take a replica of shard {0} get another one first")]
    Target(ShardId),
    #[error("shard {0} has just moved, and does not say so yet")]
    Settles(ShardId),
}

/// An operation that runs, and what it has begun.
pub(crate) struct Parts<'a> {
    pub(crate) record: &'a OperationRecord,
    children: Vec<&'a OperationRecord>,
}

impl<'a> Parts<'a> {
    pub(crate) fn of(record: &'a OperationRecord, outlook: &Outlook<'a>) -> Parts<'a> {
        let all = outlook.state.operations.values();
        Parts {
            record,
            children: all.filter(|child| child.parent == Some(record.id)).collect(),
        }
    }

    pub(crate) fn running(&self) -> impl Iterator<Item = &'a OperationRecord> {
        self.children.iter().copied().filter(|child| child.runs())
    }

    /// How it ends once it is cancelled and no part of it runs any more.
    pub(crate) fn taken_back(&self, now: UnixMillis) -> Ending {
        match self.record.deadline <= now {
            true => Ending::Failed("it was not done in time".to_owned()),
            false => Ending::Cancelled,
        }
    }

    /// Nothing works on the shard, and no move of it has ended just now.
    pub(crate) fn free(&self, shard: ShardId, outlook: &Outlook<'_>) -> Result<(), Obstacle> {
        if let Some(work) = outlook.state.running_in(shard) {
            let operation = work.id;
            return Err(Obstacle::Works { operation, shard });
        }
        let ended = self.children.iter().filter(|child| child.what.shard() == Some(shard));
        let Some((at, ending)) = ended.filter_map(|child| child.ended.as_ref()).max_by_key(|(at, _)| *at) else {
            return Ok(());
        };
        let rest = PAUSE_MS.saturating_sub(outlook.sights.now.since(*at));
        let why = match ending {
            _ if rest == 0 => return Ok(()),
            Ending::Done => return Err(Obstacle::Turn(Turn::Settles(shard))),
            Ending::Cancelled => "it was cancelled".to_owned(),
            Ending::Failed(why) => why.clone(),
        };
        let seconds = rest.div_ceil(1000);
        Err(Obstacle::Failed { shard, why, seconds })
    }

    /// A shard that has moved to a node within the last [`PAUSE_MS`], and whose members do not say so yet.
    pub(crate) fn settles(&self, node: NodeId, outlook: &Outlook<'_>) -> Option<ShardId> {
        let just = |at: &UnixMillis| outlook.sights.now.since(*at) < PAUSE_MS;
        let mut moved = self
            .children
            .iter()
            .filter_map(|child| match (&child.ended, child.what) {
                (Some((at, Ending::Done)), Operation::Move { shard, .. }) if just(at) => Some(shard),
                _ => None,
            });
        moved.find(|shard| !outlook.votes(*shard, node))
    }

    /// Begins a move, if its first step could be taken and there is room for it.
    pub(crate) fn begin(
        &self,
        what: Move,
        outlook: &mut Outlook<'a>,
        limits: &Limits,
        plan: &mut Plan,
    ) -> Result<(), Obstacle> {
        let Move { shard, from, to } = what;
        let report = outlook.sights.reports.get(&shard).ok_or(Obstacle::NoLeader(shard))?;
        match step_of(&what, report) {
            // It would take the place of one that can.
            Step::Wait(why @ Waiting::Silent(_)) => return Err(Obstacle::Waits(shard, why)),
            Step::Done(end @ (End::NothingToMove(_) | End::AlreadyThere(_))) => return Err(Obstacle::Ends(shard, end)),
            _ => {}
        }
        let start = Start {
            what: Operation::Move { shard, from, to },
            by: SCHEDULER.to_owned(),
            parent: Some(self.record.id),
            limit_ms: limits.move_limit_ms,
        };
        // What would be refused is not asked for: each refusal is a line of the audit log.
        let admitted = outlook.state.admit(outlook.sights.now, &start);
        admitted.map_err(|fault| Obstacle::Refused(shard, fault))?;
        if outlook.children() >= limits.moves {
            return Err(Obstacle::Turn(Turn::Limit));
        }
        outlook.begin(&what);
        plan.propose(MetadataChange::Start(start));
        Ok(())
    }

    /// Of what is in the way, what is to be told: what passes by itself only if nothing else is, and nothing moves.
    pub(crate) fn told(mut obstacles: Vec<Obstacle>, moving: usize) -> String {
        obstacles.sort_by_key(|obstacle| matches!(obstacle, Obstacle::Turn(_)));
        let first = obstacles.into_iter().next();
        let first = first.filter(|why| moving == 0 || !matches!(why, Obstacle::Turn(_)));
        first.map_or_else(String::new, |why| why.to_string())
    }

    /// How the whole comes along, `left` replicas before its end, those that move among them; the others wait for these nodes.
    pub(crate) fn progress(
        &self,
        (step, blocked_by): (String, String),
        left: usize,
        waiting: &[NodeId],
        outlook: &Outlook<'_>,
        limits: &Limits,
    ) -> OperationProgress {
        let done = self.times().count() as u64;
        let foretold = !self.record.cancelled && blocked_by.is_empty();
        OperationProgress {
            step,
            blocked_by,
            done,
            total: done.saturating_add(left as u64),
            eta_ms: foretold.then(|| self.eta(waiting, outlook.sights, limits)).flatten(),
            ..OperationProgress::default()
        }
    }

    /// What the parts that are done have taken, in milliseconds.
    fn times(&self) -> impl Iterator<Item = u64> {
        self.children.iter().filter_map(|child| match &child.ended {
            Some((at, Ending::Done)) => Some(at.since(child.started)),
            _ => None,
        })
    }

    /// Time until its end, in milliseconds. `None`: no move of late says how long one takes.
    fn eta(&self, waiting: &[NodeId], sights: &Sights<'_>, limits: &Limits) -> Option<u64> {
        let passed = |child: &OperationRecord| sights.now.since(child.started);
        let left = |child: &OperationRecord| sights.forecast.left_ms.get(&child.id).copied();
        let whole = |child| Some(passed(child) + left(child)?);
        // Its own parts say best how long the next ones take: as many run at once, between the same nodes. The median, since one that was
        // held up says nothing.
        let usual = median(self.times()).or(sights.forecast.usual_ms);
        let each = usual.or_else(|| mean(self.running().filter_map(whole)))?;
        let lasts = |child: &OperationRecord| match child.what {
            Operation::Move { to, .. } => Some((to, left(child).unwrap_or(each.saturating_sub(passed(child))))),
            _ => None,
        };
        let running: Vec<_> = self.running().filter_map(lasts).collect();
        Some(until_all(&running, waiting, each, limits.moves))
    }
}

fn median(times: impl Iterator<Item = u64>) -> Option<u64> {
    let mut times: Vec<u64> = times.collect();
    times.sort_unstable();
    times.get(times.len() / 2).copied()
}

fn mean(times: impl Iterator<Item = u64>) -> Option<u64> {
    let (count, sum) = times.fold((0_u64, 0_u64), |(count, sum), time| {
        (count + 1, sum.saturating_add(time))
    });
    sum.checked_div(count)
}

/// Whether a move waits for a target that is gone. One of which a leader hears is not.
pub(crate) fn in_vain(work: &OperationRecord, outlook: &Outlook<'_>) -> bool {
    let Some(Move { shard, to, .. }) = Move::of(&work.what) else {
        return false;
    };
    let known = outlook.state.nodes.get(&to);
    let away = known.is_none_or(|node| node.away_since.is_some()) && !outlook.heard(to);
    away && !outlook.votes(shard, to)
}

/// The next step of a move, as the leader of its shard reports.
pub(crate) fn step_of(what: &Move, report: &ShardReport) -> Step {
    what.next(&Seen {
        report,
        left_over: None,
        cancelled: false,
    })
}

/// So many, in words.
pub(crate) fn replicas(count: usize) -> String {
    match count {
        1 => "1 replica".to_owned(),
        _ => format!("{count} replicas"),
    }
}
