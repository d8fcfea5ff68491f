//! Tests of what is kept of viewers and users: actions, impressions, edges, served posts.

use covey_shared::command::*;
use covey_shared::ids::*;
use covey_shared::model::*;
use covey_shared::wire::AuthorsQuery;

use crate::fixture::*;

const REJECTED: fn(RejectReason) -> ItemResult = ItemResult::Rejected;

fn follow(user: u64, version: u64, target: u64, on: bool) -> ShardCommand {
    relate(EdgeKind::Follow, user, version, (target, on))
}

fn relate(kind: EdgeKind, user: u64, version: u64, (target, on): (u64, bool)) -> ShardCommand {
    let edges = vec![EdgeUpdate {
        kind,
        target: UserId(target),
        on,
    }];
    let update = UserUpdate {
        user: UserId(user),
        version: Version(version),
        edges,
        ..UserUpdate::default()
    };
    ShardCommand::PutUsers(vec![update])
}

fn followers(replica: &Replica, user: u64) -> u32 {
    let query = AuthorsQuery {
        shards: vec![],
        authors: vec![UserId(user)],
    };
    replica.view().authors(&query).unwrap().value[0].followers
}

fn favorites(replica: &Replica, post: PostKey) -> u32 {
    replica.get(post).unwrap().counters.of(ActionKind::Favorite)
}

#[test]
fn a_repeated_action_counts_once_until_it_is_forgotten() {
    let mut replica = Replica::new();
    replica.put(post(1, 10, 1));
    let like = |sequence| ShardCommand::RecordActions(vec![action(2, sequence, ActionKind::Favorite, key(1, 10))]);
    assert_eq!(replica.apply(like(1)), [ItemResult::Ok]);
    assert_eq!(replica.apply(like(1)), [ItemResult::Ok]);
    assert_eq!(favorites(&replica, key(1, 10)), 1);
    assert_eq!(replica.viewer(2).actions.len(), 1);
    replica.log_time += 59_000;
    replica.apply(like(1));
    assert_eq!(
        favorites(&replica, key(1, 10)),
        1,
        "remembered for at least action_memory"
    );
    replica.log_time += 200_000;
    replica.apply(like(1));
    assert_eq!(favorites(&replica, key(1, 10)), 2, "and forgotten after twice as long");
}

#[test]
fn a_viewer_keeps_the_newest_actions_oldest_first() {
    let mut replica = Replica::new();
    for sequence in 1..=20 {
        replica.apply(ShardCommand::RecordActions(vec![action(
            2,
            sequence,
            ActionKind::Click,
            key(1, sequence),
        )]));
    }
    let posts: Vec<u64> = replica.viewer(2).actions.iter().map(|a| a.post.post.0).collect();
    assert_eq!(posts, (5..=20).collect::<Vec<_>>());
    let query = covey_shared::wire::ViewerQuery {
        max_actions: 3,
        ..viewer_query(2)
    };
    assert_eq!(replica.view().viewer(&query).unwrap().value.actions.len(), 3);
}

#[test]
fn of_actions_in_any_order_the_newest_to_happen_are_kept() {
    for most in [16, 64] {
        let mut options = options(1, covey_shared::slots::SlotRange::ALL);
        options.limits.actions = most;
        let mut replica = Replica::with(options);
        let mut happened = Vec::new();
        for sequence in 1..=500 {
            // In turns late and new ones; many of one moment.
            let at = UnixMillis(START - 10_000 + sequence * 7_919 % 1000 * 10);
            happened.push((at, sequence));
            let acted = Action {
                at,
                ..action(2, sequence, ActionKind::Click, key(1, sequence))
            };
            let seen = action(2, 1000 + sequence, ActionKind::Impression, key(1, sequence));
            replica.apply(ShardCommand::RecordActions(vec![acted, seen]));
            happened.sort_unstable();
            let newest = happened.len().saturating_sub(most as usize);
            let query = covey_shared::wire::ViewerQuery {
                max_actions: most,
                ..viewer_query(2)
            };
            let kept = replica.view().viewer(&query).unwrap().value.actions;
            let posts = kept.iter().map(|action| (action.at, action.post.post.0));
            assert_eq!(
                posts.collect::<Vec<_>>(),
                happened[newest..],
                "after {sequence} of {most}"
            );
        }
        let stored = replica.viewer(2).actions.len() as u32;
        assert!(stored <= most + most / 16, "{stored} of {most}");
    }
}

#[test]
fn impressions_fill_the_bloom_and_old_generations_go() {
    let mut replica = Replica::new();
    let see = |from: u64, kind| {
        let seen = (from..from + 10).map(|post| action(2, post, kind, key(1, post)));
        ShardCommand::RecordActions(seen.collect())
    };
    replica.apply(see(1, ActionKind::Impression));
    replica.apply(see(100, ActionKind::Click));
    let seen = replica.viewer(2).seen;
    assert!((1..=10).all(|post| seen.contains(PostId(post))));
    assert!(
        (100..110).filter(|post| seen.contains(PostId(*post))).count() <= 1,
        "a click is no impression"
    );
    for turn in 1..=6 {
        replica.apply(see(1000 * turn, ActionKind::Dwell));
    }
    let seen = replica.viewer(2).seen;
    assert_eq!(seen.generations.len(), 2);
    assert!((6000..6010).all(|post| seen.contains(PostId(post))));
    assert!(
        (1..=10).filter(|post| seen.contains(PostId(*post))).count() <= 2,
        "the first ones are forgotten"
    );
}

#[test]
fn edges_are_versioned_and_followers_are_counted_on_changes_only() {
    let mut replica = Replica::new();
    assert_eq!(replica.apply(follow(1, 5, 2, true)), [ItemResult::Ok]);
    assert_eq!(replica.apply(follow(1, 5, 2, true)), [ItemResult::Ok]);
    assert_eq!(replica.apply(follow(1, 6, 2, true)), [ItemResult::Ok]);
    assert_eq!(followers(&replica, 2), 1);
    assert_eq!(replica.apply(follow(1, 4, 2, false)), [ItemResult::Superseded]);
    assert_eq!(replica.viewer(1).follows, [UserId(2)]);
    replica.apply(follow(1, 7, 2, false));
    assert_eq!((followers(&replica, 2), replica.viewer(1).follows.len()), (0, 0));
    assert_eq!(replica.apply(follow(1, 8, 1, true)), [REJECTED(RejectReason::SelfEdge)]);
    let many = (10..18).map(|n| follow(1, 8, n, true));
    assert!(
        many.map(|f| replica.apply(f))
            .all(|results| results == [ItemResult::Ok])
    );
    assert_eq!(
        replica.apply(follow(1, 8, 30, true)),
        [REJECTED(RejectReason::TooLarge)]
    );
    assert!(replica.viewer(1).known);
    assert!(!replica.viewer(2).known, "being followed makes nobody known");
}

#[test]
fn topics_are_followed_as_users_are_and_are_no_users() {
    let mut replica = Replica::new();
    let topic = |version, edge| relate(EdgeKind::Topic, 1, version, edge);
    // A topic may have the number of the user, and of one whom the user follows.
    for number in [9, 1, u64::from(u32::MAX)] {
        assert_eq!(replica.apply(topic(5, (number, true))), [ItemResult::Ok]);
    }
    replica.apply(follow(1, 5, 9, true));
    assert_eq!(replica.apply(topic(4, (9, false))), [ItemResult::Superseded]);
    let viewer = replica.viewer(1);
    assert_eq!((viewer.topics, viewer.follows), (vec![1, 9, u32::MAX], vec![UserId(9)]));
    assert_eq!(followers(&replica, 1), 0);
    replica.apply(topic(6, (9, false)));
    assert_eq!(replica.viewer(1).topics, [1, u32::MAX]);
    let beyond = u64::from(u32::MAX) + 1;
    for refused in [topic(7, (beyond, true)), topic(7, (30, true))] {
        assert_eq!(replica.apply(topic(7, (20, true))), [ItemResult::Ok]);
        assert_eq!(replica.apply(refused), [REJECTED(RejectReason::TooLarge)]);
    }
    assert_eq!(replica.viewer(1).topics, [1, 20, u32::MAX]);
}

#[test]
fn served_posts_are_kept_for_a_while_and_bounded() {
    let mut replica = Replica::new();
    for n in 0..6 {
        let served = Served {
            viewer: UserId(1),
            at: UnixMillis(START + n),
            posts: vec![PostId(n), PostId(100)],
        };
        replica.apply(ShardCommand::RecordServed(vec![served.clone()]));
        replica.apply(ShardCommand::RecordServed(vec![served]));
    }
    assert_eq!(replica.viewer(1).served, [2, 3, 4, 5, 100].map(PostId));
    replica.log_time += 700_000;
    let late = Served {
        viewer: UserId(1),
        at: UnixMillis(replica.log_time),
        posts: vec![PostId(9)],
    };
    replica.apply(ShardCommand::RecordServed(vec![late]));
    assert_eq!(replica.viewer(1).served, [PostId(9)]);
}
