//! Changes of the metadata are kept in logs, and its views cross the wire: their bytes are fixed.

use super::*;
use crate::codec::{decode, encode};
use crate::command::{ItemResult, ShardCommand};
use crate::directory::Directory;
use crate::ids::LogIndex;
use crate::settings::Settings;
use crate::wire::{ReplyBody, RequestBody};

fn check<T: Encode + Decode<()> + PartialEq + std::fmt::Debug>(value: &T, golden: &str) {
    let bytes = encode(value).unwrap();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, golden.replace(' ', ""), "{value:?}");
    assert_eq!(&decode::<T>(&bytes).unwrap(), value);
}

const NODE: NodeId = NodeId(2);
const SHARD: ShardId = ShardId(3);
const ID: OperationId = OperationId(4);

#[test]
fn operations_have_these_bytes() {
    let (three, two, five) = ("0300000000000000", "0200000000000000", "0500000000000000");
    let to = NodeId(5);
    let moves = Operation::Move {
        shard: SHARD,
        from: NODE,
        to,
    };
    check(&moves, &format!("00000000 {three} {two} {five}"));
    let transfer = Operation::TransferLeader { shard: SHARD, to };
    check(&transfer, &format!("01000000 {three} {five}"));
    check(&Operation::Drain { node: NODE }, &format!("02000000 {two}"));
    let until = UnixMillis(5);
    let maintenance = Operation::Maintenance { node: NODE, until };
    check(&maintenance, &format!("03000000 {two} {five}"));
    check(&Operation::Repair { node: NODE }, &format!("04000000 {two}"));
    check(&Operation::Add { node: NODE }, &format!("05000000 {two}"));
    let (shard, keep) = (SHARD, NODE);
    check(
        &Operation::UnsafeRecover { shard, keep },
        &format!("06000000 {three} {two}"),
    );
    check(
        &Operation::AddReplica { shard, to },
        &format!("07000000 {three} {five}"),
    );
}

#[test]
fn changes_have_these_bytes() {
    let by = "b".to_owned();
    let command = |change| ShardCommand::Metadata(change);
    check(
        &command(MetadataChange::Observe(Vec::new())),
        "0b000000 01000000 0000000000000000",
    );
    let place = NodePlace {
        node: NODE,
        listen: "l".to_owned(),
        zone: "z".to_owned(),
    };
    let golden = "0b000000 00000000 0100000000000000 0200000000000000 0100000000000000 6c 0100000000000000 7a";
    check(&command(MetadataChange::Register(vec![place.clone()])), golden);
    let since = Some(UnixMillis(9));
    let golden = "0b000000 02000000 0200000000000000 01 0900000000000000";
    check(&command(MetadataChange::Away { node: NODE, since }), golden);
    let start = Start {
        what: Operation::Drain { node: NODE },
        by: by.clone(),
        parent: Some(ID),
        limit_ms: 7,
    };
    let golden = "0b000000 03000000 02000000 0200000000000000 0100000000000000 62 01 0400000000000000 0700000000000000";
    check(&command(MetadataChange::Start(start)), golden);
    let golden = "0b000000 04000000 0400000000000000 0100000000000000 62";
    let cancel = MetadataChange::Cancel {
        operation: ID,
        by: by.clone(),
    };
    check(&command(cancel), golden);
    let ending = Ending::Failed("f".to_owned());
    let golden = "0b000000 05000000 0400000000000000 02000000 0100000000000000 66";
    check(&command(MetadataChange::End { operation: ID, ending }), golden);
    let golden = "0b000000 06000000 0200000000000000 0100000000000000 62";
    check(
        &command(MetadataChange::Undrain {
            node: NODE,
            by: by.clone(),
        }),
        golden,
    );
    let golden = "0b000000 07000000 0200000000000000 0100000000000000 6c 0100000000000000 7a 0100000000000000 62";
    check(&command(MetadataChange::Join { place, by: by.clone() }), golden);
    let golden = "0b000000 08000000 0200000000000000 0100000000000000 62";
    check(&command(MetadataChange::Remove { node: NODE, by }), golden);
}

#[test]
fn a_line_of_the_audit_log_has_these_bytes() {
    let by = "b".to_owned();
    let mut line = AuditRecord {
        number: 5,
        at: UnixMillis(7),
        by: by.clone(),
        change: MetadataChange::Undrain { node: NODE, by },
        outcome: Ok(Some(ID)),
    };
    let head = "0500000000000000 0700000000000000 0100000000000000 62";
    let change = "06000000 0200000000000000 0100000000000000 62";
    check(&line, &format!("{head} {change} 00000000 01 0400000000000000"));
    line.outcome = Ok(None);
    check(&line, &format!("{head} {change} 00000000 00"));
    line.outcome = Err(OperationFault::Conflict(ID));
    check(&line, &format!("{head} {change} 01000000 03000000 0400000000000000"));
}

#[test]
fn outcomes_and_questions_have_these_bytes() {
    check(&ItemResult::Operation(Ok(ID)), "04000000 00000000 0400000000000000");
    let refused = ItemResult::Operation(Err(OperationFault::Conflict(ID)));
    check(&refused, "04000000 01000000 03000000 0400000000000000");
    check(&RequestBody::Reports, "15000000");
    check(&RequestBody::Describe { audit: 5 }, "16000000 05000000");
    let rehearse = RequestBody::Rehearse(Operation::Repair { node: NODE });
    check(&rehearse, "17000000 04000000 0200000000000000");
    let reports = ReplyBody::Reports(Box::default());
    check(
        &reports,
        "15000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000",
    );
    check(&RequestBody::Directory, "18000000");
    let none = Directory::default();
    let golden = "0000000000000000 0000000000000000";
    check(
        &RequestBody::LearnDirectory(none.clone()),
        &format!("19000000 {golden}"),
    );
    check(&ReplyBody::Directory(none), &format!("18000000 {golden}"));
    let rehearsed = ReplyBody::Rehearse(Ok(Err(OperationFault::NotAway(NODE))));
    check(&rehearsed, "17000000 00000000 01000000 0a000000 0200000000000000");
    let refused = ItemResult::Operation(Err(OperationFault::NotYetKnown));
    check(&refused, "04000000 01000000 0d000000");
    let view = ClusterView {
        applied: LogIndex(1),
        at: UnixMillis(2),
        nodes: Vec::new(),
        shards: Vec::new(),
        operations: Vec::new(),
        audit: Vec::new(),
        settings: Settings::default(),
    };
    let golden = "16000000 00000000 0100000000000000 0200000000000000";
    let empty = " 0000000000000000".repeat(6);
    check(&ReplyBody::Describe(Ok(Box::new(view))), &(golden.to_owned() + &empty));
}

#[test]
fn settings_are_written_for_ever() {
    let changes = [("k".to_owned(), Some("v".to_owned())), ("l".to_owned(), None)];
    let set = MetadataChange::Set {
        on: LogIndex(1),
        changes: changes.into(),
        by: "ann".to_owned(),
    };
    let golden = [
        "09000000 0100000000000000 0200000000000000",
        "0100000000000000 6b 01 0100000000000000 76",
        "0100000000000000 6c 00",
        "0300000000000000 616e6e",
    ];
    check(&set, &golden.concat());
    let settings = Settings {
        version: LogIndex(2),
        values: [("k".to_owned(), "v".to_owned())].into(),
    };
    let golden = "0200000000000000 0100000000000000 0100000000000000 6b 0100000000000000 76";
    check(&RequestBody::Settings, "1c000000");
    check(
        &RequestBody::LearnSettings(settings.clone()),
        &format!("1d000000 {golden}"),
    );
    check(&ReplyBody::Settings(settings), &format!("1c000000 {golden}"));
    let refused = ItemResult::Operation(Err(OperationFault::SettingsChanged(LogIndex(7))));
    check(&refused, "04000000 01000000 12000000 0700000000000000");
}
