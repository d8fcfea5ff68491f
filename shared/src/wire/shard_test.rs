//! Golden bytes of a shard's part of a reply.

use super::*;
use crate::codec::{decode, encode};
use crate::slots::Slot;

#[test]
fn golden_bytes_of_a_reply() {
    let reply = ShardReply {
        about: About {
            shard: ShardId(7),
            epoch: ShardEpoch {
                range_ver: 2,
                conf_ver: 3,
            },
            slots: SlotRange { start: 4, end: 0x0105 },
            applied: LogIndex(6),
            staleness_ms: 8,
            partial: true,
            visited: 9,
            queue_us: 10,
            work_us: 11,
        },
        result: Ok(Slot(12)),
        damaged: 13,
    };
    let golden = [
        "0700000000000000",
        "0200000000000000 0300000000000000",
        "0400 0501",
        "0600000000000000",
        "08000000",
        "01",
        "0900000000000000",
        "0a000000 0b000000",
        "00000000 0c00",
        "0d000000",
    ];
    let bytes = encode(&reply).unwrap();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, golden.concat().replace(' ', ""));
    assert_eq!(decode::<ShardReply<Slot>>(&bytes).unwrap(), reply);
}
