//! Golden bytes of what a node says of its memory, its start and its disk.

use super::*;
use crate::codec::{decode, encode};

#[test]
fn memory_and_start_have_their_bytes() {
    let memory = MemoryStatus {
        anonymous_bytes: 1,
        file_bytes: 2,
        budget_bytes: 3,
        parts: vec![
            MemoryPart {
                shard: Some(ShardId(7)),
                part: "ids".into(),
                heap_bytes: 4,
                mapped_bytes: 5,
            },
            MemoryPart {
                shard: None,
                part: "x".into(),
                heap_bytes: 6,
                mapped_bytes: 0,
            },
        ],
    };
    let parts = [
        "0100000000000000 0200000000000000 0300000000000000 0200000000000000",
        "01 0700000000000000 0300000000000000 696473 0400000000000000 0500000000000000",
        "00 0100000000000000 78 0600000000000000 0000000000000000",
    ];
    check(&memory, &parts.concat());
    let phase = StartPhase {
        phase: "log".into(),
        us: 8,
        items: 9,
    };
    check(&phase, "0300000000000000 6c6f67 0800000000000000 0900000000000000");
}

#[test]
fn builds_have_their_bytes() {
    let builds = BuildsStatus {
        pause_left_ms: 1,
        waiting_indexes: 2,
        waiting_merges: 3,
    };
    check(&builds, "0100000000000000 02000000 03000000");
}

#[test]
fn the_speed_of_a_disk_has_its_bytes() {
    let speed = DiskSpeed {
        slow: true,
        recent_stalls: 1,
        longest_recent_ms: 2,
        going_on_ms: 3,
        stalls: 4,
        longest_ms: 5,
        last_stall_ms: Some(6),
        mean_us: 7,
    };
    let parts = [
        "01 01000000 0200000000000000 0300000000000000 0400000000000000 0500000000000000",
        "01 0600000000000000 0700000000000000",
    ];
    check(&speed, &parts.concat());
    check(&DiskSpeed::default(), &"00".repeat(46));
}

fn check<T: Encode + Decode<()> + PartialEq + std::fmt::Debug>(value: &T, golden: &str) {
    let bytes = encode(value).unwrap();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, golden.replace(' ', ""));
    assert_eq!(decode::<T>(&bytes).unwrap(), *value);
}
