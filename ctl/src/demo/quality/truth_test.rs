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
        assert_eq!(entry.followed, truth.follows(viewer, facts.author));
        assert!(
            entry.followed || (facts.shape != Shape::Reply && !facts.spam),
            "{facts:?}"
        );
        assert!(entry.gain >= 0.0);
    }
    assert!(pool.iter().any(|entry| entry.followed) && pool.iter().any(|entry| !entry.followed));
    assert!(pool.iter().any(|entry| entry.cold) && pool.iter().any(|entry| !entry.cold));
    assert!(pool.iter().any(|entry| entry.gain > 0.0));
}

#[test]
fn only_what_somebody_was_shown_is_popular() {
    let (truth, viewer) = truth();
    let pool = truth.pool(viewer);
    let popular: Vec<&Entry> = pool.iter().filter(|entry| entry.popularity > 0.0).collect();
    assert!(!popular.is_empty() && popular.iter().all(|entry| !entry.cold));
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
            .all(|entry| entry.created_ms + MAX_AGE_MS >= NOW + 47 * 3_600_000)
    );
}

#[test]
fn weights_stand_in_the_order_of_the_outputs() {
    let weights = weights(&WeightsConfig::default());
    let at = |kind: ActionKind| weights[kind as usize - 1];
    assert_eq!((at(ActionKind::Favorite), at(ActionKind::Repost)), (0.5, 1.0));
    assert_eq!(
        (at(ActionKind::ShareViaCopyLink), at(ActionKind::FollowAuthor)),
        (20.0, 4.0)
    );
    assert_eq!((at(ActionKind::MuteAuthor), at(ActionKind::Report)), (-58.8, -234.0));
    assert_eq!((at(ActionKind::Vqv), at(ActionKind::DwellTime)), (0.05, 0.004));
}
