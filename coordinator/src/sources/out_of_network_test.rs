//! Tests of out of network.

use covey_config::Config;
use covey_pipeline::ComponentError;
use covey_shared::ids::{PostId, UserId};
use covey_shared::model::ActionKind;
use covey_shared::wire::SeenBloom;

use super::*;
use crate::feed::fake_shards::{FakeShards, hit};
use crate::feed::query::UserFeatures;
use crate::feed::testing::{MINUTE, action, ago, core, key, query, run_context};
use crate::hydrators::user_action_sequence::aggregate;

fn viewer() -> FeedQuery {
    let liked = [action(ActionKind::Favorite, key(2, 10), ago(MINUTE))];
    let sequence = aggregate(&liked, Duration::from_secs(300), 99);
    FeedQuery { sequence, ..query() }
}

fn source(shards: FakeShards) -> (OutOfNetwork, Arc<FakeShards>) {
    let shards = Arc::new(shards);
    (
        OutOfNetwork {
            shards: shards.clone(),
            config: Config::default().feed.out_of_network,
            reads: 128,
        },
        shards,
    )
}

fn find(source: &OutOfNetwork, query: &FeedQuery) -> Result<Vec<FeedCandidate>, ComponentError> {
    futures::executor::block_on(source.find(&run_context(), query))
}

#[test]
fn finds_what_is_near_the_liked_posts_in_the_order_of_similarity() {
    let posts = [core(3, 20), core(4, 21)].map(|core| (core.key, core));
    let (source, shards) = source(FakeShards {
        vectors: [(key(2, 10), vec![0.0, 2.0])].into(),
        posts: posts.into(),
        hits: vec![hit(4, 21, 0.9), hit(3, 20, 0.7), hit(5, 22, 0.6)],
        ..FakeShards::default()
    });
    let found = find(&source, &viewer()).expect("shards answer");
    // Post 22 was deleted between search and look-up.
    assert_eq!(found.iter().map(|post| post.post().0).collect::<Vec<_>>(), [21, 20]);
    assert_eq!(
        found[0].hit(Channel::OutOfNetwork).map(|hit| (hit.rank, hit.score)),
        Some((1, 0.9))
    );
    let asked = shards.asked.lock();
    assert_eq!(asked.searches[0].vectors, [vec![0.0, 1.0]]);
    assert_eq!(asked.vectors[0], [key(2, 10)]);
}

#[test]
fn pushes_down_what_can_be_checked_next_to_the_data() {
    let (source, shards) = source(FakeShards {
        vectors: [(key(2, 10), vec![1.0])].into(),
        ..FakeShards::default()
    });
    let mut query = FeedQuery {
        video_only: true,
        ..viewer()
    };
    let features = UserFeatures {
        blocks: vec![UserId(8)],
        mutes: vec![UserId(9)],
        ..UserFeatures::default()
    };
    query.features = Some(features);
    query.seen_ids = vec![PostId(77)];
    query.impressions.seen = SeenBloom {
        generations: vec![vec![1]],
        hashes: 3,
    };
    find(&source, &query).expect("shards answer");
    let filter = shards.asked.lock().searches[0].filter.clone();
    assert_eq!(filter.not_authors, [query.viewer, UserId(8), UserId(9)]);
    assert_eq!(filter.not_posts, [PostId(77)]);
    assert_eq!((filter.created_from, filter.video), (query.oldest, Some(true)));
    assert!(filter.not_seen.is_some());
}

#[test]
fn nothing_liked_is_no_error_and_vectors_gone_are_said_to_be() {
    let (source, shards) = source(FakeShards::default());
    assert!(!source.enable(&query()));
    assert!(source.enable(&viewer()));
    assert!(!source.enable(&FeedQuery {
        in_network_only: true,
        ..viewer()
    }));
    let query = viewer();
    assert!(find(&source, &query).expect("an empty list").is_empty());
    assert!(
        query
            .ledger
            .account()
            .notes
            .iter()
            .any(|note| note.reason == "no_vectors")
    );
    assert!(shards.asked.lock().searches.is_empty());
}

#[test]
fn a_search_without_an_answer_fails_the_channel() {
    let (source, _) = source(FakeShards {
        vectors: [(key(2, 10), vec![1.0])].into(),
        down: ["search"].into(),
        ..FakeShards::default()
    });
    let query = viewer();
    let error = find(&source, &query).expect_err("the search fails");
    assert_eq!(error.reason(), "no_answer");
    assert!(query.ledger.account().report.coverage() < 1.0);
}
