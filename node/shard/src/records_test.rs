//! Records have fixed bytes; shorter, longer and newer ones are refused.

use std::fmt::Debug;

use covey_shared::codec::CodecError;
use covey_shared::command::Effect;
use covey_shared::ids::{PostId, PostKey, UserId};
use covey_shared::model::{ActionKind, Language, Media, MediaKind, Post, PostRef, RefHint, Topics};
use covey_shared::wire::ViewerAction;

use super::*;

const KEY: PostKey = PostKey {
    author: UserId(1),
    post: PostId(2),
};

/// The parts of `golden` stand for the fields.
fn check<T: Record + PartialEq + Debug>(value: T, golden: &[&str]) {
    let bytes = value.to_bytes().unwrap();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, format!("0100{}", golden.concat().replace(' ', "")));
    let read = |bytes: &[u8]| T::read(bytes);
    assert_eq!(read(&bytes).unwrap(), value);
    for len in 0..bytes.len() {
        assert!(read(&bytes[..len]).is_err(), "{value:?} cut at {len}");
    }
    let longer = [&bytes[..], &[0]].concat();
    assert!(matches!(read(&longer), Err(CodecError::Trailing { extra: 1, .. })));
    let newer = [&[2, 0], &bytes[2..]].concat();
    let refused = read(&newer);
    assert!(
        matches!(
            refused,
            Err(CodecError::Version {
                found: 2,
                newest: 1,
                ..
            })
        ),
        "{refused:?}"
    );
}

#[test]
fn states_of_posts_have_these_bytes_and_those_of_earlier_versions_are_read() {
    let counters = Counters {
        by_kind: std::array::from_fn(|kind| kind as u32),
    };
    let counted: String = (0..20).map(|kind| format!("{kind:02x}000000")).collect();
    let state = PostState {
        version: Some(Version(3)),
        created_at: UnixMillis(0x0102),
        deleted: None,
        labels: Some((Version(5), 6)),
        touched: UnixMillis(7),
        counters,
        heats: Heats {
            engagement: Heat {
                mass: 1.5,
                at: UnixMillis(8),
            },
            talk: Heat::default(),
        },
        country: [0; 2],
    };
    let golden = [
        "01 0300000000000000",
        "0201000000000000",
        "00",
        "01 0500000000000000 06000000",
        "0700000000000000",
        &counted,
        "000000000000f83f 0800000000000000",
    ];
    let new = PostState {
        heats: Heats {
            talk: Heat {
                mass: 2.0,
                at: UnixMillis(9),
            },
            ..state.heats
        },
        country: *b"AT",
        ..state.clone()
    };
    let bytes = new.to_bytes().unwrap();
    let talk = "0000000000000040 0900000000000000";
    assert_eq!(bytes, hex(format!("0300{}{talk}4154", golden.concat())));
    assert_eq!(PostState::read(&bytes).unwrap(), new);
    let old = hex(format!("0100{}", golden.concat()));
    assert_eq!(PostState::read(&old).unwrap(), state);
    let of_version_2 = hex(format!("0200{}{talk}", golden.concat()));
    let nowhere = PostState { country: [0; 2], ..new };
    assert_eq!(PostState::read(&of_version_2).unwrap(), nowhere);
    for sound in [bytes, of_version_2, old] {
        for len in 0..sound.len() {
            assert!(PostState::read(&sound[..len]).is_err(), "cut at {len}");
        }
        let longer = PostState::read(&[&sound[..], &[0]].concat());
        assert!(matches!(longer, Err(CodecError::Trailing { extra: 1, .. })));
        let newer = PostState::read(&[&[4, 0], &sound[2..]].concat());
        assert!(matches!(newer, Err(CodecError::Version { found: 4, .. })), "{newer:?}");
    }
}

/// Fields of a post that both versions have.
const POST: [&str; 12] = [
    "0100000000000000 0200000000000000",
    "0300000000000000",
    "0400000000000000",
    "0200000000000000 6869",
    "656e",
    "0100000000000000 01000000 0100000000000000 75 e8030000",
    "01 0500000000000000",
    "01 0600000000000000 0700000000000000 01 01 0800000000000000 00 01",
    "00",
    "00",
    "05000000",
    "0000000000000000",
];

fn hex(golden: String) -> Vec<u8> {
    let hex = golden.replace(' ', "");
    let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(byte).collect()
}

/// As an earlier release wrote it.
pub(crate) fn old_post() -> Vec<u8> {
    hex(format!("0100{}", POST.concat()))
}

#[test]
fn posts_have_these_bytes_and_those_of_version_1_are_read() {
    let new = Post {
        subscribers_only: true,
        topics: Topics::of(&[9, 4]).unwrap(),
        ..post()
    };
    let bytes = new.to_bytes().unwrap();
    let golden = format!("0200{} 01 04000000 09000000 00000000 00000000", POST.concat());
    assert_eq!(bytes, hex(golden));
    assert_eq!(Post::read(&bytes).unwrap(), new);
    let old = old_post();
    assert_eq!(Post::read(&old).unwrap(), post());
    assert_eq!((version_of(&old), version_of(&bytes)), (Some(1), Some(2)));
    for sound in [bytes, old] {
        for len in 0..sound.len() {
            assert!(Post::read(&sound[..len]).is_err(), "cut at {len}");
        }
        let longer = Post::read(&[&sound[..], &[0]].concat());
        assert!(matches!(longer, Err(CodecError::Trailing { extra: 1, .. })));
        let newer = Post::read(&[&[3, 0], &sound[2..]].concat());
        let refused = matches!(
            newer,
            Err(CodecError::Version {
                found: 3,
                newest: 2,
                ..
            })
        );
        assert!(refused, "{newer:?}");
    }
}

/// A reply with a video, as it is kept: without its vector.
pub(crate) fn post() -> Post {
    let parent = PostRef {
        key: PostKey {
            author: UserId(6),
            post: PostId(7),
        },
        hint: RefHint {
            known: true,
            in_reply_to: Some(PostId(8)),
            is_repost: false,
            has_video: true,
        },
    };
    let video = Media {
        kind: MediaKind::Video,
        url: "u".into(),
        duration_ms: 1000,
    };
    Post {
        key: KEY,
        version: Version(3),
        created_at: UnixMillis(4),
        text: "hi".into(),
        language: Language(*b"en"),
        media: vec![video],
        conversation: Some(PostId(5)),
        reply_to: Some(parent),
        labels: 5,
        ..Post::default()
    }
}

#[test]
fn a_pending_row_has_these_bytes() {
    let row = PendingRow {
        model_epoch: ModelEpoch(2),
        version: Version(3),
        tag: 4,
        vector: F16Vector(vec![0x00, 0x3c]),
    };
    let golden = [
        "02000000",
        "0300000000000000",
        "0400000000000000",
        "0200000000000000 003c",
    ];
    check(row, &golden);
}

#[test]
fn the_numbers_of_a_user_have_these_bytes_and_those_of_version_1_are_read() {
    let old = UserState {
        known: true,
        followers: -2,
        edges: [1, 2, 3, 4, 0],
        next_action: 5,
        served: 6,
    };
    let new = UserState {
        edges: [1, 2, 3, 4, 7],
        ..old.clone()
    };
    let (head, edges) = ("01 feffffffffffffff", "01000000 02000000 03000000 04000000");
    let tail = "0500000000000000 06000000";
    let bytes = new.to_bytes().unwrap();
    assert_eq!(bytes, hex(format!("0200{head}{edges}07000000{tail}")));
    assert_eq!(UserState::read(&bytes).unwrap(), new);
    let of_version_1 = hex(format!("0100{head}{edges}{tail}"));
    assert_eq!(UserState::read(&of_version_1).unwrap(), old);
    for sound in [bytes, of_version_1] {
        for len in 0..sound.len() {
            assert!(UserState::read(&sound[..len]).is_err(), "cut at {len}");
        }
        let newer = UserState::read(&[&[3, 0], &sound[2..]].concat());
        assert!(matches!(newer, Err(CodecError::Version { found: 3, .. })), "{newer:?}");
    }
}

#[test]
fn records_of_a_user_have_these_bytes() {
    let profile = Profile {
        screen_name: "ab".into(),
        language: Language(*b"en"),
        country: *b"AT",
        created_at: UnixMillis(9),
    };
    let version = Version(3);
    let golden = [
        "0300000000000000",
        "0200000000000000 6162",
        "656e",
        "4154",
        "0900000000000000",
    ];
    check(StoredProfile { version, profile }, &golden);
    check(StoredEdge { version, on: true }, &["0300000000000000", "01"]);
    let keywords = vec!["ab".into(), "c".into()];
    let golden = [
        "0300000000000000",
        "0200000000000000",
        "0200000000000000 6162",
        "0100000000000000 63",
    ];
    check(StoredKeywords { version, keywords }, &golden);
}

#[test]
fn records_of_a_viewer_have_these_bytes() {
    let action = ViewerAction {
        kind: ActionKind::Quote,
        post: KEY,
        at: UnixMillis(3),
        dwell_ms: 4,
        surface: 1,
    };
    let golden = [
        "0b000000",
        "0100000000000000 0200000000000000",
        "0300000000000000",
        "04000000",
        "01",
    ];
    check(action, &golden);
    check((), &[]);
    let bloom = BloomGeneration {
        number: 1,
        inserted: 2,
        bits: vec![3, 1 << 63],
    };
    let golden = [
        "0100000000000000",
        "02000000",
        "0200000000000000 0300000000000000 0000000000000080",
    ];
    check(bloom, &golden);
    let served = vec![PostId(1), PostId(2)];
    check(served, &["0200000000000000", "0100000000000000 0200000000000000"]);
}

#[test]
fn records_of_the_outbox_have_these_bytes() {
    let counted = Effect::CountAction {
        key: KEY,
        kind: 3,
        at: UnixMillis(4),
    };
    let golden = [
        "00000000",
        "0100000000000000 0200000000000000",
        "03",
        "0400000000000000",
    ];
    check(counted, &golden);
    let followed = Effect::CountFollower {
        user: UserId(5),
        delta: -1,
    };
    check(followed, &["01000000", "0500000000000000", "ffffffff"]);
    check(9u64, &["0900000000000000"]);
}
