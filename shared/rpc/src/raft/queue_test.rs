//! Order and bounds of the queue.

use covey_shared::codec;
use covey_shared::wire::WireEntry;

use super::*;
use crate::testing::raft_message;

#[test]
fn the_size_is_known_without_encoding() {
    let mut message = raft_message(1, 0);
    let check = |message: &RaftMessage| assert_eq!(encoded_size(message), codec::encode(message).unwrap().len());
    check(&message);
    message.context = vec![1, 2, 3];
    message.sent.confirmed_us = Some(4);
    message.entries = vec![
        WireEntry {
            term: 1,
            index: 2,
            kind: 0,
            data: vec![7; 100],
        };
        3
    ];
    check(&message);
    let size = encoded_size(&message);
    let frame = RaftFrame {
        messages: vec![message; 2],
    };
    assert_eq!(codec::encode(&frame).unwrap().len(), FRAME_BASE + 2 * size);
}

fn push(queue: &mut RaftQueue, message: RaftMessage) -> bool {
    let size = encoded_size(&message);
    queue.push(message, size)
}

#[test]
fn a_full_queue_refuses_the_newest_append_and_still_takes_heartbeats() {
    let mut queue = RaftQueue::new(8000);
    let mut taken = 0;
    while push(&mut queue, raft_message(taken, 500)) {
        taken += 1;
    }
    assert!(queue.bytes() <= 8000 && queue.bytes() > 7000);
    let mut heartbeat = raft_message(100, 0);
    heartbeat.kind = RaftMessageKind::Heartbeat;
    assert!(push(&mut queue, heartbeat.clone()));
    while push(&mut queue, heartbeat.clone()) {}
    assert!(queue.bytes() <= 9000);
    // The oldest are all still there, in order.
    let frame = queue.next_frame(usize::MAX).unwrap();
    let indexes: Vec<u64> = frame
        .messages
        .iter()
        .take(taken as usize)
        .map(|message| message.index)
        .collect();
    assert_eq!(indexes, (0..taken).collect::<Vec<u64>>());
    assert_eq!((queue.bytes(), queue.len()), (0, 0));
}

#[test]
fn frames_keep_the_order_and_the_limit_but_hold_at_least_one_message() {
    let mut queue = RaftQueue::new(1 << 20);
    for index in 0..10 {
        assert!(push(&mut queue, raft_message(index, 1000)));
    }
    let mut seen = Vec::new();
    while let Some(frame) = queue.next_frame(3000) {
        assert!(codec::encode(&frame).unwrap().len() <= 3000);
        seen.extend(frame.messages.iter().map(|message| message.index));
    }
    assert_eq!(seen, (0..10).collect::<Vec<u64>>());
    assert!(push(&mut queue, raft_message(10, 5000)));
    assert_eq!(queue.next_frame(3000).unwrap().messages.len(), 1);
    assert!(push(&mut queue, raft_message(11, 0)));
    assert_eq!(queue.clear(), 1);
    assert!(queue.next_frame(3000).is_none());
}
