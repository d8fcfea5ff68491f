//! What is said of subscriptions, topics and places, and on a later page.

use std::sync::Arc;
use std::time::Duration;

use covey_config::{Config, Secret};
use covey_env::Monotonic;
use covey_shared::ids::UserId;
use covey_shared::model::Topics;

use crate::feed::fake_shards::FakeShards;
use crate::feed::probe::tests::{by_channel, said, world};
use crate::feed::testing::{VIEWER, core, env, key};
use crate::feed::{FeedRequest, FeedService};
use crate::request::RequestContext;
use crate::seal::Sealer;

#[test]
fn answers_of_those_who_are_subscribed_to_are_looked_for() {
    let with = |subscriptions: Vec<UserId>| {
        let mut shards = world();
        shards.state.subscriptions = subscriptions;
        let mut post = core(9, 80);
        post.reply_to = key(5, 50);
        shards.posts.insert(post.key, post);
        shards
    };
    let answers = "it answers another post";
    let stranger = said(with(vec![UserId(7)]), key(9, 80), |_| ());
    assert!(stranger.not_retrieved.starts_with(answers), "{stranger:?}");
    let paid = said(with(vec![UserId(9)]), key(9, 80), |_| ());
    assert!(
        by_channel("Subscribed", &paid).starts_with("Subscribed took 1 posts"),
        "{paid:?}"
    );
    let only = |request: &mut FeedRequest| request.in_network_only = true;
    let only = said(with(vec![UserId(9)]), key(9, 80), only);
    assert!(only.not_retrieved.starts_with(answers), "{only:?}");
}

#[test]
fn topics_that_have_their_turn_are_told_from_others_and_from_strange_ones() {
    let of_topic = |topic: u32| {
        let mut shards = world();
        shards.state.topics = (1..=20).collect();
        let mut post = core(9, 80);
        post.topics = Topics([topic, 99, 0, 0]);
        shards.posts.insert(post.key, post);
        by_channel("Topics", &said(shards, key(9, 80), |_| ()))
    };
    let of_all: Vec<String> = (1..=20).map(of_topic).collect();
    let count = |what: &str| of_all.iter().filter(|said| said.ends_with(what)).count();
    assert_eq!(count("others have more engagement, or are newer"), 8, "{of_all:?}");
    assert_eq!(
        count("a followed topic that has its turn at another hour"),
        12,
        "{of_all:?}"
    );
    assert!(of_topic(21).ends_with("it is about no topic that the viewer follows"));
    let none = by_channel("Topics", &said(world(), key(9, 60), |_| ()));
    assert_eq!(
        none,
        "Topics did not look: it is switched off, or the viewer follows no topic"
    );
}

#[test]
fn what_is_popular_near_the_viewer_is_told_from_a_place_that_nobody_knows() {
    let mut here = world();
    here.state.profile.country = *b"AT";
    let here = by_channel("Local", &said(here, key(9, 60), |_| ()));
    let (took, why) = here.split_once(": ").expect("it took some");
    assert_eq!(took, "Local took 20 posts, fewer than the 200 that it may");
    assert!(why.starts_with("only posts with engagement"), "{here}");
    let nowhere = by_channel("Local", &said(world(), key(9, 60), |_| ()));
    assert!(
        nowhere.ends_with("neither country nor language of the viewer is known"),
        "{nowhere}"
    );
}

#[test]
fn a_later_page_scores_what_it_looks_at() {
    let shards = FakeShards {
        popular: (1..60).map(|id| core(1000 + id, id)).collect(),
        ..world()
    };
    let sealer = Arc::new(Sealer::new(&Secret::new("a")));
    let service = FeedService::over(Arc::new(shards), sealer, Arc::new(Config::default()), env());
    let context = RequestContext {
        deadline: Monotonic(Duration::from_secs(102)),
        trace_id: String::new(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime = runtime.expect("a runtime");
    let request = FeedRequest {
        viewer: VIEWER,
        limit: 10,
        ..FeedRequest::default()
    };
    let first = runtime
        .block_on(service.feed(request.clone(), &context))
        .expect("a feed");
    let next = FeedRequest {
        cursor: first.cursor,
        is_bottom_request: true,
        explain: true,
        explain_posts: vec![key(9, 60)],
        ..request
    };
    let second = runtime.block_on(service.feed(next, &context)).expect("a feed");
    let said = second.explanations.last().expect("it was asked for");
    assert!(
        said.not_retrieved
            .starts_with("this page comes from the ranked reserve"),
        "{said:?}"
    );
    assert!(
        said.l1_score > 0.0 && !said.not_retrieved.contains("first score of 0.000"),
        "{said:?}"
    );
}
