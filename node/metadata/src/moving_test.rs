//! Each step follows from what is seen alone, whoever looks.

use super::*;
use covey_shared::ids::{LogIndex, Term};
use covey_shared::layout::Layout;
use covey_shared::members::ShardDescriptor;
use covey_shared::wire::MemberProgress;

const MOVE: Move = Move {
    shard: ShardId(1),
    from: NodeId(1),
    to: NodeId(4),
};

fn founder(node: u64) -> ReplicaId {
    ReplicaId::new(0, ShardId(1), NodeId(node))
}

/// Shard 1 on nodes 1 to 3, or as many, led from `leader`; everybody is there and has the whole log.
fn report(voters: u64, leader: u64) -> ShardReport {
    let nodes: Vec<NodeId> = (1..=voters).map(NodeId).collect();
    let descriptor = ShardDescriptor::founding(&Layout::fixed(1, nodes.len(), &nodes).shards[0]);
    let mut report = ShardReport {
        replica: founder(leader),
        leader: Some(founder(leader)),
        term: Term(3),
        last: LogIndex(5000),
        applied: LogIndex(5000),
        members: vec![],
        descriptor,
    };
    all_there(&mut report);
    report
}

fn all_there(report: &mut ShardReport) {
    let there = |replica: ReplicaId| MemberProgress {
        replica,
        matched: report.last,
        heard: true,
        fit: true,
    };
    report.members = report.descriptor.members.all().into_iter().map(there).collect();
}

fn next(report: &ShardReport) -> Step {
    MOVE.next(&Seen {
        report,
        left_over: None,
        cancelled: false,
    })
}

fn cancel(report: &ShardReport) -> Step {
    MOVE.next(&Seen {
        report,
        left_over: None,
        cancelled: true,
    })
}

/// Follows a step, as if it had been done at once.
fn follow(report: &mut ShardReport, step: &Step) {
    match step {
        Step::Propose(change) => report.descriptor.change(change).unwrap(),
        Step::Transfer(to) => {
            report.replica = report.descriptor.members.on(*to).unwrap();
            assert!(report.descriptor.members.voters.contains(&report.replica));
        }
        other => panic!("{other:?}"),
    }
    all_there(report);
}

#[test]
fn a_move_is_re_driven_after_every_step() {
    for (voters, leader) in [(3, 1), (3, 2), (1, 1)] {
        let mut report = report(voters, leader);
        let mut steps = Vec::new();
        loop {
            // The same look yields the same step, whoever drives.
            let step = next(&report);
            assert_eq!(step, next(&report));
            if step == Step::Done(End::Moved) {
                break;
            }
            follow(&mut report, &step);
            steps.push(step);
            assert!(report.descriptor.members.voters.len() as u64 == voters, "{steps:?}");
            assert!(steps.len() < 8, "{steps:?}");
        }
        assert!(report.descriptor.members.on(NodeId(1)).is_none());
        let new = report.descriptor.members.on(NodeId(4)).unwrap();
        assert!(report.descriptor.members.voters.contains(&new));
        let left = Seen {
            report: &report,
            left_over: Some(founder(1)),
            cancelled: false,
        };
        assert_eq!(MOVE.next(&left), Step::Destroy(founder(1)));
    }
}

#[test]
fn the_vote_waits_for_the_log_and_for_the_others() {
    let mut report = report(3, 2);
    let step = next(&report);
    follow(&mut report, &step);
    let new = report.descriptor.members.on(NodeId(4)).unwrap();
    let at = |report: &ShardReport, replica| report.members.iter().position(|m| m.replica == replica).unwrap();
    let place = at(&report, new);
    report.members[place].matched = LogIndex(3000);
    assert_eq!(next(&report), Step::Wait(Waiting::CatchingUp { entries: 2000 }));
    // Nothing has been heard of it: in a young shard, too, it may not be there yet.
    (report.last, report.members[place].matched) = (LogIndex(20), LogIndex(0));
    assert_eq!(next(&report), Step::Wait(Waiting::NoSign(NodeId(4))));
    (report.last, report.members[place].matched) = (LogIndex(5000), LogIndex(4500));
    let third = at(&report, founder(3));
    report.members[third].heard = false;
    assert_eq!(next(&report), Step::Wait(Waiting::Silent(vec![NodeId(3)])));
    report.members[third].heard = true;
    // The one that goes may be away.
    let first = at(&report, founder(1));
    report.members[first].heard = false;
    assert!(matches!(next(&report), Step::Propose(_)));
}

#[test]
fn who_gets_a_vote_is_heard_of() {
    let mut report = report(3, 2);
    let step = next(&report);
    follow(&mut report, &step);
    silence(&mut report, &[4]);
    assert_eq!(next(&report), Step::Wait(Waiting::NoSign(NodeId(4))));
}

fn silence(report: &mut ShardReport, nodes: &[u64]) {
    for member in &mut report.members {
        member.heard &= !nodes.contains(&member.replica.node().0);
    }
}

fn heard(report: &ShardReport, voters: &[ReplicaId]) -> usize {
    let there = |member: &&MemberProgress| member.heard && voters.contains(&member.replica);
    report.members.iter().filter(there).count()
}

#[test]
fn a_move_begins_only_if_others_alone_can_end_it() {
    let everybody: &[u64] = &[];
    for (voters, silent, awaited) in [
        (1, everybody, everybody),
        (2, &[], &[]),
        (2, &[1], &[]),
        (3, &[1], &[]),
        (3, &[3], &[3]),
        (4, &[1], &[]),
        (4, &[3], &[3]),
        (5, &[1], &[]),
        (5, &[3], &[]),
        (5, &[1, 3], &[]),
        (5, &[3, 4], &[3, 4]),
        (7, &[3, 4], &[]),
        (7, &[1, 3, 4], &[]),
        (7, &[3, 4, 5], &[3, 4, 5]),
    ] {
        let what = Move { to: NodeId(9), ..MOVE };
        let mut report = report(voters, 2.min(voters));
        let next = |report: &ShardReport| {
            let (left_over, cancelled) = (None, false);
            what.next(&Seen {
                report,
                left_over,
                cancelled,
            })
        };
        silence(&mut report, silent);
        let case = format!("{silent:?} of {voters}");
        if !awaited.is_empty() {
            let nodes = awaited.iter().copied().map(NodeId).collect();
            assert_eq!(next(&report), Step::Wait(Waiting::Silent(nodes)), "{case}");
            continue;
        }
        while !report.descriptor.members.is_joint() {
            let step = next(&report);
            follow(&mut report, &step);
            silence(&mut report, silent);
        }
        if voters > 2 {
            silence(&mut report, &[1, 9]);
            let members = &report.descriptor.members;
            for list in [&members.voters, &members.outgoing] {
                assert!(heard(&report, list) > list.len() / 2, "{case}");
            }
            let kind = ChangeKind::LeaveJoint;
            assert!(
                matches!(next(&report), Step::Propose(change) if change.kind == kind),
                "{case}"
            );
        }
    }
}

#[test]
fn the_leader_is_relieved_by_who_does_not_mind() {
    let mut report = report(3, 1);
    let step = next(&report);
    follow(&mut report, &step);
    let at = |report: &ShardReport, replica| report.members.iter().position(|m| m.replica == replica).unwrap();
    let (second, third) = (at(&report, founder(2)), at(&report, founder(3)));
    report.members[third].matched = LogIndex(4990);
    assert_eq!(next(&report), Step::Transfer(NodeId(2)), "it has more");
    report.members[second].fit = false;
    assert_eq!(next(&report), Step::Transfer(NodeId(3)), "the other would rather not");
    report.members[third].fit = false;
    assert_eq!(next(&report), Step::Transfer(NodeId(2)), "somebody has to");
}

#[test]
fn what_was_taken_back_is_removed_and_what_was_moved_too() {
    let mut moved = report(3, 2);
    assert_eq!(
        (MOVE.leaver(&moved, false), MOVE.leaver(&moved, true)),
        (None, Some(NodeId(4)))
    );
    let came = ReplicaId::new(2, ShardId(1), NodeId(4));
    let cancelled = Seen {
        report: &moved,
        left_over: Some(came),
        cancelled: true,
    };
    assert_eq!(MOVE.next(&cancelled), Step::Destroy(came));
    while moved.descriptor.members.on(NodeId(1)).is_some() {
        let step = next(&moved);
        follow(&mut moved, &step);
    }
    assert_eq!(MOVE.leaver(&moved, true), Some(NodeId(1)));
}

#[test]
fn nothing_begins_while_another_voter_is_away() {
    let mut report = report(3, 2);
    report.members[2].heard = false;
    assert_eq!(next(&report), Step::Wait(Waiting::Silent(vec![NodeId(3)])));
}

#[test]
fn cancel_before_joint_takes_the_learner_away_and_in_joint_goes_forward() {
    let mut report = report(3, 2);
    assert_eq!(cancel(&report), Step::Done(End::Cancelled));
    let step = next(&report);
    follow(&mut report, &step);
    let taken_back = cancel(&report);
    let new = report.descriptor.members.on(NodeId(4)).unwrap();
    let kind = ChangeKind::Remove(new);
    assert!(matches!(&taken_back, Step::Propose(change) if change.kind == kind));
    let step = next(&report);
    follow(&mut report, &step);
    assert!(report.descriptor.members.is_joint());
    assert_eq!(cancel(&report), next(&report));
}

#[test]
fn what_cannot_be_moved_is_said() {
    let of = |from, to| {
        Move {
            shard: ShardId(1),
            from: NodeId(from),
            to: NodeId(to),
        }
        .next(&Seen {
            report: &report(3, 2),
            left_over: None,
            cancelled: false,
        })
    };
    assert_eq!(of(9, 4), Step::Done(End::NothingToMove(NodeId(9))));
    assert_eq!(of(1, 2), Step::Done(End::AlreadyThere(NodeId(2))));
}

#[test]
fn a_transfer_is_done_once_the_leader_says_so() {
    let (to, stranger) = (NodeId(2), NodeId(4));
    assert_eq!(transfer(&report(3, 1), to, false), Step::Transfer(to));
    assert_eq!(transfer(&report(3, 1), to, true), Step::Done(End::Cancelled));
    for cancelled in [false, true] {
        assert_eq!(transfer(&report(3, 2), to, cancelled), Step::Done(End::Moved));
    }
    let nobody = Step::Done(End::NothingToMove(stranger));
    assert_eq!(transfer(&report(3, 1), stranger, false), nobody);
    let mut learns = report(3, 1);
    let step = next(&learns);
    follow(&mut learns, &step);
    assert_eq!(
        transfer(&learns, stranger, false),
        nobody,
        "without a vote it cannot lead"
    );
}

#[test]
fn what_goes_on_is_said_at_every_step() {
    let mut report = report(3, 1);
    let mut said = vec![describe(&MOVE, &report)];
    loop {
        let step = next(&report);
        if step == Step::Done(End::Moved) {
            break;
        }
        follow(&mut report, &step);
        said.push(describe(&MOVE, &report));
    }
    said.dedup();
    let expected = [
        "node 4 joins, as a learner",
        "node 4 gets the log, without a vote yet",
        "the vote goes over: from nodes 1, 2, 3 to 2, 3, 4",
        "node 1 has no vote any more, and leaves",
        "the data on node 1 is removed",
    ];
    assert_eq!(said, expected);
}

#[test]
fn a_move_passes_its_phases_in_their_order() {
    let mut report = report(3, 2);
    let mut phases = vec![phase(&MOVE, &report, None)];
    let step = next(&report);
    follow(&mut report, &step);
    let new = report.descriptor.members.on(NodeId(4)).unwrap();
    let member = report.members.iter_mut().find(|member| member.replica == new).unwrap();
    let last = std::mem::replace(&mut member.matched, LogIndex(0));
    let mut rebuild = RebuildStatus {
        shard: ShardId(1),
        phase: RebuildPhase::Fetching,
        source: None,
        silent: Vec::new(),
        bytes: 9,
        total_bytes: 10,
        moved_bytes: 9,
        elapsed_ms: 1,
    };
    phases.push(phase(&MOVE, &report, None));
    assert_eq!(phase(&MOVE, &report, Some(&rebuild)), Phase::Fetch);
    rebuild.bytes = 10;
    phases.push(phase(&MOVE, &report, Some(&rebuild)));
    report.members.iter_mut().for_each(|member| member.matched = last);
    loop {
        phases.push(phase(&MOVE, &report, None));
        match next(&report) {
            Step::Done(_) => break,
            step => follow(&mut report, &step),
        }
    }
    use Phase::{CatchUp, CleanUp, Fetch, HandOver, Install, Join, Leave};
    assert_eq!(phases, [Join, Fetch, Install, CatchUp, HandOver, Leave, CleanUp]);
}
