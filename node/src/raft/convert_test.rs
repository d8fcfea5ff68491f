//! Messages survive the wire unchanged.

use super::*;

fn made(index: u64, kind: EntryKind) -> Entry {
    entry(LogEntry {
        index,
        term: 3,
        kind,
        data: vec![9].into(),
    })
}

#[test]
fn a_message_survives_the_wire() {
    for (kind, _) in KINDS {
        let mut message = Message::default();
        message.set_msg_type(kind);
        (message.from, message.to, message.term, message.log_term) = (1, 2, 3, 4);
        (message.index, message.commit, message.commit_term) = (5, 6, 7);
        (message.reject, message.reject_hint, message.priority) = (true, 8, 9);
        message.set_context(vec![1, 2].into());
        message.set_entries(vec![made(6, EntryKind::ConfChange), made(7, EntryKind::Normal)].into());
        let envelope = Envelope {
            shard: ShardId(1),
            epoch: ShardEpoch::default(),
            leader_commit: 6,
            all_matched: 5,
        };
        let wire = to_wire(message.clone(), envelope).expect("this kind travels");
        assert_eq!((wire.leader_commit, wire.all_matched), (6, LogIndex(5)));
        assert_eq!(from_wire(wire), message);
    }
}

#[test]
fn a_forwarded_proposal_never_travels() {
    let mut message = Message::default();
    message.set_msg_type(Type::MsgPropose);
    let envelope = Envelope {
        shard: ShardId(1),
        epoch: ShardEpoch::default(),
        leader_commit: 0,
        all_matched: 0,
    };
    assert!(to_wire(message, envelope).is_none());
}
