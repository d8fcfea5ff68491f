//! Keys have fixed bytes, and their order is that of what they name.

use covey_shared::ids::PostId;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use super::*;

const KEYS: Keys = Keys {
    generation: Generation(0x0102_0304),
    shard: ShardId(7),
};
/// In slot 3055 = 0x0bef.
const USER: UserId = UserId(1);
const POST: PostKey = PostKey {
    author: USER,
    post: PostId(0x0a0b),
};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// One key of each kind, in the order in which they lie.
fn golden() -> Vec<(Vec<u8>, &'static str)> {
    let id = ActionId {
        client: 8,
        sequence: 9,
        item: 10,
    };
    vec![
        (
            KEYS.of_post(Kind::PostState, POST),
            "01020304 0bef 01 0000000000000001 0000000000000a0b",
        ),
        (
            KEYS.of_post(Kind::Post, POST),
            "01020304 0bef 02 0000000000000001 0000000000000a0b",
        ),
        (KEYS.of_user(Kind::User, USER), "01020304 0bef 03 0000000000000001"),
        (
            KEYS.of_post(Kind::PendingRow, POST),
            "01020304 0bef 04 0000000000000001 0000000000000a0b",
        ),
        (KEYS.outbox(Slot(0x0bef), 3), "01020304 0bef 05 0000000000000003"),
        (KEYS.of_slot(Slot(0x0bef), Kind::OutboxNext), "01020304 0bef 06"),
        (KEYS.of_user(Kind::Profile, USER), "01020304 0bef 10 0000000000000001"),
        (
            KEYS.edge(USER, EdgeKind::Mute, UserId(2)),
            "01020304 0bef 11 0000000000000001 02 0000000000000002",
        ),
        (KEYS.of_user(Kind::Keywords, USER), "01020304 0bef 12 0000000000000001"),
        (
            KEYS.of_user_number(Kind::Action, USER, 4),
            "01020304 0bef 13 0000000000000001 0000000000000004",
        ),
        (
            KEYS.action_id(6, USER, id),
            "01020304 0bef 14 00000006 0000000000000001 0000000000000008 0000000000000009 0000000a",
        ),
        (
            KEYS.of_user_number(Kind::Bloom, USER, 1),
            "01020304 0bef 15 0000000000000001 0000000000000001",
        ),
        (
            KEYS.of_user_number(Kind::Served, USER, 5),
            "01020304 0bef 16 0000000000000001 0000000000000005",
        ),
        (KEYS.applied(), "01020304 ffff 00 0000000000000007"),
        (KEYS.outbox_seen(Slot(0x0102)), "01020304 ffff 01 0000000000000007 0102"),
    ]
}

#[test]
fn a_key_of_every_kind_has_these_bytes_and_lies_behind_the_one_before() {
    let golden = golden();
    for (key, bytes) in &golden {
        assert_eq!(hex(key), bytes.replace(' ', ""));
    }
    assert!(golden.is_sorted_by(|a, b| a.0 < b.0));
    let kinds = [
        EdgeKind::Follow,
        EdgeKind::Block,
        EdgeKind::Mute,
        EdgeKind::Subscribe,
        EdgeKind::Topic,
    ];
    assert_eq!(kinds.map(edge_index), [0, 1, 2, 3, 4]);
}

#[test]
fn the_record_of_the_current_incarnation_lies_in_front_of_all_generations() {
    assert_eq!(hex(&Keys::incarnation(ShardId(7))), "00000000ffff020000000000000007");
}

#[test]
fn only_keys_of_a_shard_and_its_slots_are_its_own() {
    let own = SlotRange { start: 3055, end: 3056 };
    let is_own = |key: &[u8]| is_of_shard(&key[GENERATION..], ShardId(7), own);
    let golden = golden();
    assert!(golden.iter().all(|(key, _)| is_own(key)));
    let other = SlotRange { start: 3056, end: 3057 };
    for (key, _) in &golden[..13] {
        assert!(!is_of_shard(&key[GENERATION..], ShardId(7), other), "{key:02x?}");
    }
    for (key, _) in &golden[13..] {
        assert!(!is_of_shard(&key[GENERATION..], ShardId(8), own), "{key:02x?}");
        assert!(
            !is_own(&[key.as_slice(), b"x"].concat()) && !is_own(&key[..key.len() - 1]),
            "{key:02x?}"
        );
    }
    assert!(!is_own(&Keys::incarnation(ShardId(7))));
    assert!(!is_own(&KEYS.raw(3055, 7)), "a kind of a newer release");
    assert!((0..3).all(|len| !is_of_shard(&[0x0b, 0xef, 1][..len], ShardId(7), own)));
}

#[test]
fn every_kind_has_a_name_and_its_parts_are_read_back() {
    for (key, bytes) in golden() {
        assert_ne!(kind_name(&key), "unknown", "{bytes}");
    }
    let post = KEYS.of_post(Kind::Post, POST);
    assert_eq!((slot_of(&post), kind_of(&post)), (Some(0x0bef), Some(2)));
    assert_eq!((number(&post, 0), number(&post, 8)), (1, 0x0a0b));
    for len in 0..PREFIX {
        assert_eq!(
            (kind_of(&post[..len]), number(&post[..len], 0)),
            (None, 0),
            "{len} bytes"
        );
    }
}

#[test]
fn keys_lie_by_generation_slot_kind_and_id() {
    let mut random = SmallRng::seed_from_u64(1);
    let mut keys = Vec::new();
    for _ in 0..2000 {
        // Small numbers next to large ones: that is where a wrong byte order would show.
        let shift = random.random_range(0..64);
        let (generation, user, number) = (
            random.random::<u32>() >> (shift % 32),
            UserId(random.random::<u64>() >> shift),
            random.random::<u64>() >> (63 - shift),
        );
        let keys_of = Keys {
            generation: Generation(generation),
            ..KEYS
        };
        let kind = [Kind::PostState, Kind::Post, Kind::Action, Kind::Served][shift % 4];
        let name = (generation, Slot::of(user), kind, user, number);
        keys.push((name, keys_of.of_user_number(kind, user, number)));
    }
    keys.sort_unstable();
    assert!(keys.is_sorted_by(|a, b| a.1 <= b.1));
}

#[test]
fn ranges_hold_their_keys_and_no_others() {
    let (start, end) = KEYS.slots(SlotRange {
        start: 0x0bef,
        end: 0x0bf0,
    });
    for (key, bytes) in golden() {
        let shard_record = slot_of(&key) == Some(SHARD_SLOT);
        assert_eq!((&start..&end).contains(&&key), !shard_record, "{bytes}");
    }
    let last = KEYS.slots(SlotRange::ALL).1;
    assert!(last < KEYS.applied(), "records of the shard lie behind all slots");
    let edges = KEYS.of_user(Kind::Edge, USER);
    let inside = KEYS.edge(USER, EdgeKind::Topic, UserId(u64::MAX));
    let outside = KEYS.of_user(Kind::Keywords, USER);
    assert!(edges < inside && inside < prefix_end(&edges) && prefix_end(&edges) <= outside);
    assert_eq!(prefix_end(&[1, 0xff, 0xff]), [2]);
}
