//! The handshake byte by byte.

use super::*;

const HELLO: Hello = Hello {
    cluster: ClusterId(0x0102_0304_0506_0708),
    class: Class::Write,
    sender: NodeId(3),
    receiver: NodeId(258),
};

/// Frozen: an older release in the same cluster reads exactly these.
const HELLO_BYTES: [u8; HELLO_LEN] =
    *b"COVEY\0\x06\0\x08\x07\x06\x05\x04\x03\x02\x01\x02\x03\0\0\0\0\0\0\0\x02\x01\0\0\0\0\0\0";

#[test]
fn golden_bytes_of_the_hello() {
    assert_eq!(HELLO.to_bytes(), HELLO_BYTES);
}

#[test]
fn golden_bytes_of_every_answer() {
    let answers: [(Result<NodeId, Refusal>, u8, u8); 8] = [
        (Ok(NodeId(9)), 0, 9),
        (Err(Refusal::Malformed), 1, 0),
        (Err(Refusal::Version { newest: 2 }), 2, 2),
        (Err(Refusal::WrongCluster), 3, 0),
        (Err(Refusal::WrongNode { actual: NodeId(7) }), 4, 7),
        (Err(Refusal::NotServed), 5, 0),
        (Err(Refusal::ShuttingDown), 6, 0),
        (Err(Refusal::TooOld { oldest: 3 }), 7, 3),
    ];
    for (answer, code, detail) in answers {
        let golden = [*b"COVEY\0\x06\0", [code, detail, 0, 0, 0, 0, 0, 0]].concat();
        let bytes = answer_bytes(answer);
        assert_eq!(bytes[..16], golden[..], "{answer:?}");
        assert_eq!(parse_answer(&bytes).unwrap(), answer);
    }
}

#[test]
fn an_unknown_reason_is_kept_as_its_number() {
    let bytes = answer_bytes(Err(Refusal::Unknown { code: 200 }));
    assert_eq!(parse_answer(&bytes).unwrap(), Err(Refusal::Unknown { code: 200 }));
}

#[tokio::test]
async fn hello_survives_the_round_trip_for_every_class() {
    for class in [Class::Raft, Class::Query, Class::Write, Class::Bulk, Class::Admin] {
        let hello = Hello { class, ..HELLO };
        assert_eq!(read_hello(&mut &hello.to_bytes()[..]).await.unwrap(), hello);
    }
}

#[tokio::test]
async fn a_newer_version_is_refused_by_its_first_eight_bytes() {
    let mut newer = HELLO_BYTES;
    newer[6] = 7;
    let error = read_hello(&mut &newer[..PREFIX_LEN]).await.unwrap_err();
    assert!(
        matches!(error, HandshakeError::Refused(Refusal::Version { newest: 6 })),
        "{error}"
    );
}

#[tokio::test]
async fn so_is_one_that_is_too_old() {
    let mut older = HELLO_BYTES;
    older[6] = 5;
    let error = read_hello(&mut &older[..PREFIX_LEN]).await.unwrap_err();
    assert!(
        matches!(error, HandshakeError::Refused(Refusal::TooOld { oldest: 6 })),
        "{error}"
    );
}

#[tokio::test]
async fn bad_hellos_are_typed_errors() {
    let mut unknown_class = HELLO_BYTES;
    unknown_class[16] = 99;
    let error = read_hello(&mut &unknown_class[..]).await.unwrap_err();
    assert!(matches!(error, HandshakeError::Refused(Refusal::NotServed)), "{error}");
    let mut version_zero = HELLO_BYTES;
    version_zero[6] = 0;
    let error = read_hello(&mut &version_zero[..]).await.unwrap_err();
    assert!(matches!(error, HandshakeError::Refused(Refusal::Malformed)), "{error}");
    let error = read_hello(&mut &b"GET / HTTP/1.1\r\n"[..]).await.unwrap_err();
    assert!(matches!(error, HandshakeError::NotCovey), "{error}");
    for cut in 0..HELLO_LEN {
        let error = read_hello(&mut &HELLO_BYTES[..cut]).await.unwrap_err();
        assert!(matches!(error, HandshakeError::Io(_)), "{cut}: {error}");
    }
}
