//! Golden bytes of calls: what one release sends, the next one reads.

use super::*;
use crate::codec::{decode, encode};
use crate::ids::UnixMillis;
use crate::model::Language;
use crate::slots::SlotRange;
use crate::wire::errors::TransferFault;
use crate::wire::lists::{ListAsk, ListGroup, RankedBy};
use crate::wire::members::MemberProgress;
use crate::wire::reads::SearchFilter;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn golden_bytes_of_a_question_for_vectors() {
    let body = RequestBody::Vectors {
        shard: ShardId(7),
        posts: vec![PostId(1), PostId(0x0102)],
    };
    let bytes = encode(&body).unwrap();
    let golden = [
        "0f000000",
        "0700000000000000",
        "0200000000000000",
        "0100000000000000",
        "0201000000000000",
    ];
    assert_eq!(hex(&bytes), golden.concat());
    assert_eq!(decode::<RequestBody>(&bytes).unwrap(), body);
}

#[test]
fn golden_bytes_of_a_question_for_lists() {
    let list = |by, group, posts| ListAsk { by, group, posts };
    let (all, austria) = (ListGroup::All, ListGroup::Country(*b"AT"));
    let (english, topic) = (ListGroup::Language(Language(*b"en")), ListGroup::Topic(9));
    let body = RequestBody::Lists(ListsQuery {
        shards: vec![],
        lists: vec![
            list(RankedBy::Popularity, all, 3),
            list(RankedBy::Newest, english, 0x0102),
            list(RankedBy::Activity, austria, 1),
            list(RankedBy::Popularity, topic, 2),
        ],
        now: UnixMillis(4),
        filter: SearchFilter::default(),
    });
    let bytes = encode(&body).unwrap();
    let golden = [
        "05000000",
        "0000000000000000",
        "0400000000000000",
        "00000000 00000000 03000000",
        "01000000 01000000 656e 02010000",
        "02000000 02000000 4154 01000000",
        "00000000 03000000 09000000 02000000",
        "0400000000000000",
    ];
    // Behind it stands an empty filter.
    assert_eq!(
        hex(&bytes[..golden.concat().replace(' ', "").len() / 2]),
        golden.concat().replace(' ', "")
    );
    assert_eq!(decode::<RequestBody>(&bytes).unwrap(), body);
}

#[test]
fn golden_bytes_of_a_pause() {
    let body = RequestBody::PauseBuilds { pause_ms: 0x0102 };
    let bytes = encode(&body).unwrap();
    assert_eq!(hex(&bytes), "100000000201000000000000");
    assert_eq!(decode::<RequestBody>(&bytes).unwrap(), body);
    let body = ReplyBody::PauseBuilds(BuildsStatus {
        pause_left_ms: 1,
        waiting_indexes: 2,
        waiting_merges: 3,
    });
    let bytes = encode(&body).unwrap();
    assert_eq!(hex(&bytes), "1000000001000000000000000200000003000000");
    assert_eq!(decode::<ReplyBody>(&bytes).unwrap(), body);
}

#[test]
fn golden_bytes_of_a_transfer() {
    let (shard, to) = (ShardId(7), NodeId(2));
    let body = RequestBody::TransferLeader { shard, to };
    let bytes = encode(&body).unwrap();
    assert_eq!(hex(&bytes), "1100000007000000000000000200000000000000");
    assert_eq!(decode::<RequestBody>(&bytes).unwrap(), body);
    let body = ReplyBody::TransferLeader(Ok(Term(9)));
    let bytes = encode(&body).unwrap();
    assert_eq!(hex(&bytes), "11000000000000000900000000000000");
    assert_eq!(decode::<ReplyBody>(&bytes).unwrap(), body);
    let body = ReplyBody::TransferLeader(Err(ShardError::Transfer(TransferFault::Behind { entries: 3 })));
    let bytes = encode(&body).unwrap();
    assert_eq!(hex(&bytes), "110000000100000009000000010000000300000000000000");
    assert_eq!(decode::<ReplyBody>(&bytes).unwrap(), body);
}

#[test]
fn golden_bytes_of_changes_of_members() {
    use crate::members::{ChangeKind, MembersError};
    let (shard, replica) = (ShardId(7), ReplicaId(9));
    let check = |bytes: Vec<u8>, golden: &[&str]| assert_eq!(hex(&bytes), golden.concat());
    check(
        encode(&RequestBody::Members { shard }).unwrap(),
        &["12000000", "0700000000000000"],
    );
    let change = MemberChange {
        expected: 2,
        kind: ChangeKind::Remove(replica),
    };
    let body = RequestBody::ChangeMembers { shard, change };
    let golden = [
        "13000000",
        "0700000000000000",
        "0200000000000000",
        "03000000",
        "0900000000000000",
    ];
    check(encode(&body).unwrap(), &golden);
    let body = RequestBody::Destroy { replica };
    check(encode(&body).unwrap(), &["14000000", "0900000000000000"]);
    let body = ReplyBody::ChangeMembers(Err(ShardError::Members(MembersError::Overtaken { have: 3 })));
    let golden = ["13000000", "01000000", "0a000000", "00000000", "0300000000000000"];
    check(encode(&body).unwrap(), &golden);
    check(encode(&ReplyBody::Destroy(Ok(()))).unwrap(), &["14000000", "00000000"]);
}

#[test]
fn golden_bytes_of_members() {
    use crate::members::{Members, ShardDescriptor};
    let (shard, replica) = (ShardId(7), ReplicaId(9));
    let report = ShardReport {
        replica,
        descriptor: ShardDescriptor {
            shard,
            slots: SlotRange { start: 1, end: 2 },
            epoch: ShardEpoch {
                range_ver: 3,
                conf_ver: 4,
            },
            members: Members::of([replica]),
        },
        leader: None,
        term: Term(5),
        last: LogIndex(6),
        applied: LogIndex(8),
        members: vec![MemberProgress {
            replica,
            matched: LogIndex(10),
            heard: true,
            fit: false,
        }],
    };
    let golden = [
        "12000000",
        "00000000",
        "0900000000000000",
        "0700000000000000",
        "01000200",
        "0300000000000000",
        "0400000000000000",
        "0100000000000000",
        "0900000000000000",
        "0000000000000000",
        "0000000000000000",
        "0000000000000000",
        "00",
        "0500000000000000",
        "0600000000000000",
        "0800000000000000",
        "0100000000000000",
        "0900000000000000",
        "0a00000000000000",
        "01",
        "00",
    ];
    let body = ReplyBody::Members(Ok(Box::new(report)));
    let bytes = encode(&body).unwrap();
    assert_eq!(hex(&bytes), golden.concat());
    assert_eq!(decode::<ReplyBody>(&bytes).unwrap(), body);
}

#[test]
fn golden_bytes_of_vectors() {
    let row = F16Vector::from_f32(&[1.0, -2.0]);
    let body = ReplyBody::Vectors(Ok(vec![Some(row), None]));
    let bytes = encode(&body).unwrap();
    let golden = [
        "0f000000",
        "00000000",
        "0200000000000000",
        "01",
        "0400000000000000",
        "003c00c0",
        "00",
    ];
    assert_eq!(hex(&bytes), golden.concat());
    assert_eq!(decode::<ReplyBody>(&bytes).unwrap(), body);
    let refused = ReplyBody::Vectors(Err(ShardError::NotHere(ShardId(7))));
    assert_eq!(
        hex(&encode(&refused).unwrap()),
        "0f00000001000000000000000700000000000000"
    );
}
