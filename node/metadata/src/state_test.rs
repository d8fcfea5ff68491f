//! Each entry changes the state alike, whoever applies it.

use super::*;
use crate::testing::{BEGIN, Bed, HOUR_MS, drain, maintenance, moves, place, repair, start};
use covey_shared::codec::encode_versioned;
use covey_shared::ids::{ReplicaId, ShardEpoch};
use covey_shared::members::Members;
use covey_shared::slots::SlotRange;

#[test]
fn a_node_keeps_what_is_known_of_it_when_it_joins_again() {
    let mut bed = Bed::new(4, 1);
    bed.start(drain(2)).unwrap();
    bed.away(2, Some(UnixMillis(7)));
    bed.announce(place(2, "east")).unwrap();
    bed.announce(place(9, "west")).unwrap();
    let node = &bed.state.nodes[&NodeId(2)];
    assert_eq!(node.place, place(2, "east"));
    assert!(node.drained && node.away_since == Some(UnixMillis(7)));
    assert_eq!(bed.state.nodes.len(), 5, "those that are not named stay");
    assert!(!bed.state.nodes[&NodeId(9)].drained);
}

#[test]
fn the_newest_descriptor_is_kept() {
    let mut bed = Bed::new(4, 1);
    let old = bed.state.shards[&ShardId(1)].clone();
    bed.learner(1, 4);
    bed.observe();
    let new = bed.state.shards[&ShardId(1)].clone();
    assert!(new.epoch > old.epoch);
    let result = bed.apply(MetadataChange::Observe(vec![old.clone()]));
    assert_eq!((result, &bed.state.shards[&ShardId(1)]), (ItemResult::Ok, &new));
    let unknown = ShardDescriptor {
        shard: ShardId(8),
        members: Members::of([ReplicaId::new(0, ShardId(8), NodeId(1))]),
        ..old
    };
    bed.apply(MetadataChange::Observe(vec![unknown.clone()]));
    assert_eq!(bed.state.shards[&ShardId(8)], unknown);
}

#[test]
fn what_concerns_nothing_changes_nothing() {
    let mut bed = Bed::new(4, 1);
    let id = bed.start(drain(2)).unwrap();
    bed.end(id, Ending::Cancelled);
    let before = bed.state.clone();
    bed.apply(MetadataChange::Away {
        node: NodeId(9),
        since: Some(BEGIN),
    });
    bed.end(id, Ending::Done);
    bed.end(OperationId(99), Ending::Done);
    assert_eq!(bed.state, before);
}

#[test]
fn an_operation_has_a_deadline_and_maintenance_its_end() {
    let mut bed = Bed::new(5, 1);
    let until = UnixMillis(BEGIN.0 + 5);
    let first = bed.start(maintenance(1, until)).unwrap();
    let second = bed.start(drain(2)).unwrap();
    assert_eq!((bed.record(first).deadline, bed.record(first).started), (until, BEGIN));
    assert_eq!(bed.record(second).deadline, UnixMillis(BEGIN.0 + HOUR_MS));
    assert_eq!(
        second,
        OperationId(bed.log.len() as u64),
        "its id is its place in the log"
    );
    // At the end of time, too.
    let late = bed.state.apply(
        LogIndex(77),
        UnixMillis(u64::MAX),
        &MetadataChange::Start(start(drain(3))),
    );
    assert_eq!(late.result, ItemResult::Operation(Ok(OperationId(77))));
    assert_eq!(bed.record(OperationId(77)).deadline, UnixMillis(u64::MAX));
}

#[test]
fn maintenance_is_prolonged_but_not_cut_short() {
    let mut bed = Bed::new(4, 1);
    let until = |ms| maintenance(2, UnixMillis(BEGIN.0 + ms));
    let id = bed.start(until(50)).unwrap();
    bed.pass(5);
    for (wanted, runs) in [(90, 90), (60, 90), (90, 90)] {
        assert_eq!(bed.start(until(wanted)), Ok(id));
        let record = bed.record(id);
        assert_eq!(
            (record.what, record.deadline),
            (until(runs), UnixMillis(BEGIN.0 + runs))
        );
        assert_eq!(record.started, BEGIN);
    }
    // Its end at the time before was already on its way.
    bed.pass(45);
    bed.end(id, Ending::Done);
    assert!(bed.record(id).runs());
    bed.pass(40);
    bed.end(id, Ending::Done);
    assert!(!bed.record(id).runs());
    let other = bed.start(maintenance(3, UnixMillis(BEGIN.0 + 500))).unwrap();
    bed.cancel(other).unwrap();
    bed.end(other, Ending::Cancelled);
    assert!(!bed.record(other).runs());
}

#[test]
fn a_node_may_be_drained_again_and_given_back_by_taking_that_back() {
    let mut bed = Bed::new(5, 1);
    let first = bed.start(drain(2)).unwrap();
    bed.end(first, Ending::Done);
    let second = bed.start(drain(2)).unwrap();
    assert_ne!(first, second);
    bed.cancel(second).unwrap();
    assert!(!bed.state.nodes[&NodeId(2)].drained);
}

#[test]
fn cancelling_takes_back_the_drain_and_its_children() {
    let mut bed = Bed::new(5, 2);
    let id = bed.start(drain(2)).unwrap();
    assert!(bed.state.nodes[&NodeId(2)].drained);
    let ended = bed.child(moves(2, 2, 5), id).unwrap();
    bed.end(ended, Ending::Done);
    let runs = bed.child(moves(1, 2, 4), id).unwrap();
    let other = bed.start(moves(2, 3, 1)).unwrap();
    assert_eq!(bed.cancel(id), Ok(id));
    assert!(bed.record(id).cancelled && bed.record(runs).cancelled);
    assert!(!bed.record(ended).cancelled && !bed.record(other).cancelled);
    assert!(!bed.state.nodes[&NodeId(2)].drained);
    assert_eq!(bed.cancel(id), Ok(id), "twice is once");
    bed.end(id, Ending::Cancelled);
    assert_eq!(bed.cancel(id), Err(OperationFault::Ended(id)));
    assert_eq!(
        bed.cancel(OperationId(99)),
        Err(OperationFault::UnknownOperation(OperationId(99)))
    );
}

#[test]
fn a_node_is_taken_back_once_its_drain_is_over() {
    let mut bed = Bed::new(4, 1);
    assert_eq!(bed.undrain(9), Err(OperationFault::UnknownNode(NodeId(9))));
    assert_eq!(bed.undrain(2), Err(OperationFault::NotDrained(NodeId(2))));
    let id = bed.start(drain(2)).unwrap();
    assert_eq!(bed.undrain(2), Err(OperationFault::Conflict(id)));
    bed.end(id, Ending::Done);
    assert!(bed.state.nodes[&NodeId(2)].drained, "it stays out of service");
    assert_eq!(bed.undrain(2), Ok(OperationId(0)));
    assert!(!bed.state.nodes[&NodeId(2)].drained);
}

#[test]
fn all_that_is_asked_for_is_audited() {
    let mut bed = Bed::new(4, 1);
    let id = bed.start(drain(2)).unwrap();
    bed.start(drain(2)).unwrap();
    bed.pass(5);
    bed.start(repair(3)).unwrap_err();
    bed.cancel(id).unwrap();
    bed.end(id, Ending::Cancelled);
    bed.undrain(2).unwrap_err();
    let lines: Vec<_> = bed
        .audit
        .iter()
        .map(|line| (line.number, line.at.since(BEGIN), line.outcome.clone()))
        .collect();
    let expected = [
        (0, 0, Ok(Some(id))),
        (1, 0, Ok(Some(id))),
        (2, 5, Err(OperationFault::NotAway(NodeId(3)))),
        (3, 5, Ok(Some(id))),
        (4, 5, Err(OperationFault::NotDrained(NodeId(2)))),
    ];
    assert_eq!(lines, expected);
    assert_eq!(bed.state.audited, 5);
    assert!(bed.audit.iter().all(|line| line.by == "ann"));
    assert_eq!(bed.audit[0].change, MetadataChange::Start(start(drain(2))));
}

#[test]
fn a_name_that_is_too_long_is_refused_and_audited_in_short() {
    let mut bed = Bed::new(4, 1);
    let id = bed.start(drain(2)).unwrap();
    let by = "é".repeat(MAX_BY);
    for change in [
        MetadataChange::Cancel {
            operation: id,
            by: by.clone(),
        },
        MetadataChange::Undrain {
            node: NodeId(2),
            by: by.clone(),
        },
        MetadataChange::Start(Start {
            by: by.clone(),
            ..start(drain(3))
        }),
        MetadataChange::Start(Start {
            by: String::new(),
            ..start(drain(3))
        }),
    ] {
        let refused = bed.apply(change);
        assert!(
            matches!(refused, ItemResult::Operation(Err(OperationFault::Invalid(_)))),
            "{refused:?}"
        );
        assert!(bed.audit.last().unwrap().by.len() <= MAX_BY);
    }
    assert!(!bed.record(id).cancelled);
    assert_eq!(bed.audit.len(), 5);
}

#[test]
fn the_oldest_ends_are_forgotten() {
    let mut bed = Bed::new(4, 1);
    let stays = bed.start(drain(2)).unwrap();
    let mut ended = Vec::new();
    for _ in 0..KEPT + 3 {
        bed.pass(1);
        let id = bed.start(moves(1, 1, 4)).unwrap();
        bed.end(id, Ending::Failed("é".repeat(MAX_WHY)));
        ended.push(id);
    }
    assert!(bed.record(stays).runs());
    assert_eq!(bed.state.operations.len(), KEPT + 1);
    assert!(!bed.state.operations.contains_key(&ended[2]) && bed.state.operations.contains_key(&ended[3]));
    let Some((_, Ending::Failed(why))) = &bed.record(ended[3]).ended else {
        panic!("it failed");
    };
    assert_eq!(why.len(), MAX_WHY);
}

/// A node, a shard with one voter, and a drain that failed.
fn small() -> Metadata {
    let node = NodeRecord {
        place: place(1, "z"),
        drained: true,
        away_since: Some(UnixMillis(7)),
    };
    let shard = ShardDescriptor {
        shard: ShardId(2),
        slots: SlotRange::NONE,
        epoch: ShardEpoch {
            range_ver: 1,
            conf_ver: 3,
        },
        members: Members::of([ReplicaId::new(0, ShardId(2), NodeId(1))]),
    };
    let record = OperationRecord {
        id: OperationId(4),
        what: drain(1),
        by: "ann".to_owned(),
        parent: Some(OperationId(3)),
        started: UnixMillis(8),
        deadline: UnixMillis(9),
        cancelled: true,
        ended: Some((UnixMillis(10), Ending::Failed("no".to_owned()))),
    };
    Metadata {
        nodes: BTreeMap::from([(NodeId(1), node)]),
        shards: BTreeMap::from([(ShardId(2), shard)]),
        operations: BTreeMap::from([(OperationId(4), record)]),
        audited: 5,
        removed: BTreeSet::from([NodeId(6)]),
        directory: LogIndex(7),
        settings: Settings {
            version: LogIndex(8),
            values: [("k".to_owned(), "v".to_owned())].into(),
        },
    }
}

#[test]
fn the_encoding_is_for_ever() {
    let bytes = encode_versioned(METADATA_VERSION, &small()).unwrap();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let one = "0100000000000000";
    let none = "0000000000000000";
    let golden = [
        "0200",
        // Nodes: where, drained, away since.
        one,
        one,
        one,
        "0a00000000000000 686f7374313a37313030",
        "0100000000000000 7a",
        "01",
        "01 0700000000000000",
        // Shards: id, slots, epoch, and four lists of members.
        one,
        "0200000000000000 0200000000000000",
        "0000 0000",
        "0100000000000000 0300000000000000",
        "0100000000000000 0100020000000000",
        none,
        none,
        none,
        // Operations: what, by whom, part of what, from when to when, cancelled, and how it ended.
        one,
        "0400000000000000 0400000000000000",
        "02000000 0100000000000000",
        "0300000000000000 616e6e",
        "01 0300000000000000",
        "0800000000000000 0900000000000000",
        "01",
        "01 0a00000000000000 02000000 0200000000000000 6e6f",
        // Lines of the audit log.
        "0500000000000000",
        // Nodes that were removed, and when nodes changed last.
        one,
        "0600000000000000",
        "0700000000000000",
        // Settings: when they changed last, key and value.
        "0800000000000000",
        one,
        "0100000000000000 6b 0100000000000000 76",
    ];
    assert_eq!(hex, golden.concat().replace(' ', ""));
    assert_eq!(Metadata::decode(&bytes).unwrap(), small());
    // The first version ended before the settings.
    let mut old = bytes[..bytes.len() - 8 - 8 - 18].to_vec();
    old[0] = 1;
    let settings = Settings::default();
    assert_eq!(Metadata::decode(&old).unwrap(), Metadata { settings, ..small() });
}
