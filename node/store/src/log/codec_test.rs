//! The bytes on the disk are fixed, and only whole records of this life of the segment are read.

use bytes::Bytes;

use super::super::batch::Facts;
use super::super::record::{
    BODY_VERSION, Link, RECORD_HEADER, Remains, could_be_record, encode_record, record_at, remains,
};
use super::super::{EntryKind, GroupId, HardState, LogEntry, LogPosition};
use super::*;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn changes() -> Vec<Change> {
    let entry = LogEntry {
        index: 5,
        term: 3,
        kind: EntryKind::ConfChange,
        data: Bytes::from_static(b"ab"),
    };
    let state = HardState {
        term: 3,
        vote: 1,
        commit: 4,
    };
    vec![
        Change::Entries {
            group: GroupId(7),
            entries: vec![entry],
        },
        Change::HardState {
            group: GroupId(7),
            state,
        },
        Change::Tombstone { group: GroupId(9) },
    ]
}

const HEADER: SegmentHeader = SegmentHeader {
    cluster: ClusterId(0x0102),
    node: NodeId(3),
    bytes: 0x0009_0807,
    number: 4,
    first_seq: 5,
    prev_crc: 6,
};
const LINK: Link = Link {
    seq: 258,
    synced: 257,
    prev_crc: 0x0a0b_0c0d,
};

#[test]
fn a_segment_header_has_these_bytes() {
    let golden = [
        (
            SegmentHeader { bytes: 0, ..HEADER },
            "434f56455957414c0100000000000000020100000000000003000000000000000400000000000000050000000000000006000000",
            "2f5bf08c",
        ),
        (
            HEADER,
            "434f56455957414c0100000007080900020100000000000003000000000000000400000000000000050000000000000006000000",
            "dfec5ec0",
        ),
    ];
    for (header, bytes, salt) in golden {
        let (block, crc) = header.encode();
        assert_eq!((hex(&block[..52]), hex(&block[52..56])), (bytes.into(), salt.into()));
        assert!(block[56..].iter().all(|byte| *byte == 0));
        assert_eq!(SegmentHeader::decode(&block), Ok((header, crc)));
    }
}

#[test]
fn a_record_has_these_bytes() {
    let mut record = Vec::new();
    let crc = encode_record(&mut record, 99, LINK, |out| encode_body(out, &changes()));
    let golden = concat!(
        "67000000f502581e",
        "020100000000000001010000000000000d0c0b0a01000000",
        "0300000000000000",
        "00000000",
        "0700000000000000",
        "0100000000000000",
        "0500000000000000",
        "0300000000000000",
        "01",
        "0200000000000000",
        "6162",
        "01000000",
        "0700000000000000",
        "030000000000000001000000000000000400000000000000",
        "05000000",
        "0900000000000000",
    );
    assert_eq!(hex(&record).trim_end_matches("00"), golden.trim_end_matches("00"));
    assert_eq!(record.len() % 8, 0);
    let read = record_at(&record, 0, 99).unwrap();
    assert_eq!(
        (read.link, read.crc, read.version, read.end),
        (LINK, crc, 1, record.len())
    );
    assert_eq!(decode_body(read.body).unwrap(), changes());
}

#[test]
fn the_other_kinds_of_change_have_these_bytes() {
    let (group, at) = (GroupId(7), LogPosition { index: 4, term: 2 });
    let hard_state = HardState {
        term: 3,
        vote: 1,
        commit: 4,
    };
    let facts = Facts {
        hard_state,
        compacted: at,
        last: 9,
        tombstone: true,
    };
    let golden = [
        (
            Change::Truncate { group, from: 5 },
            "0200000007000000000000000500000000000000",
        ),
        (
            Change::Compact { group, at },
            "03000000070000000000000004000000000000000200000000000000",
        ),
        (
            Change::CreateGroup { group, start: at },
            "04000000070000000000000004000000000000000200000000000000",
        ),
        (
            Change::Facts { group, facts },
            concat!(
                "060000000700000000000000",
                "030000000000000001000000000000000400000000000000",
                "04000000000000000200000000000000",
                "090000000000000001"
            ),
        ),
    ];
    for (change, bytes) in golden {
        let mut body = Vec::new();
        encode_body(&mut body, std::slice::from_ref(&change));
        assert_eq!(hex(&body), format!("0100000000000000{bytes}"));
        for len in 1..body.len() {
            assert!(decode_body(&body[..len]).is_err(), "{change:?} cut at {len}");
        }
        assert_eq!(decode_body(&body).unwrap(), [change]);
    }
}

#[test]
fn a_kind_of_change_or_entry_that_nobody_knows_is_refused() {
    let mut body = Vec::new();
    encode_body(&mut body, &changes());
    let (change, entry) = (8, 8 + 4 + 8 + 8 + 16);
    for (at, unknown) in [(change, 7), (entry, 2)] {
        let mut newer = body.clone();
        newer[at] = unknown;
        assert!(decode_body(&newer).is_err(), "byte {at}");
    }
}

#[test]
fn a_header_with_any_flipped_bit_is_refused() {
    let (block, _) = HEADER.encode();
    for bit in 0..56 * 8 {
        let mut damaged = block;
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(SegmentHeader::decode(&damaged), Err(BadHeader::Damaged), "bit {bit}");
    }
    assert_eq!(SegmentHeader::decode(&block[..100]), Err(BadHeader::Damaged));
}

#[test]
fn a_header_of_a_newer_release_is_told_apart_from_damage() {
    let (mut block, _) = HEADER.encode();
    block[8] = 2;
    let crc = crc32c::crc32c(&block[..52]);
    block[52..56].copy_from_slice(&crc.to_le_bytes());
    assert_eq!(SegmentHeader::decode(&block), Err(BadHeader::Version(2)));
}

#[test]
fn a_record_with_any_flipped_bit_or_cut_is_not_read() {
    let mut record = Vec::new();
    encode_record(&mut record, 99, LINK, |out| encode_body(out, &changes()));
    let whole = RECORD_HEADER + u32_at(&record, 0) as usize;
    for bit in 0..whole * 8 {
        let mut damaged = record.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(record_at(&damaged, 0, 99), None, "bit {bit}");
    }
    for len in 0..whole {
        assert_eq!(record_at(&record[..len], 0, 99), None, "cut at {len}");
    }
}

#[test]
fn a_record_of_another_life_of_the_segment_is_not_read() {
    let mut record = Vec::new();
    encode_record(&mut record, 99, LINK, |out| encode_body(out, &changes()));
    assert_eq!(record_at(&record, 0, 98), None);
}

#[test]
fn a_body_of_garbage_is_an_error_and_not_a_huge_allocation() {
    assert!(decode_body(&[0xff; 64]).is_err());
    let mut huge = 1u64.to_le_bytes().to_vec();
    huge.extend([0; 12]);
    huge.extend(u64::MAX.to_le_bytes());
    assert!(decode_body(&huge).is_err());
    let mut trailing = Vec::new();
    encode_record(&mut trailing, 0, LINK, |out| encode_body(out, &changes()));
    assert!(decode_body(&[&trailing[RECORD_HEADER..], &[0]].concat()).is_err());
}

#[test]
fn what_follows_a_bad_record_is_found_and_says_what_was_synced() {
    let mut segment = Vec::new();
    let mut record = Vec::new();
    let mut ends = Vec::new();
    for seq in 10..14 {
        encode_record(
            &mut record,
            1,
            Link {
                seq,
                synced: seq - 2,
                prev_crc: 0,
            },
            |out| encode_body(out, &changes()),
        );
        segment.extend_from_slice(&record);
        ends.push(segment.len());
    }
    segment.resize(4096, 0);
    segment[ends[0] + 40] ^= 1;
    assert_eq!(
        remains(&segment, ends[0], 1, 11),
        Remains {
            synced: 11,
            end: ends[3]
        }
    );
    assert_eq!(
        remains(&segment, ends[3], 1, 14),
        Remains {
            synced: 0,
            end: ends[3]
        }
    );
    segment[ends[1]..].fill(0);
    assert_eq!(
        remains(&segment, ends[0], 1, 11),
        Remains {
            synced: 0,
            end: ends[1]
        },
        "a torn record is measured"
    );
}

#[test]
fn records_behind_a_bad_one_are_found_among_leftovers_that_look_like_their_beginnings() {
    // A length of megabytes, then a likely sequence: what small numbers in posts of a former life look like.
    let word = |n: usize| {
        if n.is_multiple_of(2) {
            3 << 20
        } else {
            12 + n as u64 / 8
        }
    };
    let mut segment: Vec<u8> = (0..1 << 19).flat_map(|n| word(n).to_le_bytes()).collect();
    let link = Link {
        seq: 20,
        synced: 19,
        prev_crc: 0,
    };
    let mut record = Vec::new();
    encode_record(&mut record, 1, link, |out| encode_body(out, &changes()));
    let (at, end) = (1 << 20, (1 << 20) + record.len());
    segment[at..end].copy_from_slice(&record);
    let expected = Remains { synced: 19, end };
    assert_eq!(remains(&segment, 0, 1, 11), expected);
}

#[test]
fn what_breaks_a_rule_that_every_record_keeps_is_not_looked_at_as_one() {
    let head = |synced: u64, version: u32| {
        let mut head = [0; RECORD_HEADER];
        head[16..24].copy_from_slice(&synced.to_le_bytes());
        head[28..32].copy_from_slice(&version.to_le_bytes());
        head
    };
    assert!(could_be_record(&head(11, BODY_VERSION), 12) && could_be_record(&head(0, 255), 1));
    assert!(
        !could_be_record(&head(12, BODY_VERSION), 12),
        "a record is not synced before it is written"
    );
    let upper_half_of_a_time = 407;
    assert!(!could_be_record(&head(11, 0), 12) && !could_be_record(&head(11, upper_half_of_a_time), 12));
}
