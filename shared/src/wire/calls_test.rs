//! Golden bytes of calls: what one release sends, the next one reads.

use super::*;
use crate::codec::{decode, encode};
use crate::wire::errors::TransferFault;

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
