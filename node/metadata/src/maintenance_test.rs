//! Who leads instead, and when it ends.

use super::*;
use crate::testing::{BEGIN, Bed, HOUR_MS, drain, maintenance};
use covey_shared::ids::{LogIndex, ShardId};
use covey_shared::metadata::MetadataChange;

const UNTIL: UnixMillis = UnixMillis(BEGIN.0 + HOUR_MS);

/// Node 1 leads shards 0 and 1, both on nodes 1 to 3.
fn bed() -> Bed {
    Bed::new(4, 1)
}

fn relieved(bed: &Bed) -> Vec<(u64, u64)> {
    let relieved = |action: &Action| match action {
        Action::Relieve { shard, to } => Some((shard.0, to.0)),
        Action::Propose(_) => None,
    };
    bed.plan().actions.iter().filter_map(relieved).collect()
}

fn member(bed: &mut Bed, shard: u64, node: u64) -> &mut MemberProgress {
    let report = bed.reports.get_mut(&ShardId(shard)).unwrap();
    report
        .members
        .iter_mut()
        .find(|member| member.replica.node() == NodeId(node))
        .unwrap()
}

#[test]
fn others_lead_what_it_leads() {
    let mut bed = bed();
    let id = bed.start(maintenance(1, UNTIL)).unwrap();
    assert_eq!(relieved(&bed), [(0, 2), (1, 2)]);
    assert_eq!(bed.progress(id).step, "node 1 still leads 2 shards; ends in 60 min");
    assert_eq!(bed.progress(id).eta_ms, Some(HOUR_MS));
    for shard in [0, 1] {
        let other = bed.member(shard, 2).unwrap();
        bed.reports.get_mut(&ShardId(shard)).unwrap().replica = other;
    }
    assert_eq!(relieved(&bed), []);
    assert_eq!(bed.progress(id).step, "node 1 leads nothing; ends in 60 min");
}

#[test]
fn who_is_fit_and_has_most_leads() {
    let mut bed = bed();
    let id = bed.start(maintenance(1, UNTIL)).unwrap();
    member(&mut bed, 1, 2).matched = LogIndex(8);
    assert_eq!(relieved(&bed), [(0, 2), (1, 3)], "it has more");
    member(&mut bed, 1, 3).fit = false;
    assert_eq!(relieved(&bed), [(0, 2), (1, 2)], "it would rather not");
    member(&mut bed, 1, 2).heard = false;
    assert_eq!(relieved(&bed), [(0, 2), (1, 3)], "it is not heard");
    bed.reports.get_mut(&ShardId(1)).unwrap().last = LogIndex(5000);
    assert_eq!(relieved(&bed), [(0, 2)], "it lacks too much");
    assert_eq!(bed.progress(id).blocked_by, "no other replica of shard 1 can lead it");
    bed.start(drain(2)).unwrap();
    assert_eq!(relieved(&bed), [(0, 3)], "it is on its way out");
    bed.up.remove(&NodeId(3));
    assert_eq!(relieved(&bed), [(0, 2)], "but is there");
}

#[test]
fn nobody_in_maintenance_leads_instead() {
    let mut bed = bed();
    bed.start(maintenance(1, UNTIL)).unwrap();
    bed.start(maintenance(2, UNTIL)).unwrap();
    assert_eq!(relieved(&bed), [(0, 3), (1, 3)]);
    bed.start(maintenance(3, UNTIL)).unwrap();
    assert_eq!(relieved(&bed), [], "they would hand it on for ever");
}

#[test]
fn a_few_are_relieved_at_once() {
    let mut bed = Bed::new(3, 30);
    bed.start(maintenance(1, UNTIL)).unwrap();
    assert_eq!(relieved(&bed).len(), MAX_RELIEVED);
}

#[test]
fn who_was_asked_to_lead_is_not_overtaken() {
    let mut bed = bed();
    bed.start(maintenance(1, UNTIL)).unwrap();
    let (shard, to) = (ShardId(1), NodeId(3));
    bed.start(Operation::TransferLeader { shard, to }).unwrap();
    assert_eq!(relieved(&bed), [(0, 2)]);
}

#[test]
fn it_ends_in_time_or_when_it_is_taken_back() {
    let ended = |bed: &Bed| match bed.plan().actions.as_slice() {
        [Action::Propose(MetadataChange::End { ending, .. })] => ending.clone(),
        other => panic!("{other:?}"),
    };
    let mut first = bed();
    first.start(maintenance(1, UNTIL)).unwrap();
    first.now = UNTIL;
    assert_eq!(ended(&first), Ending::Done);
    let mut second = bed();
    let id = second.start(maintenance(1, UNTIL)).unwrap();
    second.cancel(id).unwrap();
    assert_eq!(ended(&second), Ending::Cancelled);
}

#[test]
fn times_are_said_in_words() {
    for (ms, words) in [
        (1, "1 s"),
        (119_000, "119 s"),
        (120_000, "2 min"),
        (7_199_000, "120 min"),
        (7_200_000, "2 h"),
        (48 * HOUR_MS, "48 h"),
    ] {
        assert_eq!(in_words(ms), words);
    }
}
