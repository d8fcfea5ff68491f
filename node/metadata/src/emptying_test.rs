//! How a node becomes empty, and what is said of it meanwhile.

use super::*;
use crate::parts::PAUSE_MS;
use crate::schedule::Action;
use crate::testing::{BEGIN, Bed, HOUR_MS, begun, drain, moves, repair};
use covey_shared::ids::OperationId;
use covey_shared::members::ChangeKind;
use covey_shared::metadata::MetadataChange;

fn child(bed: &Bed, shard: u64) -> OperationId {
    let runs = bed.state.running_in(ShardId(shard)).unwrap();
    assert_eq!(runs.by, SCHEDULER);
    runs.id
}

#[test]
fn so_many_moves_run_at_once_and_one_per_target() {
    let mut bed = Bed::new(6, 3);
    let id = bed.start(drain(3)).unwrap();
    assert_eq!(begun(&bed.turn()), [moves(1, 3, 6), moves(2, 3, 5)]);
    assert_eq!(begun(&bed.plan()), []);
    let progress = bed.progress(id);
    assert_eq!(progress.step, "moves 2 of 4 replicas away from node 3");
    assert_eq!(
        (
            progress.blocked_by.as_str(),
            progress.done,
            progress.total,
            progress.eta_ms
        ),
        ("", 0, 4, None)
    );
    let mut narrow = Bed::new(4, 1);
    narrow.start(drain(3)).unwrap();
    assert_eq!(begun(&narrow.turn()), [moves(1, 3, 4)], "both have to go to node 4");
}

#[test]
fn it_ends_when_nothing_is_left() {
    let mut bed = Bed::new(4, 1);
    let id = bed.start(drain(1)).unwrap();
    for shard in [1, 0] {
        bed.turn();
        let moves = child(&bed, shard);
        bed.pass(1000);
        bed.moved(shard, 1, 4);
        assert_eq!(bed.ending(id), None, "its last move still cleans up");
        bed.end(moves, Ending::Done);
        if shard == 1 {
            let progress = bed.progress(id);
            assert_eq!((progress.done, progress.total, progress.eta_ms), (1, 2, Some(1400)));
        }
    }
    assert_eq!(bed.ending(id), Some(Ending::Done));
    assert_eq!(bed.progress(id).step, "node 1 has no replicas any more");
    assert_eq!((bed.progress(id).done, bed.progress(id).total), (2, 2));
}

#[test]
fn a_move_that_is_over_is_not_asked_for_again_before_it_shows() {
    let mut bed = Bed::new(4, 1);
    let id = bed.start(drain(1)).unwrap();
    bed.turn();
    bed.end(child(&bed, 1), Ending::Done);
    assert_eq!(begun(&bed.turn()), [moves(0, 1, 4)]);
    bed.end(child(&bed, 0), Ending::Done);
    assert_eq!((begun(&bed.plan()), bed.ending(id)), (vec![], None));
    assert_eq!(
        bed.progress(id).blocked_by,
        "shard 1 has just moved, and does not say so yet"
    );
    bed.pass(PAUSE_MS);
    assert_eq!(begun(&bed.plan()), [moves(1, 1, 4)], "it was not moved");
}

#[test]
fn what_failed_is_tried_again_after_a_pause() {
    for (how, why) in [
        (Ending::Failed("no disk".to_owned()), "no disk"),
        (Ending::Cancelled, "it was cancelled"),
    ] {
        let mut bed = Bed::new(4, 1);
        let id = bed.start(drain(1)).unwrap();
        bed.turn();
        bed.end(child(&bed, 1), how);
        bed.pass(PAUSE_MS - 1000);
        let said = format!("shard 1 was not moved ({why}); the next try begins in 1 s");
        assert_eq!(bed.progress(id).blocked_by, said);
        assert_eq!(begun(&bed.turn()), [moves(0, 1, 4)], "another shard may go");
        bed.end(child(&bed, 0), Ending::Done);
        bed.pass(1000);
        assert_eq!(begun(&bed.plan()), [moves(1, 1, 4)]);
    }
}

#[test]
fn what_is_in_the_way_is_said() {
    let blocked = |prepare: &dyn Fn(&mut Bed)| {
        let mut bed = Bed::new(4, 1);
        let id = bed.start(drain(1)).unwrap();
        prepare(&mut bed);
        assert_eq!(begun(&bed.plan()), []);
        bed.progress(id).blocked_by
    };
    let absent = blocked(&|bed| assert!(bed.up.remove(&NodeId(4))));
    assert_eq!(absent, "no node that is up can take a replica of shard 1");
    let headless = blocked(&|bed| bed.reports.clear());
    assert_eq!(headless, "the leader of shard 1 is not heard of");
    let silent = blocked(&|bed| bed.away(3, Some(BEGIN)));
    assert_eq!(silent, "shard 1: other replicas of the shard are not heard of: node 3");
    let works = blocked(&|bed| {
        bed.start(moves(1, 1, 4)).unwrap();
    });
    assert_eq!(works, "operation 4 works on shard 1");
}

#[test]
fn another_drain_is_waited_for() {
    let mut bed = Bed::new(8, 1);
    bed.start(drain(1)).unwrap();
    let second = bed.start(drain(2)).unwrap();
    bed.turn();
    assert_eq!(bed.progress(second).blocked_by, "operation 5 works on shard 1");
    let mut bed = Bed::new(8, 6);
    bed.start(drain(1)).unwrap();
    let second = bed.start(drain(5)).unwrap();
    bed.turn();
    assert_eq!(
        bed.progress(second).blocked_by,
        "other operations move as many replicas as may move at once"
    );
}

#[test]
fn a_move_that_waits_for_the_node_that_is_away_makes_room() {
    let mut bed = Bed::new(5, 1);
    let works = bed.start(moves(1, 1, 4)).unwrap();
    bed.learner(1, 4);
    bed.away(2, Some(BEGIN));
    let id = bed.start(repair(2)).unwrap();
    bed.turn();
    assert!(bed.record(works).cancelled);
    assert_eq!(bed.audit.last().unwrap().outcome, Ok(Some(child(&bed, 0))));
    assert!(bed.progress(id).blocked_by.contains("works on shard 1"));
    let audited = bed.audit.len();
    bed.turn();
    assert_eq!(bed.audit.len(), audited, "once");
    bed.end(works, Ending::Cancelled);
    assert_eq!(begun(&bed.turn()), [moves(1, 2, 4)], "its learner serves here");
}

#[test]
fn what_comes_to_it_meanwhile_is_taken_back_or_leaves_again() {
    let (shard, to) = (ShardId(0), NodeId(4));
    for comes in [moves(1, 1, 4), moves(0, 1, 4)] {
        let mut bed = Bed::new(5, 1);
        let brings = bed.start(comes).unwrap();
        let id = bed.start(drain(4)).unwrap();
        bed.turn();
        assert!(bed.record(brings).cancelled && bed.ending(id).is_none());
        let shard = comes.shard().unwrap();
        assert_eq!(
            bed.progress(id).blocked_by,
            format!("operation {brings} works on shard {shard}")
        );
        // It was too late.
        bed.moved(shard.0, 1, 4);
        bed.end(brings, Ending::Done);
        bed.observe();
        assert_eq!(begun(&bed.plan()), [moves(shard.0, 4, 5)]);
    }
    let mut bed = Bed::new(5, 1);
    bed.moved(0, 1, 4);
    bed.observe();
    let leads = bed.start(Operation::TransferLeader { shard, to }).unwrap();
    bed.start(drain(4)).unwrap();
    bed.turn();
    assert!(bed.record(leads).cancelled);
}

#[test]
fn a_learner_that_was_left_there_goes_too() {
    let mut bed = Bed::new(5, 1);
    let learner = bed.learner(1, 4);
    bed.observe();
    let id = bed.start(drain(4)).unwrap();
    assert_eq!(begun(&bed.turn()), [moves(1, 4, 1)]);
    bed.change(1, ChangeKind::Remove(learner));
    bed.end(child(&bed, 1), Ending::Done);
    assert_eq!(bed.ending(id), Some(Ending::Done));
}

#[test]
fn it_is_taken_back_once_its_moves_have_ended() {
    for (late, expected) in [
        (false, Ending::Cancelled),
        (true, Ending::Failed("it was not done in time".to_owned())),
    ] {
        let mut bed = Bed::new(4, 1);
        let id = bed.start(drain(1)).unwrap();
        bed.turn();
        match late {
            true => bed.pass(HOUR_MS),
            false => assert_eq!(bed.cancel(id), Ok(id)),
        }
        let cancels = |plan: &Plan| {
            let cancels = |action: &&Action| matches!(action, Action::Propose(MetadataChange::Cancel { operation, by }) if *operation == id && by == "deadline");
            plan.actions.iter().any(|action| cancels(&action))
        };
        assert_eq!(cancels(&bed.turn()), late);
        assert!(!cancels(&bed.plan()), "once");
        assert_eq!((begun(&bed.plan()), bed.ending(id)), (vec![], None));
        assert_eq!(bed.progress(id).step, "is taken back; 1 moves come to their end");
        bed.end(child(&bed, 1), Ending::Cancelled);
        assert_eq!(bed.ending(id), Some(expected));
        assert_eq!(bed.progress(id).eta_ms, None);
    }
}

#[test]
fn a_repair_is_taken_back_when_the_node_answers_again() {
    let mut bed = Bed::new(5, 1);
    bed.away(1, Some(BEGIN));
    let id = bed.start(repair(1)).unwrap();
    bed.turn();
    assert_eq!(bed.progress(id).step, "makes 2 of 2 replicas of node 1 anew elsewhere");
    bed.away(1, None);
    bed.turn();
    assert!(bed.record(id).cancelled && bed.record(child(&bed, 1)).cancelled);
    assert_eq!(bed.audit.last().unwrap().by, SCHEDULER);
}

#[test]
fn a_repair_is_taken_back_when_a_leader_hears_of_the_node() {
    let mut bed = Bed::new(5, 1);
    bed.away(1, Some(BEGIN));
    let id = bed.start(repair(1)).unwrap();
    bed.hear(1, 1, true);
    assert_eq!(begun(&bed.turn()), []);
    assert!(bed.record(id).cancelled);
    // Who drains knows that it may answer.
    let mut bed = Bed::new(5, 1);
    let id = bed.start(drain(1)).unwrap();
    assert_eq!(begun(&bed.turn()).len(), 2);
    assert!(!bed.record(id).cancelled);
}

#[test]
fn moves_of_shards_without_leader_hold_nobody_up() {
    let mut bed = Bed::new(6, 3);
    bed.start(drain(3)).unwrap();
    assert_eq!(begun(&bed.turn()), [moves(1, 3, 6), moves(2, 3, 5)]);
    assert_eq!(begun(&bed.plan()), []);
    bed.reports.remove(&ShardId(1));
    assert_eq!(begun(&bed.plan()), [moves(3, 3, 6)]);
}

#[test]
fn a_move_to_who_is_gone_makes_room_for_another() {
    let mut bed = Bed::new(6, 1);
    bed.start(drain(1)).unwrap();
    assert_eq!(begun(&bed.turn()), [moves(1, 1, 4), moves(0, 1, 5)]);
    let (first, second) = (child(&bed, 1), child(&bed, 0));
    bed.learner(1, 4);
    bed.away(4, Some(BEGIN));
    bed.hear(1, 4, true);
    assert_eq!(bed.turn().actions, [], "its leader hears of it");
    bed.hear(1, 4, false);
    bed.turn();
    assert!(bed.record(first).cancelled && !bed.record(second).cancelled);
    assert_eq!(bed.turn().actions, [], "once");
    let gone = bed.member(1, 4).unwrap();
    bed.change(1, ChangeKind::Remove(gone));
    bed.end(first, Ending::Cancelled);
    bed.away(4, None);
    bed.pass(PAUSE_MS);
    assert_eq!(begun(&bed.turn()), [moves(1, 1, 6)], "even if it is back");
    // Where the vote went over, it only has to go on.
    let (new, old) = (bed.learner(1, 6), bed.member(1, 1).unwrap());
    let (promote, demote) = (vec![new], vec![old]);
    bed.change(1, ChangeKind::Replace { promote, demote });
    bed.away(6, Some(BEGIN));
    assert_eq!(bed.turn().actions, []);
}

#[test]
fn a_node_is_not_empty_before_all_shards_are_known() {
    let mut bed = Bed::new(4, 1);
    let id = bed.start(drain(4)).unwrap();
    assert_eq!(bed.ending(id), Some(Ending::Done));
    let known = bed.state.shards.remove(&ShardId(1)).unwrap();
    bed.reports.clear();
    assert_eq!(bed.ending(id), None);
    assert_eq!(bed.progress(id).blocked_by, OperationFault::NotYetKnown.to_string());
    bed.apply(MetadataChange::Observe(vec![known]));
    assert_eq!(bed.ending(id), Some(Ending::Done));
}

#[test]
fn a_move_that_waits_for_several_makes_room_for_the_repair_of_one() {
    let mut bed = Bed::of(8, 1, 5);
    let works = bed.start(moves(1, 1, 6)).unwrap();
    bed.away(4, Some(BEGIN));
    bed.away(5, Some(BEGIN));
    bed.start(repair(4)).unwrap();
    bed.turn();
    assert!(bed.record(works).cancelled, "it waits for nodes 4 and 5");
    bed.end(works, Ending::Cancelled);
    assert_eq!(begun(&bed.turn()), [moves(1, 4, 6)]);
}

#[test]
fn what_would_be_refused_is_not_asked_for() {
    let mut bed = Bed::new(4, 1);
    let id = bed.start(drain(1)).unwrap();
    // The leader says so; the log of the metadata does not yet.
    bed.moved(1, 2, 4);
    assert_eq!(begun(&bed.turn()), [moves(0, 1, 4)]);
    bed.end(child(&bed, 0), Ending::Done);
    assert_eq!(
        bed.progress(id).blocked_by,
        "shard 1: node 2 already has a replica of shard 1"
    );
    bed.observe();
    assert_eq!(begun(&bed.plan()), [moves(1, 1, 2)]);
}

#[test]
fn the_time_left_is_told_before_the_first_part_is_done() {
    let mut bed = Bed::new(6, 3);
    let id = bed.start(drain(3)).unwrap();
    bed.turn();
    let eta = |bed: &Bed| bed.progress(id).eta_ms;
    assert_eq!(eta(&bed), None, "nobody knows how long a move takes");
    let (one, other) = (child(&bed, 1), child(&bed, 2));
    bed.pass(1_000);
    bed.forecast.left_ms = [(one, 2_000), (other, 4_000)].into();
    // A move takes 4 s. Shard 3 begins after 2 s, and the metadata 2 s later.
    assert_eq!(eta(&bed), Some(4_000 + 4_400));
    bed.forecast.usual_ms = Some(2_600);
    assert_eq!(eta(&bed), Some(4_000 + 3_000));
    bed.end(one, Ending::Failed("no disk".to_owned()));
    bed.reports.clear();
    bed.end(other, Ending::Cancelled);
    assert_eq!(eta(&bed), None, "it is held up");
}
