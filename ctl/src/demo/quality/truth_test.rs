//! Who may be shown what.

use super::*;
use crate::world::WorldSpec;

const NOW: u64 = 1_750_000_000_000;

fn world() -> Arc<World> {
    let spec = WorldSpec {
        users: 500,
        posts: 4_000,
        sessions: 200,
        seed: 3,
        hours: 48,
        now_ms: NOW,
    };
    Arc::new(World::new(spec).unwrap())
}

/// A truth about the visitor who comes last, and that visitor.
fn truth() -> (Truth, u64) {
    let world = world();
    let viewer = world.visit(199).viewer;
    (Truth::new(world, NOW, &[viewer].into()), viewer)
}

#[test]
fn a_pool_has_what_the_rules_allow_and_nothing_else() {
    let (truth, viewer) = truth();
    let pool = truth.pool(viewer);
    let posts: BTreeSet<u64> = pool.iter().map(|entry| entry.post).collect();
    assert!(posts.len() > 1_500 && posts.len() == pool.len(), "{}", pool.len());
    let seen = &truth.seen[&viewer];
    assert!(!seen.is_empty() && posts.is_disjoint(seen));
    let unwanted = of_kinds(&truth.world, viewer, &[EdgeKind::Block, EdgeKind::Mute]);
    for entry in &pool {
        let facts = &truth.posts[entry.post as usize];
        assert!(facts.shape != Shape::Repost && facts.author != viewer && !unwanted.contains(&facts.author));
        assert_eq!(entry.followed, truth.follows(viewer).contains(&facts.author));
        assert!(
            entry.followed || (facts.shape != Shape::Reply && facts.recommendable()),
            "{facts:?}"
        );
    }
    assert!(pool.iter().any(|entry| entry.followed) && pool.iter().any(|entry| !entry.followed));
    assert!(pool.iter().any(|entry| entry.cold) && pool.iter().any(|entry| !entry.cold));
    assert!(pool.iter().any(|entry| entry.gain > 0.0));
}

/// Ids of the posts in a pool.
fn posts(truth: &Truth, viewer: u64) -> BTreeSet<u64> {
    truth.pool(viewer).iter().map(|entry| entry.post).collect()
}

/// A post of the pool that is as wanted.
fn one(truth: &Truth, viewer: u64, wanted: impl Fn(&Entry, &PostFacts) -> bool) -> PostFacts {
    let pool = truth.pool(viewer);
    let found = pool
        .iter()
        .find(|entry| wanted(entry, &truth.posts[entry.post as usize]));
    truth.posts[found.expect("the world has one").post as usize].clone()
}

#[test]
fn a_post_is_worth_its_true_score_but_not_less_than_nothing() {
    let (truth, index) = truth();
    let viewer = truth.world.viewer(index, NOW);
    let weights = FeedConfig::default().weights.by_head();
    let score = |post: u64| {
        truth
            .world
            .true_score(&viewer, &truth.posts[post as usize], &weights, 10_000)
    };
    let pool = truth.pool(index);
    assert!(pool.iter().all(|entry| entry.gain == score(entry.post).max(0.0)));
    assert!(pool.iter().any(|entry| score(entry.post) > 0.0) && pool.iter().any(|entry| score(entry.post) < 0.0));
}

#[test]
fn whoever_blocks_the_viewer_is_not_in_the_pool() {
    let world = world();
    // The first user who blocks somebody, and whom.
    let blocked = |user: u64| of_kinds(&world, user, &[EdgeKind::Block]).into_iter().next();
    let (user, viewer) = (0..500).find_map(|user| Some((user, blocked(user)?))).unwrap();
    let mut truth = Truth::new(world.clone(), NOW, &[viewer].into());
    assert!(truth.blocked_by[&viewer].contains(&user));
    let by_user = |truth: &Truth| truth.pool(viewer).iter().filter(|entry| entry.author == user).count();
    assert_eq!(by_user(&truth), 0);
    truth.blocked_by.clear();
    assert!(by_user(&truth) > 0);
}

#[test]
fn strangers_posts_are_neither_spam_nor_unsafe() {
    let (mut truth, viewer) = truth();
    let kept = |truth: &Truth, post: &PostFacts| posts(truth, viewer).contains(&post.index);
    let own = |entry: &Entry, post: &PostFacts| post.shape == Shape::Original && !post.spam && entry.post > 0;
    let stranger = one(&truth, viewer, |entry, post| own(entry, post) && !entry.followed);
    let followed = one(&truth, viewer, |entry, post| own(entry, post) && entry.followed);
    for post in [&stranger, &followed] {
        truth.posts[post.index as usize].spam = true;
    }
    assert!(!kept(&truth, &stranger) && kept(&truth, &followed));
    // One in two hundred is not safe, spam or not.
    let unsafe_ones = truth.posts.iter().filter(|post| !post.spam && !post.recommendable());
    let unsafe_ones: BTreeSet<u64> = unsafe_ones.map(|post| post.index).collect();
    let follows = truth.follows(viewer);
    let by_strangers = |post: &&u64| !follows.contains(&truth.posts[**post as usize].author);
    assert!(unsafe_ones.iter().filter(by_strangers).count() > 10);
    assert!(
        !posts(&truth, viewer)
            .iter()
            .any(|post| unsafe_ones.contains(post) && by_strangers(&post))
    );
}

#[test]
fn an_answer_to_what_was_seen_is_not_in_the_pool() {
    let (mut truth, viewer) = truth();
    let answer = one(&truth, viewer, |_, post| post.shape == Shape::Reply);
    let quote = one(&truth, viewer, |_, post| post.shape == Shape::Quote);
    let seen = truth.seen.get_mut(&viewer).unwrap();
    seen.extend([answer.parent.unwrap(), quote.parent.unwrap()]);
    let left = posts(&truth, viewer);
    assert!(!left.contains(&answer.index) && left.contains(&quote.index));
}

#[test]
fn quotes_of_unwanted_users_are_not_in_the_pool() {
    let (mut truth, viewer) = truth();
    let quote = one(&truth, viewer, |_, post| post.shape == Shape::Quote);
    let quoted = truth.posts[quote.parent.unwrap() as usize].author;
    truth.blocked_by.entry(viewer).or_default().insert(quoted);
    assert!(
        !posts(&truth, viewer).contains(&quote.index),
        "the quoted one blocks the viewer"
    );
    // Whom the viewer blocks or mutes follows from the world: some visitor could be shown a quote of such a user.
    let mut found = 0;
    for viewer in (0..200).map(|visit| truth.world.visit(visit).viewer) {
        let unwanted = of_kinds(&truth.world, viewer, &[EdgeKind::Block, EdgeKind::Mute]);
        let quotes = truth.posts.iter().filter(|post| post.shape == Shape::Quote);
        let of_unwanted = quotes.filter(|post| unwanted.contains(&truth.posts[post.parent.unwrap() as usize].author));
        let by_others = of_unwanted.filter(|post| post.author != viewer && !unwanted.contains(&post.author));
        let left = posts(&truth, viewer);
        for quote in by_others {
            assert!(!left.contains(&quote.index), "{quote:?}");
            found += 1;
        }
    }
    assert!(found > 0);
}

#[test]
fn strangers_quotes_of_what_is_not_recommended_are_not_in_the_pool() {
    let (mut truth, viewer) = truth();
    let stranger = one(&truth, viewer, |entry, post| {
        post.shape == Shape::Quote && !entry.followed
    });
    let followed = one(&truth, viewer, |entry, post| {
        post.shape == Shape::Quote && entry.followed
    });
    for quote in [&stranger, &followed] {
        truth.posts[quote.parent.unwrap() as usize].spam = true;
    }
    let left = posts(&truth, viewer);
    assert!(!left.contains(&stranger.index) && left.contains(&followed.index));
}

#[test]
fn only_what_somebody_was_shown_is_popular() {
    let (truth, viewer) = truth();
    let pool = truth.pool(viewer);
    let popular: Vec<&Entry> = pool.iter().filter(|entry| entry.popularity > 0.0).collect();
    assert!(!popular.is_empty() && popular.iter().all(|entry| !entry.cold));
}

#[test]
fn engagement_counts_half_after_six_hours_and_goes_to_what_a_repost_shows() {
    let (mut truth, _) = truth();
    truth.popularity.clear();
    let repost = truth.posts.iter().find(|post| post.shape == Shape::Repost).unwrap();
    let (repost, shown) = (repost.index, repost.parent.unwrap());
    let mut act = |kind: ActionKind, post: u64, hours_ago: u64| {
        truth.learn(&Action {
            viewer_id: 1,
            post_id: post + 1,
            kind: kind.into(),
            at_ms: NOW - hours_ago * 3_600_000,
            ..Action::default()
        });
        truth.popularity.get(&shown).copied().unwrap_or(0.0)
    };
    assert_eq!(act(ActionKind::Favorite, shown, 0), 1.0);
    assert_eq!(act(ActionKind::Reply, shown, 6), 1.5);
    assert_eq!(act(ActionKind::Quote, repost, 12), 1.75);
    assert_eq!(act(ActionKind::Click, shown, 0), 1.75, "no engagement");
    assert!(!truth.popularity.contains_key(&repost));
}

#[test]
fn the_age_limit_counts_from_the_moment_of_the_feeds() {
    let world = world();
    let viewer = world.visit(199).viewer;
    let later = Truth::new(world, NOW + 47 * 3_600_000, &[viewer].into());
    let pool = later.pool(viewer);
    assert!(!pool.is_empty() && pool.len() < 500, "{}", pool.len());
    assert!(
        pool.iter()
            .all(|entry| entry.created_ms + 48 * 3_600_000 >= NOW + 47 * 3_600_000)
    );
}
