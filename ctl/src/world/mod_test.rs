//! The world is deterministic and looks like one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use covey_api::v1::{Action, EdgeKind, Post, UserUpdate};

use super::*;

const NOW: u64 = 1_750_000_000_000;

fn world(seed: u64) -> World {
    let spec = WorldSpec {
        users: 2_000,
        posts: 10_000,
        sessions: 400,
        seed,
        hours: 48,
        now_ms: NOW,
    };
    World::new(spec).unwrap()
}

fn posts(world: &World) -> Vec<Post> {
    (0..world.spec.posts).map(|index| world.post(index)).collect()
}

fn users(world: &World) -> impl Iterator<Item = UserUpdate> + '_ {
    (0..world.spec.users).map(|index| world.user(index))
}

fn actions(world: &World) -> impl Iterator<Item = Action> {
    World::sessions(Arc::new(world.clone())).flatten()
}

fn fingerprint(world: &World) -> String {
    let users: Vec<_> = users(world).take(300).collect();
    let posts: Vec<_> = (0..1_000).map(|index| world.post(index)).collect();
    let actions: Vec<_> = actions(world).take(2_000).collect();
    serde_json::to_string(&(users, posts, actions)).unwrap()
}

#[test]
fn same_seed_gives_the_same_bytes_and_another_seed_others() {
    let (a, b, c) = (fingerprint(&world(1)), fingerprint(&world(1)), fingerprint(&world(2)));
    assert!(a == b, "the same seed");
    assert!(a != c, "another seed");
}

#[test]
fn posts_are_in_time_order_inside_the_window() {
    let world = world(3);
    let times: Vec<u64> = (0..10_000).map(|i| world.sketch(i).created_ms).collect();
    assert!(times.is_sorted());
    assert!(times[0] >= NOW - 48 * HOUR_MS && times[9_999] <= NOW, "{times:?}");
    assert!(NOW - times[9_999] < HOUR_MS, "the newest post is recent");
}

#[test]
fn references_point_back_one_level_and_conversations_agree() {
    let world = world(4);
    let mut shapes = BTreeMap::new();
    for index in 0..10_000 {
        let facts = world.facts(index);
        *shapes.entry(format!("{:?}", facts.shape)).or_insert(0) += 1;
        if let Some(parent) = facts.parent {
            assert!(parent < index && world.level(parent) + 1 == world.level(index));
            let other = world.facts(parent);
            assert_ne!(other.shape, Shape::Repost);
            assert_eq!(facts.topic, other.topic);
            if facts.shape == Shape::Reply {
                assert_eq!(facts.root, other.root);
            }
        }
    }
    assert!(shapes["Original"] > 5_500 && shapes["Reply"] > 1_500, "{shapes:?}");
    assert!(shapes["Repost"] > 600 && shapes["Quote"] > 400, "{shapes:?}");
}

#[test]
fn fame_and_activity_have_heavy_tails() {
    let world = world(6);
    let mut followers = vec![0u32; 2_000];
    for index in 0..2_000 {
        for other in world.follows(index) {
            followers[other as usize] += 1;
        }
    }
    let total: u32 = followers.iter().sum();
    followers.sort_unstable_by(|a, b| b.cmp(a));
    let top: u32 = followers[..20].iter().sum();
    assert!(
        top * 100 > total * 8,
        "the top hundredth has {top} of {total} followers"
    );
    let mut written = vec![0u32; 2_000];
    (0..10_000).for_each(|i| written[world.sketch(i).author as usize] += 1);
    written.sort_unstable_by(|a, b| b.cmp(a));
    let top: u32 = written[..200].iter().sum();
    assert!(
        (2_000..7_000).contains(&top),
        "the top tenth wrote {top} of 10000 posts"
    );
}

#[test]
fn followed_users_share_interests() {
    let world = world(7);
    let (mut shared, mut all) = (0.0, 0);
    for index in 0..500 {
        let person = world.person(index);
        for other in world.follows(index) {
            shared += f64::from(person.early[usize::from(world.person(other).topic)]);
            all += 1;
        }
    }
    let mean = shared / f64::from(all);
    assert!(
        mean > 4.0 / TOPICS as f64,
        "mean interest in followed users' topics: {mean}"
    );
}

#[test]
fn three_users_in_ten_follow_their_main_topic_by_the_number_that_posts_have() {
    let world = world(8);
    let mut following = 0;
    for index in 0..2_000 {
        let edges = world.user(index).edges;
        let topics = edges.iter().filter(|edge| edge.kind() == EdgeKind::FollowTopic);
        let topics: Vec<u64> = topics.map(|edge| edge.target_id).collect();
        let main = u64::from(world.person(index).topic) + 1;
        assert!(
            topics.is_empty() || topics == [main],
            "user {index}: {topics:?}, not {main}"
        );
        following += topics.len();
    }
    assert!((500..700).contains(&following), "{following}");
    let (facts, post) = (world.facts(0), world.post(0));
    assert_eq!(post.topics[0], u32::from(facts.topic) + 1);
}

#[test]
fn one_user_in_twenty_is_a_bot() {
    let world = world(8);
    let bots = (0..2_000).filter(|index| world.person(*index).bot).count();
    assert!((60..150).contains(&bots), "{bots}");
}

#[test]
fn handles_are_unique() {
    let world = World::new(WorldSpec {
        users: 9_000,
        ..world(9).spec
    })
    .unwrap();
    let names: BTreeSet<String> = users(&world).filter_map(|u| u.profile).map(|p| p.screen_name).collect();
    assert_eq!(names.len(), 9_000);
}

#[test]
fn texts_are_readable_and_rarely_repeat() {
    let world = world(10);
    let texts: Vec<String> = posts(&world)
        .into_iter()
        .filter(|p| p.repost_of.is_none())
        .map(|p| p.text)
        .collect();
    let distinct: BTreeSet<&String> = texts.iter().collect();
    assert!(
        texts
            .iter()
            .all(|t| !t.is_empty() && !t.contains(['{', '}']) && t.len() < 280)
    );
    assert!(
        distinct.len() * 10 > texts.len() * 7,
        "{} of {}",
        distinct.len(),
        texts.len()
    );
}

#[test]
fn users_act_more_on_what_they_like() {
    let world = world(11);
    let viewer = world.viewer(100, NOW);
    let mut judged: Vec<(f64, [f64; HEADS])> = (9_000..10_000)
        .map(|i| world.facts(i))
        .map(|facts| {
            let utility = world.log_utility(&viewer, &facts);
            (utility, world.predict(&viewer, &facts, utility))
        })
        .collect();
    judged.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mean = |part: &[(f64, [f64; HEADS])], head: usize| part.iter().map(|j| j.1[head]).sum::<f64>() / 100.0;
    let (best, worst) = (&judged[..100], &judged[900..]);
    assert!(mean(best, 0) > 4.0 * mean(worst, 0), "favorites");
    assert!(mean(best, 14) * 4.0 < mean(worst, 14), "not interested");
    assert!(judged.iter().flat_map(|j| j.1).all(|p| (0.0..=1.0).contains(&p)));
}

#[test]
fn sessions_have_impressions_dwell_and_all_kinds() {
    let world = World::new(WorldSpec {
        sessions: 3_000,
        ..world(12).spec
    })
    .unwrap();
    let mut kinds: BTreeMap<i32, u32> = BTreeMap::new();
    for action in actions(&world) {
        *kinds.entry(action.kind).or_default() += 1;
        assert!(action.at_ms >= NOW - 48 * HOUR_MS && action.prediction_request_id > 0);
    }
    let impressions = kinds[&20];
    assert_eq!(impressions, kinds[&19], "one dwell time per impression");
    assert!((10_000..50_000).contains(&impressions), "{kinds:?}");
    assert!(kinds[&1] * 50 > impressions, "favorites: {kinds:?}");
    assert!(kinds.len() >= 19, "{kinds:?}");
}

#[test]
fn upper_places_are_seen_more_often() {
    assert!(examined(0) > 0.9);
    assert!((0..19).all(|place| examined(place) > examined(place + 1)));
}

#[test]
fn oracle_prefers_the_matching_fresh_post() {
    let world = world(13);
    let viewer = world.viewer(7, NOW);
    let mut facts = world.facts(9_999);
    facts.quality = 1.0;
    facts.language = "en";
    facts.topic = viewer.person.topic;
    facts.spam = false;
    let weights = {
        let mut w = [0.0; HEADS];
        w[0] = 0.5;
        w[1] = 5.0;
        w[18] = 0.004;
        w
    };
    let score = |f: &PostFacts| world.true_score(&viewer, f, &weights, 10_000);
    let stale = PostFacts {
        created_ms: NOW - 40 * HOUR_MS,
        ..facts.clone()
    };
    let off_topic = PostFacts {
        topic: (0..TOPICS as u8)
            .min_by(|a, b| viewer.person.late[usize::from(*a)].total_cmp(&viewer.person.late[usize::from(*b)]))
            .unwrap(),
        ..facts.clone()
    };
    assert!(score(&facts) > score(&stale) && score(&facts) > score(&off_topic));
}

#[test]
fn impossible_specs_are_refused_with_the_range() {
    let spec = |users, hours, now_ms| WorldSpec {
        users,
        hours,
        now_ms,
        ..world(0).spec
    };
    let text = |spec| World::new(spec).unwrap_err().to_string();
    assert_eq!(text(spec(3, 48, NOW)), "a world has 20 to 1000000000 users, not 3");
    assert!(text(spec(100, 0, NOW)).contains("1 to 8760 hours"));
    assert!(text(spec(100, 48, 5)).contains("before 1970"));
}
