//! Proposals are kept in logs: their bytes are fixed.

use super::*;
use crate::codec::{CodecError, decode_versioned, encode_versioned};
use crate::ids::ActionId;
use crate::model::{ActionKind, EdgeKind, EdgeUpdate};

const KEY: PostKey = PostKey {
    author: UserId(1),
    post: PostId(2),
};

/// The parts of `golden` are the command's number, the number of its items if it has some, and the fields of one.
fn check(body: ShardCommand, golden: &[&str]) {
    let proposal = Proposal {
        epoch: ShardEpoch {
            range_ver: 1,
            conf_ver: 2,
        },
        log_time: UnixMillis(3),
        body,
    };
    let bytes = encode_versioned(PROPOSAL_VERSION, &proposal).unwrap();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let head = "0100 0100000000000000 0200000000000000 0300000000000000";
    assert_eq!(hex, format!("{head}{}", golden.concat()).replace(' ', ""));
    let read = |bytes: &[u8]| decode_versioned::<Proposal>(PROPOSAL_VERSION, bytes);
    assert_eq!(read(&bytes).unwrap(), proposal);
    for len in 0..bytes.len() {
        assert!(read(&bytes[..len]).is_err(), "{proposal:?} cut at {len}");
    }
    let newer = read(&[&[2, 0], &bytes[2..]].concat());
    assert!(
        matches!(
            newer,
            Err(CodecError::Version {
                found: 2,
                newest: 1,
                ..
            })
        ),
        "{newer:?}"
    );
    let unknown = [&bytes[..26], &[11, 0, 0, 0], &bytes[30..]].concat();
    assert!(matches!(read(&unknown), Err(CodecError::Decode { .. })));
}

const ONE: &str = "0100000000000000";

#[test]
fn commands_about_posts_have_these_bytes() {
    let version = Version(3);
    let post = Post {
        key: KEY,
        version,
        ..Post::default()
    };
    let golden = [
        "00000000",
        ONE,
        "0100000000000000 0200000000000000 0300000000000000",
        "0000000000000000 0000000000000000 0000 0000000000000000",
        "00 00 00 00 00000000 0000000000000000",
    ];
    check(ShardCommand::PutPosts(vec![post]), &golden);
    let key = "0100000000000000 0200000000000000 0300000000000000";
    check(
        ShardCommand::DeletePosts(vec![PostDelete { key: KEY, version }]),
        &["01000000", ONE, key],
    );
    let labels = LabelUpdate {
        key: KEY,
        version,
        labels: 4,
    };
    check(
        ShardCommand::SetLabels(vec![labels]),
        &["08000000", ONE, key, "04000000"],
    );
    check(
        ShardCommand::TrimBefore(UnixMillis(4)),
        &["06000000", "0400000000000000"],
    );
}

#[test]
fn checks_have_these_bytes() {
    check(ShardCommand::ComputeHash, &["09000000"]);
    let (index, hash) = (LogIndex(4), 5);
    let golden = ["0a000000", "0400000000000000", "0500000000000000"];
    check(ShardCommand::VerifyHash { index, hash }, &golden);
}

#[test]
fn commands_about_users_have_these_bytes() {
    let edge = EdgeUpdate {
        kind: EdgeKind::Mute,
        target: UserId(3),
        on: true,
    };
    let update = UserUpdate {
        user: UserId(1),
        version: Version(2),
        profile: None,
        edges: vec![edge],
        muted_keywords: Some(vec!["a".into()]),
    };
    let golden = [
        "02000000",
        ONE,
        "0100000000000000 0200000000000000",
        "00",
        "0100000000000000 02000000 0300000000000000 01",
        "01 0100000000000000 0100000000000000 61",
    ];
    check(ShardCommand::PutUsers(vec![update]), &golden);
    let action = Action {
        viewer: UserId(1),
        id: ActionId {
            client: 2,
            sequence: 3,
            item: 4,
        },
        kind: ActionKind::Click,
        post: PostKey {
            author: UserId(5),
            post: PostId(6),
        },
        at: UnixMillis(7),
        dwell_ms: 8,
        surface: 9,
        prediction_request_id: 10,
    };
    let golden = [
        "03000000",
        ONE,
        "0100000000000000",
        "0200000000000000 0300000000000000 04000000",
        "04000000",
        "0500000000000000 0600000000000000",
        "0700000000000000 08000000 09 0a00000000000000",
    ];
    check(ShardCommand::RecordActions(vec![action]), &golden);
    let served = Served {
        viewer: UserId(1),
        at: UnixMillis(2),
        posts: vec![PostId(3)],
    };
    let golden = [
        "07000000",
        ONE,
        "0100000000000000 0200000000000000",
        "0100000000000000 0300000000000000",
    ];
    check(ShardCommand::RecordServed(vec![served]), &golden);
}

#[test]
fn commands_about_effects_have_these_bytes() {
    let (source, sequence) = (Slot(1), 2);
    let effect = Effect::CountFollower {
        user: UserId(3),
        delta: -1,
    };
    let item = OutboxItem {
        source,
        sequence,
        effect,
    };
    let golden = [
        "04000000",
        ONE,
        "0100 0200000000000000",
        "01000000 0300000000000000 ffffffff",
    ];
    check(ShardCommand::ApplyEffects(vec![item]), &golden);
    let mark = OutboxMark { source, sequence };
    check(
        ShardCommand::TrimOutbox(vec![mark]),
        &["05000000", ONE, "0100 0200000000000000"],
    );
}
