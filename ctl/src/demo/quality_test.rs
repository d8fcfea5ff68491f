//! Who is asked for.

use super::*;
use crate::world::WorldSpec;

fn world(users: u64, posts: u64, sessions: u64) -> World {
    let spec = WorldSpec {
        users,
        posts,
        sessions,
        seed: 1,
        hours: 48,
        now_ms: 1_750_000_000_000,
    };
    World::new(spec).unwrap()
}

#[test]
fn viewers_are_no_bots_and_the_cold_ones_never_came() {
    let world = world(2_000, 100, 600);
    let panel = panel(&world, 40);
    assert_eq!((panel.known.len(), panel.cold.len()), (40, 20));
    let visitors: BTreeSet<u64> = (0..600).map(|index| world.visit(index).viewer).collect();
    assert!(panel.known.iter().all(|viewer| visitors.contains(viewer)));
    assert!(panel.cold.iter().all(|viewer| !visitors.contains(viewer)));
    assert!(
        panel
            .known
            .iter()
            .chain(&panel.cold)
            .all(|viewer| !world.person(*viewer).bot)
    );
}

#[test]
fn a_small_world_gives_as_many_as_it_has() {
    let panel = panel(&world(20, 100, 2_000), 40);
    assert!((10..=20).contains(&panel.known.len()), "{}", panel.known.len());
    assert_eq!(panel.cold.len(), 0, "all have come");
}

#[test]
fn what_the_cluster_serves_is_judged_as_what_it_shows() {
    let world = Arc::new(world(200, 5_000, 50));
    let viewer = world.visit(49).viewer;
    let truth = Truth::new(world.clone(), world.spec().now_ms, &[viewer].into());
    let mut dice = Dice::new(1, Stream::Slate, 1);
    let best = ranked(Method::Oracle, &[], &truth.pool(viewer), 2, &mut dice);
    let post = |entry: &Entry| FeedPost {
        post_id: entry.post + 1,
        author_id: entry.author + 1,
        ..FeedPost::default()
    };
    let repost = FeedPost {
        post_id: 9_999,
        author_id: 7,
        retweeted_post_id: best[0].post + 1,
        ..FeedPost::default()
    };
    let as_reposts = Report::new(1, &[rows(&truth, viewer, &[repost])], &[]).figures;
    let as_posts = Report::new(1, &[rows(&truth, viewer, &[post(&best[0])])], &[]).figures;
    assert!(as_posts[0].ndcg35 > 0.0 && as_posts[0].ndcg35 == as_reposts[0].ndcg35);
    assert_eq!(as_posts[5].ndcg35, 1.0, "the oracle");
    let stranger = FeedPost {
        post_id: 1 << 62,
        author_id: 1 << 61,
        ..FeedPost::default()
    };
    let worth = Report::new(1, &[rows(&truth, viewer, &[stranger])], &[]).figures;
    assert_eq!(worth[0].ndcg35, 0.0);
}
