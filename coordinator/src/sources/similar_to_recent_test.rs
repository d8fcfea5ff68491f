//! Tests of similar to recent.

use covey_config::Config;
use covey_shared::ids::PostId;
use covey_shared::model::ActionKind;

use super::*;
use crate::feed::fake_shards::{FakeShards, hit};
use crate::feed::testing::{MINUTE, action, ago, core, key, query, run_context};
use crate::hydrators::user_action_sequence::aggregate;
use crate::sources::out_of_network::OutOfNetwork;

/// Likes two posts that have nothing in common.
fn viewer() -> FeedQuery {
    let liked = [10, 11].map(|post| action(ActionKind::Favorite, key(2, post), ago(post * MINUTE)));
    let sequence = aggregate(&liked, Duration::from_secs(300), 99);
    FeedQuery { sequence, ..query() }
}

fn source(shards: FakeShards) -> (SimilarToRecent, Arc<FakeShards>) {
    let shards = Arc::new(shards);
    let source = SimilarToRecent {
        shards: shards.clone(),
        config: Config::default().feed.similar_to_recent,
        reads: 128,
    };
    (source, shards)
}

fn shards() -> FakeShards {
    FakeShards {
        vectors: [(key(2, 10), vec![0.0, 2.0]), (key(2, 11), vec![1.0, 0.0])].into(),
        posts: [core(3, 20), core(4, 21)].map(|core| (core.key, core)).into(),
        hits: vec![hit(4, 21, 0.9), hit(3, 20, 0.7), hit(5, 22, 0.6)],
        ..FakeShards::default()
    }
}

fn find(source: &SimilarToRecent, query: &FeedQuery) -> Vec<FeedCandidate> {
    let found = futures::executor::block_on(source.find(&run_context(), query));
    found.expect("shards answer")
}

#[test]
fn searches_around_each_of_different_posts_but_does_not_find_those_again() {
    let (source, shards) = source(shards());
    let mut query = viewer();
    query.seen_ids = vec![PostId(77)];
    let found = find(&source, &query);
    // Post 22 was deleted between search and look-up; what both searches found is there once.
    assert_eq!(found.iter().map(|post| post.post().0).collect::<Vec<_>>(), [21, 20]);
    let hit = found[0].hit(Channel::SimilarToRecent);
    assert_eq!(hit.map(|hit| (hit.rank, hit.score)), Some((1, 0.9)));
    let asked = shards.asked.lock();
    let around: Vec<_> = asked.searches.iter().map(|ask| ask.vectors.clone()).collect();
    assert_eq!(around, [[vec![0.0, 2.0]], [vec![1.0, 0.0]]]);
    for ask in &asked.searches {
        assert_eq!(ask.k, 100);
        assert_eq!(ask.filter.not_posts, [PostId(10), PostId(11), PostId(77)]);
    }
}

#[test]
fn without_likes_or_without_their_vectors_nothing_is_searched() {
    let (source, shards) = source(FakeShards::default());
    assert!(!source.enable(&query()));
    let mut in_network = viewer();
    assert!(source.enable(&in_network));
    assert!(find(&source, &in_network).is_empty());
    assert!(shards.asked.lock().searches.is_empty());
    in_network.in_network_only = true;
    assert!(!source.enable(&in_network));
}

#[test]
fn the_vectors_of_what_was_liked_are_read_once_for_all_sources() {
    let (source, shards) = source(shards());
    let other = OutOfNetwork {
        shards: shards.clone(),
        config: Config::default().feed.out_of_network,
        reads: 128,
    };
    let query = viewer();
    assert!(!find(&source, &query).is_empty());
    let found = futures::executor::block_on(other.find(&run_context(), &query));
    assert!(found.is_ok_and(|found| !found.is_empty()));
    assert_eq!(shards.asked.lock().vectors.len(), 1);
    // Another request reads its own.
    find(&source, &viewer());
    assert_eq!(shards.asked.lock().vectors.len(), 2);
}

#[test]
fn lists_are_merged_in_turns() {
    let hits = |ids: &[u64], score| ids.iter().map(|id| hit(9, *id, score)).collect::<Vec<_>>();
    let merged = in_turns(vec![hits(&[1, 2, 3], 0.5), hits(&[4, 1], 0.75), vec![]]);
    let merged: Vec<_> = merged.iter().map(|hit| (hit.key.post.0, hit.score.get())).collect();
    assert_eq!(merged, [(1, 0.75), (4, 0.75), (2, 0.5), (3, 0.5)]);
    assert!(in_turns(vec![]).is_empty());
}

#[test]
fn what_some_searches_found_is_used_though_another_failed() {
    let failed = || Err(ComponentError::new("late"));
    let came = what_came(vec![failed(), Ok(vec![hit(9, 1, 0.5)])]);
    assert_eq!(came.map(|(lists, failed)| (lists.len(), failed)).ok(), Some((1, true)));
    assert!(what_came(vec![failed(), failed()]).is_err());
    assert!(what_came(vec![]).is_ok_and(|(lists, failed)| lists.is_empty() && !failed));
}
