//! Whatever happens meanwhile, nodes become empty, and shards stay whole.

use super::*;
use crate::moving::{End, Move, Seen, Step, transfer};
use crate::testing::{BEGIN, Bed, HOUR_MS, LIMITS, add, drain, maintenance, moves, repair};

/// Numbers that look random and are the same in each run (splitmix64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ mixed >> 31) % bound
    }
}

#[test]
fn what_takes_too_long_is_cancelled_once() {
    let mut bed = Bed::new(5, 2);
    let (shard, to) = (ShardId(2), NodeId(3));
    let first = bed.start(moves(1, 1, 5)).unwrap();
    let second = bed.start(Operation::TransferLeader { shard, to }).unwrap();
    bed.start(maintenance(5, UnixMillis(BEGIN.0 + HOUR_MS))).unwrap();
    bed.pass(HOUR_MS - 1);
    assert_eq!(bed.turn().actions, []);
    bed.pass(1);
    bed.turn();
    assert!(bed.record(first).cancelled && bed.record(second).cancelled);
    assert_eq!(bed.audit.last().unwrap().by, DEADLINE);
    assert_eq!(bed.turn().actions, [], "who drives them ends them");
}

/// One step of whoever drives a move or transfer.
fn drive(bed: &mut Bed, id: OperationId) {
    let record = bed.record(id).clone();
    let Some(report) = record.what.shard().and_then(|shard| bed.reports.get(&shard)).cloned() else {
        return;
    };
    let cancelled = record.cancelled;
    let step = match record.what {
        Operation::Move { shard, from, to } => Move { shard, from, to }.next(&Seen {
            report: &report,
            left_over: None,
            cancelled,
        }),
        Operation::TransferLeader { to, .. } => transfer(&report, to, cancelled),
        _ => return,
    };
    match step {
        Step::Propose(change) => bed.change(report.descriptor.shard.0, change.kind),
        Step::Transfer(to) => lead(bed, report.descriptor.shard, to),
        Step::Destroy(_) | Step::Wait(_) => {}
        Step::Done(End::Moved) => bed.end(id, Ending::Done),
        Step::Done(End::Cancelled) => bed.end(id, Ending::Cancelled),
        Step::Done(end) => bed.end(id, Ending::Failed(end.to_string())),
    }
}

fn lead(bed: &mut Bed, shard: ShardId, to: NodeId) {
    let report = bed.reports.get_mut(&shard).unwrap();
    if bed.up.contains(&to) {
        report.replica = report.descriptor.members.on(to).unwrap();
    }
}

/// What holds at all times.
fn check(bed: &Bed) {
    let (mut shards, mut nodes, mut targets) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let mut children = 0;
    for record in bed.state.running() {
        assert!(
            record.what.shard().is_none_or(|shard| shards.insert(shard)),
            "two on one shard"
        );
        assert!(
            record.what.node().is_none_or(|node| nodes.insert(node)),
            "two on one node"
        );
        if let (Operation::Move { to, .. }, Some(_)) = (record.what, record.parent) {
            children += 1;
            let shard = record.what.shard().and_then(|shard| bed.reports.get(&shard)).unwrap();
            let came = shard.descriptor.members.voters.iter().any(|voter| voter.node() == to);
            assert!(came || targets.insert(to), "two to one node");
        }
    }
    assert!(children <= LIMITS.moves);
    for (shard, report) in &bed.reports {
        let members = &report.descriptor.members;
        let voters = if *shard == ShardId::METADATA { 3 } else { bed.replicas };
        assert_eq!(members.voters.len(), voters, "{members:?}");
        assert!(members.learners.len() <= 2, "{members:?}");
    }
    let numbers = bed.audit.iter().map(|line| line.number);
    assert!(numbers.eq(0..bed.state.audited));
}

/// A turn of everybody; what each does may be late.
fn step(bed: &mut Bed, numbers: &mut Numbers) {
    bed.pass(1 + numbers.below(2000));
    let plan = bed.turn();
    for action in &plan.actions {
        if let Action::Relieve { shard, to } = action {
            lead(bed, *shard, *to);
        }
    }
    let running: Vec<OperationId> = bed.state.running().map(|record| record.id).collect();
    for id in running {
        if numbers.below(3) > 0 {
            drive(bed, id);
        }
    }
    if numbers.below(3) == 0 {
        bed.observe();
    }
    check(bed);
}

/// What an operator may do at any time.
fn disturb(bed: &mut Bed, numbers: &mut Numbers) {
    let mut node = || 1 + numbers.below(7);
    let (from, to) = (node(), node());
    let shard = numbers.below(7);
    let other = bed.state.running().nth(1).map(|record| record.id);
    let asked = match numbers.below(5) {
        0 => bed.start(moves(shard, from, to)),
        1 => bed.start(Operation::TransferLeader {
            shard: ShardId(shard),
            to: NodeId(to),
        }),
        2 => bed.start(maintenance(to, UnixMillis(bed.now.0 + 20_000))),
        3 => {
            stray(bed, shard, to);
            return;
        }
        // A child, too, but not what the test is about.
        _ => match other {
            Some(id) => bed.cancel(id),
            None => Ok(OperationId(0)),
        },
    };
    // Most make no sense, and are refused.
    let _ = asked;
}

/// What was taken back comes after all.
fn stray(bed: &mut Bed, shard: u64, node: u64) {
    let members = &bed.reports[&ShardId(shard)].descriptor.members;
    if !members.is_joint() && members.learners.is_empty() && members.on(NodeId(node)).is_none() {
        bed.learner(shard, node);
    }
}

fn run(seed: u64, what: Operation) -> (Bed, OperationId) {
    let mut numbers = Numbers(seed);
    let mut bed = Bed::new(7, 6);
    if let Operation::Repair { node } = what {
        bed.away(node.0, Some(BEGIN));
    }
    let id = bed.start(what).unwrap();
    for turn in 0..4000 {
        if !bed.record(id).runs() {
            return (bed, id);
        }
        if turn < 60 && numbers.below(4) == 0 {
            disturb(&mut bed, &mut numbers);
        }
        step(&mut bed, &mut numbers);
    }
    panic!("seed {seed}: {:?}", bed.progress(id));
}

#[test]
fn a_node_becomes_empty_whatever_happens() {
    for seed in 0..200 {
        let node = 1 + seed % 7;
        for what in [drain(node), repair(node)] {
            let (mut bed, id) = run(seed, what);
            let how = bed.record(id).ended.as_ref().map(|(_, how)| how);
            assert_eq!(how, Some(&Ending::Done), "seed {seed}");
            let left = bed
                .reports
                .values()
                .filter(|report| report.descriptor.members.on(NodeId(node)).is_some());
            assert_eq!(left.count(), 0, "seed {seed}");
            let mut numbers = Numbers(seed);
            (0..200).for_each(|_| step(&mut bed, &mut numbers));
            for (shard, report) in &bed.reports {
                let lone = bed.state.running_in(*shard).is_none();
                let learners = &report.descriptor.members.learners;
                assert!(!lone || learners.is_empty(), "seed {seed}: {shard} {learners:?}");
            }
        }
    }
}

#[test]
fn a_node_gets_its_share_whatever_happens() {
    for seed in 0..100 {
        let (mut bed, mut numbers) = (Bed::new(6, 6), Numbers(seed));
        bed.join(7, "");
        for disturbed in [true, false] {
            let id = bed.start(add(7)).unwrap();
            for turn in 0..4000 {
                if disturbed && turn < 60 && numbers.below(4) == 0 {
                    disturb(&mut bed, &mut numbers);
                }
                step(&mut bed, &mut numbers);
            }
            assert!(!bed.record(id).runs(), "seed {seed}: {:?}", bed.progress(id));
        }
        let users = bed
            .reports
            .values()
            .filter(|report| report.descriptor.shard != ShardId::METADATA);
        let votes = |node| {
            let has = |report: &&ShardReport| report.descriptor.members.on(NodeId(node)).is_some();
            users.clone().filter(has).count()
        };
        // 18 replicas on 7 nodes.
        assert!(
            votes(7) >= 2,
            "seed {seed}: {:?}",
            (1..=7).map(votes).collect::<Vec<_>>()
        );
    }
}

#[test]
fn the_same_entries_give_the_same_state() {
    for seed in 0..5 {
        let (bed, _) = run(seed, drain(2));
        let mut replayed = Metadata::default();
        let mut audit = Vec::new();
        for (index, time, change) in &bed.log {
            audit.extend(replayed.apply(*index, *time, change).audit);
        }
        assert_eq!((replayed, audit), (bed.state, bed.audit), "seed {seed}");
    }
}

#[test]
fn two_of_five_are_made_anew() {
    let mut numbers = Numbers(3);
    let mut bed = Bed::of(8, 4, 5);
    bed.away(4, Some(BEGIN));
    bed.away(5, Some(BEGIN));
    for _ in 0..2000 {
        step(&mut bed, &mut numbers);
    }
    let done = |record: &&OperationRecord| matches!(record.ended, Some((_, Ending::Done)));
    let done: Vec<_> = bed
        .state
        .operations
        .values()
        .filter(done)
        .map(|record| record.what)
        .collect();
    assert!(done.contains(&repair(4)) && done.contains(&repair(5)), "{done:?}");
    for report in bed.reports.values() {
        let members = &report.descriptor.members;
        assert!(members.on(NodeId(4)).or(members.on(NodeId(5))).is_none(), "{members:?}");
    }
}

#[test]
fn a_repair_begins_and_ends_by_itself() {
    let mut numbers = Numbers(7);
    let mut bed = Bed::new(5, 4);
    bed.away(3, Some(BEGIN));
    for _ in 0..2000 {
        step(&mut bed, &mut numbers);
    }
    let records: Vec<_> = bed
        .state
        .operations
        .values()
        .filter(|record| record.parent.is_none())
        .collect();
    let [record] = records.as_slice() else {
        panic!("{records:?}");
    };
    assert_eq!((record.what, record.by.as_str()), (repair(3), SCHEDULER));
    assert!(matches!(record.ended, Some((_, Ending::Done))));
}
