//! Parts cover the slots, and hold what the records say.

use covey_shared::command::ShardCommand;
use covey_shared::ids::{UnixMillis, UserId, Version};
use covey_shared::model::{ActionKind, EdgeKind, EdgeUpdate, Post, Profile, Topics, UserUpdate};
use covey_shared::wire::{Candidate, CandidateFlags, CandidatesQuery};

use super::*;
use crate::fixture::*;
use crate::heat::Heat;

#[test]
fn the_parts_cover_all_slots_once_in_order() {
    for (start, end) in [(0, 16_384), (5, 6), (5, 5), (100, 333), (16_000, 16_384)] {
        let parts = parts(SlotRange { start, end });
        let mut at = start;
        for part in &parts {
            assert!(part.start == at && part.end > at, "{part:?} follows {at}");
            at = part.end;
        }
        assert_eq!(at, end, "{start}..{end}");
    }
}

#[test]
fn a_body_belongs_to_its_own_state_and_one_without_is_passed_over() {
    let mut replica = Replica::new();
    for number in 1..=5 {
        replica.put(post(1, number, 1));
    }
    let db = replica.view().db.clone();
    for number in [2, 4] {
        let state = db.keys.of_post(Kind::PostState, key(1, number));
        db.commit(std::iter::once((state, None))).unwrap();
    }
    let body = db.keys.of_post(Kind::Post, key(1, 3));
    db.commit(std::iter::once((body, None))).unwrap();
    let slot = Slot::of(UserId(1)).0;
    let slots = SlotRange {
        start: slot,
        end: slot + 1,
    };
    let part = Part::read(&db, slots).unwrap();
    let posts: Vec<PostKey> = part.posts.iter().map(|post| post.key).collect();
    assert_eq!(posts, [key(1, 1), key(1, 5)]);
    assert_eq!(part.expiry.len(), 3);
}

fn state_of(db: &Db) -> PostState {
    db.read(&db.keys.of_post(Kind::PostState, key(1, 1))).unwrap().unwrap()
}

#[test]
fn states_of_earlier_releases_are_read_and_hashed_as_if_written_by_this_one() {
    let mut replica = Replica::new();
    let profile = Profile {
        country: *b"AT",
        ..Profile::default()
    };
    let update = UserUpdate {
        user: UserId(1),
        version: Version(1),
        profile: Some(profile),
        ..UserUpdate::default()
    };
    replica.apply(ShardCommand::PutUsers(vec![update]));
    replica.put(post(1, 1, 1));
    let mut like = action(3, 1, ActionKind::Favorite, key(1, 1));
    like.at = UnixMillis(replica.log_time);
    replica.apply(ShardCommand::RecordActions(vec![like]));
    let db = replica.view().db.clone();
    let hash = |replica: &Replica| replica.view().logical_hash(&|| false).unwrap().unwrap();
    let (before, state) = (hash(&replica), state_of(&db));
    let at = db.keys.of_post(Kind::PostState, key(1, 1));
    let value = replica.kv.store.get(&at).unwrap().unwrap();
    // The sum of talk and the country stand at the end.
    for (version, missing) in [(1, 18), (2, 2)] {
        let old = [&[version, 0], &value[2..value.len() - missing]].concat();
        db.commit(std::iter::once((at.clone(), Some(old)))).unwrap();
        let nowhere = PostState {
            country: [0; 2],
            ..state.clone()
        };
        assert_eq!(state_of(&db), nowhere, "{version}");
        assert_eq!(hash(&replica), before, "{version}");
    }
    assert_eq!(state.country, *b"AT");
    assert!(state.heats.engagement.mass > 0.0 && state.heats.talk == Heat::default());
    // The topics stand behind four other kinds of edges.
    let viewer = db.keys.of_user(Kind::User, UserId(3));
    let value = replica.kv.store.get(&viewer).unwrap().unwrap();
    let old = [&[1, 0], &value[2..27], &value[31..]].concat();
    db.commit(std::iter::once((viewer.clone(), Some(old)))).unwrap();
    assert_eq!(db.read::<UserState>(&viewer).unwrap().unwrap().next_action, 1);
    assert_eq!(hash(&replica), before);
    let slots = SlotRange { start: 0, end: 16_384 };
    assert_eq!(Part::read(&db, slots).unwrap().posts[0].heats, state.heats);
}

/// What is hashed may lie in a log that this release and the next one read: these numbers change only with a new kind of record.
#[test]
fn the_hash_of_the_same_records_is_the_same_in_every_release() {
    let mut replica = Replica::new();
    let follow = |kind, target| EdgeUpdate {
        kind,
        target: UserId(target),
        on: true,
    };
    let mut user = UserUpdate {
        user: UserId(1),
        version: Version(1),
        profile: Some(Profile {
            country: *b"AT",
            ..Profile::default()
        }),
        edges: vec![follow(EdgeKind::Follow, 2), follow(EdgeKind::Subscribe, 2)],
        muted_keywords: Some(vec!["rain".into()]),
    };
    replica.apply(ShardCommand::PutUsers(vec![user.clone()]));
    replica.put(post(1, 1, 1));
    replica.put(post(2, 2, 1));
    replica.apply(ShardCommand::RecordActions(vec![action(
        3,
        1,
        ActionKind::Favorite,
        key(1, 1),
    )]));
    let hash = |replica: &Replica| replica.view().logical_hash(&|| false).unwrap().unwrap().1;
    assert_eq!(hash(&replica), 13_543_956_757_349_693_184);
    (user.version, user.edges) = (Version(2), vec![follow(EdgeKind::Topic, 7)]);
    replica.apply(ShardCommand::PutUsers(vec![user]));
    assert_eq!(hash(&replica), 14_532_447_652_659_284_478, "a topic is followed");
}

#[test]
fn replicas_with_other_half_lives_have_other_sums_and_the_same_hash() {
    let state = |hours: u64| {
        let mut replica = Replica::with(crate::ShardOptions {
            popular_half_life: std::time::Duration::from_secs(3600 * hours),
            ..options(1, SlotRange { start: 0, end: 16_384 })
        });
        replica.put(post(1, 1, 1));
        for sequence in 1..=2 {
            replica.log_time += 3_600_000;
            let mut like = action(3, sequence, ActionKind::Favorite, key(1, 1));
            like.at = UnixMillis(replica.log_time);
            replica.apply(ShardCommand::RecordActions(vec![like]));
        }
        let view = replica.view();
        let heats = state_of(&view.db).heats;
        (view.logical_hash(&|| false).unwrap().unwrap(), heats)
    };
    let (short, long) = (state(1), state(5));
    assert_eq!(short.0, long.0);
    assert_ne!(short.1, long.1);
}

fn candidate(replica: &Replica, number: u64) -> Candidate {
    let query = CandidatesQuery {
        shards: Vec::new(),
        keys: vec![key(1, number)],
    };
    replica.view().candidates(&query).unwrap().value[0]
}

/// Puts the post into the store as a release before marks and topics wrote it: they stand at the end.
fn make_old(replica: &Replica, post: PostKey) {
    let view = replica.view();
    let key = view.db.keys.of_post(Kind::Post, post);
    let value = replica.kv.store.get(&key).unwrap().unwrap();
    let old = [&[1, 0], &value[2..value.len() - 17]].concat();
    view.db.commit(std::iter::once((key, Some(old)))).unwrap();
}

#[test]
fn a_post_of_an_earlier_release_is_the_same_post_and_no_difference_between_replicas() {
    let text = "The harbour ferry is cancelled today because of the storm";
    let posts = || {
        let mut replica = Replica::new();
        replica.put(Post {
            text: text.into(),
            ..post(1, 1, 1)
        });
        replica.put(post(1, 2, 1));
        replica
    };
    let (new, old) = (posts(), posts());
    make_old(&old, key(1, 1));
    let (old, _) = old.reopen();
    assert_eq!(old.get(key(1, 1)).unwrap().post.text, text);
    assert_eq!(old.get(key(1, 1)), new.get(key(1, 1)));
    assert_eq!(candidate(&old, 1), candidate(&new, 1));
    let hash = |replica: &Replica| replica.view().logical_hash(&|| false).unwrap().unwrap().1;
    assert_eq!(hash(&old), hash(&new));
}

#[test]
fn marks_topics_and_the_hash_of_a_text_are_there_before_and_after_a_start() {
    let mut replica = Replica::new();
    let topics = Topics::of(&[7, 3]).unwrap();
    replica.put(Post {
        text: "the ferry is cancelled today".into(),
        subscribers_only: true,
        topics,
        ..post(1, 1, 1)
    });
    replica.put(post(1, 2, 1));
    let seen = |replica: &Replica, number: u64| {
        let found = candidate(replica, number);
        (
            found.flags.has(CandidateFlags::SUBSCRIBERS_ONLY),
            found.topics,
            found.simhash,
        )
    };
    let hash = covey_shared::embed::simhash("the ferry is cancelled today").unwrap();
    let check = |replica: &Replica| {
        assert_eq!(seen(replica, 1), (true, topics, hash));
        assert_eq!(
            seen(replica, 2),
            (false, Topics::default(), 0),
            "three words are too few"
        );
    };
    check(&replica);
    check(&replica.reopen().0);
}
