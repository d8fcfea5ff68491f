//! A shard that went on with one replica gets back as many as it should have.

use super::*;
use crate::moving::{End, Seen, Step};
use crate::testing::{BEGIN, Bed, LIMITS, begun};
use covey_shared::ids::{NodeId, OperationId};
use covey_shared::members::{ChangeKind, ShardDescriptor};
use covey_shared::metadata::Ending;

fn adds(shard: u64, to: u64) -> Operation {
    Operation::AddReplica {
        shard: ShardId(shard),
        to: NodeId(to),
    }
}

/// Shard 1 of two, which was on nodes 1 to 3, is on node 3 alone, and the others are gone.
fn recovered(nodes: u64) -> Bed {
    let mut bed = Bed::new(nodes, 2);
    let keep = bed.member(1, 3).unwrap();
    let kind = bed.reports[&ShardId(1)].descriptor.recover(keep, 0).kind;
    bed.reports.get_mut(&ShardId(1)).unwrap().replica = keep;
    bed.change(1, kind);
    for node in [1, 2] {
        bed.away(node, Some(BEGIN));
    }
    bed.observe();
    bed
}

fn running(bed: &Bed) -> OperationId {
    bed.state.running_in(ShardId(1)).unwrap().id
}

/// Runs the addition to its end, as its driver does.
fn run(bed: &mut Bed, what: Move) {
    let id = running(bed);
    loop {
        let report = bed.reports[&ShardId(1)].clone();
        let seen = Seen {
            report: &report,
            left_over: None,
            cancelled: bed.record(id).cancelled,
        };
        match what.next(&seen) {
            Step::Propose(change) => bed.change(1, change.kind),
            Step::Done(End::Moved) => break bed.end(id, Ending::Done),
            Step::Done(End::Cancelled) => break bed.end(id, Ending::Cancelled),
            other => panic!("{other:?}"),
        }
    }
    bed.observe();
}

#[test]
fn one_after_another_until_there_are_enough() {
    let mut bed = recovered(6);
    for to in [5, 6] {
        assert_eq!(begun(&bed.turn()), [adds(1, to)]);
        assert_eq!(begun(&bed.plan()), [], "one at a time");
        run(
            &mut bed,
            Move {
                shard: ShardId(1),
                from: NOBODY,
                to: NodeId(to),
            },
        );
    }
    let members = &bed.reports[&ShardId(1)].descriptor.members;
    assert_eq!(
        members.voters.iter().map(|voter| voter.node().0).collect::<Vec<_>>(),
        [3, 5, 6]
    );
    assert!(members.learners.is_empty() && !members.is_joint());
    assert_eq!(begun(&bed.plan()), []);
}

#[test]
fn what_was_taken_back_leaves_nothing() {
    let mut bed = recovered(6);
    bed.turn();
    bed.learner(1, 5);
    bed.cancel(running(&bed)).unwrap();
    run(
        &mut bed,
        Move {
            shard: ShardId(1),
            from: NOBODY,
            to: NodeId(5),
        },
    );
    assert_eq!(bed.member(1, 5), None);
    assert_eq!(begun(&bed.plan()), [], "it rests");
    bed.pass(PAUSE_MS);
    assert_eq!(begun(&bed.plan()), [adds(1, 5)], "it is still wanted");
    // A learner that was left there serves.
    bed.learner(1, 6);
    assert_eq!(begun(&bed.plan()), [adds(1, 6)]);
}

#[test]
fn a_node_that_is_gone_is_not_waited_for() {
    let mut bed = recovered(6);
    bed.turn();
    bed.away(5, Some(BEGIN));
    bed.turn();
    assert!(bed.record(running(&bed)).cancelled);
    assert_eq!(bed.turn().actions, [], "once");
    let mut bed = recovered(4);
    bed.away(4, Some(BEGIN));
    assert_eq!(begun(&bed.plan()), [], "nobody is there");
    bed.away(4, None);
    let full = Limits { replicas: 1, ..LIMITS };
    let plan = crate::schedule::schedule(&bed.state, &bed.sights(), &full);
    assert_eq!(begun(&plan), [], "one is enough");
    assert_eq!(begun(&bed.plan()), [adds(1, 4)]);
}

#[test]
fn the_shard_that_has_lost_its_majority_is_recovered_from_who_is_asked() {
    let mut shard =
        ShardDescriptor::founding(&covey_shared::layout::Layout::fixed(1, 3, &[1, 2, 3].map(NodeId)).shards[0]);
    let bed = Bed::new(3, 1);
    let mut report = bed.reports[&ShardId(1)].clone();
    let leads = std::mem::take(&mut report.members);
    let Step::Propose(change) = crate::moving::recover(&report, 9, false) else {
        panic!("it is not recovered yet")
    };
    assert_eq!(change, shard.recover(report.replica, 9));
    assert!(matches!(change.kind, ChangeKind::Recover { conf_ver: 1009, .. }));
    assert_eq!(crate::moving::recover(&report, 9, true), Step::Done(End::Cancelled));
    shard.change(&change).unwrap();
    report.descriptor = shard;
    let waits = crate::moving::Waiting::Election(NodeId(1));
    assert_eq!(
        crate::moving::recover(&report, 9, true),
        Step::Wait(waits),
        "it is too late to take it back"
    );
    report.members = leads;
    assert_eq!(crate::moving::recover(&report, 1009, false), Step::Done(End::Moved));
}
