//! Proposals are kept in logs: their bytes are fixed.

use super::*;
use crate::codec::CodecError;
use crate::ids::ActionId;
use crate::model::{ActionKind, EdgeKind, EdgeUpdate, F16Vector, Language, Topics};

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
    let bytes = proposal.encode().unwrap();
    assert_eq!(bytes, hex(2, golden));
    assert_eq!(Proposal::decode(&bytes).unwrap(), proposal);
    let old = hex(1, golden);
    // A put of version 1 has posts of its own.
    if !matches!(proposal.body, ShardCommand::PutPosts(_)) {
        assert_eq!(Proposal::decode(&old).unwrap(), proposal);
    }
    refuses_others(&bytes);
}

/// The proposal of [`check`] as it lies in a log.
fn hex(version: u8, golden: &[&str]) -> Vec<u8> {
    let head = format!("{version:02x}00 0100000000000000 0200000000000000 0300000000000000");
    let hex = format!("{head}{}", golden.concat()).replace(' ', "");
    let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(byte).collect()
}

/// What is shorter, newer or unknown.
fn refuses_others(sound: &[u8]) {
    for len in 0..sound.len() {
        assert!(Proposal::decode(&sound[..len]).is_err(), "{sound:?} cut at {len}");
    }
    let longer = Proposal::decode(&[sound, &[0]].concat());
    assert!(
        matches!(longer, Err(CodecError::Trailing { extra: 1, .. })),
        "{longer:?}"
    );
    let newer = Proposal::decode(&[&[3, 0], &sound[2..]].concat());
    assert!(
        matches!(
            newer,
            Err(CodecError::Version {
                found: 3,
                newest: 2,
                ..
            })
        ),
        "{newer:?}"
    );
    let unknown = [&sound[..26], &[11, 0, 0, 0], &sound[30..]].concat();
    assert!(matches!(Proposal::decode(&unknown), Err(CodecError::Decode { .. })));
}

const ONE: &str = "0100000000000000";

#[test]
fn commands_about_posts_have_these_bytes() {
    let version = Version(3);
    let post = Post {
        key: KEY,
        version,
        subscribers_only: true,
        topics: Topics::of(&[7, 5]).unwrap(),
        ..Post::default()
    };
    let golden = [
        "00000000",
        ONE,
        "0100000000000000 0200000000000000 0300000000000000",
        "0000000000000000 0000000000000000 0000 0000000000000000",
        "00 00 00 00 00000000 0000000000000000",
        "01 05000000 07000000 00000000 00000000",
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
fn posts_of_version_1_are_read() {
    let golden = [
        "00000000",
        ONE,
        "0100000000000000 0200000000000000 0300000000000000",
        "0400000000000000 0200000000000000 6869 656e 0000000000000000",
        "01 0500000000000000 00 00 00 06000000 0200000000000000 003c",
    ];
    let post = Post {
        key: KEY,
        version: Version(3),
        created_at: UnixMillis(4),
        text: "hi".into(),
        language: Language(*b"en"),
        conversation: Some(PostId(5)),
        labels: 6,
        vector: F16Vector(vec![0x00, 0x3c]),
        ..Post::default()
    };
    let bytes = hex(1, &golden);
    let proposal = Proposal::decode(&bytes).unwrap();
    assert_eq!(proposal.body, ShardCommand::PutPosts(vec![post]));
    assert_eq!((proposal.epoch.conf_ver, proposal.log_time), (2, UnixMillis(3)));
    refuses_others(&bytes);
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
