//! The envelope byte by byte.

use super::*;

fn encoded(frame: Frame) -> BytesMut {
    let mut out = BytesMut::new();
    FrameCodec::new(1024).encode(frame, &mut out).unwrap();
    out
}

fn frames() -> Vec<(Frame, &'static [u8])> {
    let answer = |answer| Frame::Answer { id: 7, answer };
    let payload = Payload {
        deadline_ms: 250,
        bytes: Bytes::from_static(b"ask"),
    };
    vec![
        (
            Frame::Request { id: 7, payload },
            b"\x10\0\0\0\x01\x07\0\0\0\0\0\0\0\xfa\0\0\0ask",
        ),
        (Frame::Cancel { id: 7 }, b"\x09\0\0\0\x02\x07\0\0\0\0\0\0\0"),
        (
            answer(Answer::Reply(Bytes::from_static(b"yes"))),
            b"\x0c\0\0\0\x03\x07\0\0\0\0\0\0\0yes",
        ),
        (answer(Answer::Busy), b"\x09\0\0\0\x04\x07\0\0\0\0\0\0\0"),
        (
            answer(Answer::TooLarge { bytes: 258 }),
            b"\x11\0\0\0\x05\x07\0\0\0\0\0\0\0\x02\x01\0\0\0\0\0\0",
        ),
    ]
}

#[test]
fn golden_bytes_of_every_frame() {
    for (frame, golden) in frames() {
        let mut bytes = encoded(frame.clone());
        assert_eq!(&bytes[..], golden, "{frame:?}");
        assert_eq!(FrameCodec::new(1024).decode(&mut bytes).unwrap(), Some(frame));
        assert!(bytes.is_empty());
    }
}

#[test]
fn every_cut_of_a_frame_waits_or_fails_and_never_panics() {
    for (_, golden) in frames() {
        for cut in 0..golden.len() {
            assert_eq!(
                FrameCodec::new(1024)
                    .decode(&mut BytesMut::from(&golden[..cut]))
                    .unwrap(),
                None
            );
            // The same frame announcing fewer bytes than it needs.
            if (4..golden.len()).contains(&cut) {
                let mut short = BytesMut::from(&golden[..cut]);
                short[..4].copy_from_slice(&u32::try_from(cut - 4).unwrap().to_le_bytes());
                _ = FrameCodec::new(1024).decode(&mut short);
            }
        }
    }
}

#[test]
fn an_absurd_length_is_refused_before_anything_is_allocated() {
    let mut bytes = BytesMut::from(&b"\xff\xff\xff\xff\x01"[..]);
    let error = FrameCodec::new(1024).decode(&mut bytes).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    assert!(bytes.capacity() < 1024);
}

#[test]
fn a_message_above_the_limit_is_not_sent_and_leaves_no_trace() {
    let mut out = BytesMut::from(&b"before"[..]);
    let answer = Answer::Reply(Bytes::from(vec![0; 2000]));
    assert!(
        FrameCodec::new(1024)
            .encode(Frame::Answer { id: 1, answer }, &mut out)
            .is_err()
    );
    assert_eq!(&out[..], b"before");
}

#[test]
fn frames_of_the_wrong_direction_are_refused() {
    let env = covey_env::Env::production(1).unwrap();
    let mut server = ServerCodec::new(1024, env.clock.clone());
    let answer = Answer::Busy;
    assert!(server.decode(&mut encoded(Frame::Answer { id: 1, answer })).is_err());
    assert!(
        ClientCodec::new(1024)
            .decode(&mut encoded(Frame::Cancel { id: 1 }))
            .is_err()
    );
}

#[test]
fn the_longest_deadline_that_fits_the_frame_is_cut_and_accepted() {
    let env = covey_env::Env::production(1).unwrap();
    let mut server = ServerCodec::new(1024, env.clock.clone());
    let payload = Payload {
        deadline_ms: u32::MAX,
        bytes: Bytes::new(),
    };
    assert!(
        server
            .decode(&mut encoded(Frame::Request { id: 1, payload }))
            .unwrap()
            .is_some()
    );
}
