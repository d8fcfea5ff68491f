//! Tests of explain.

use std::sync::Arc;
use std::time::Duration;

use covey_api::v1::{GetFeedReply, PostExplanation};
use covey_config::{Config, Secret};
use covey_env::Monotonic;
use covey_shared::ids::{PostKey, UserId};
use covey_shared::wire::ViewerState;

use crate::feed::fake_shards::FakeShards;
use crate::feed::testing::{VIEWER, core, env, key};
use crate::feed::{FeedRequest, FeedService};
use crate::request::RequestContext;
use crate::seal::Sealer;

/// Author 2 wrote posts 10, 11 and 12 and is followed; author 8 is blocked.
fn explained(asked: &[PostKey]) -> GetFeedReply {
    let state = ViewerState {
        follows: vec![UserId(2)],
        blocks: vec![UserId(8)],
        ..ViewerState::default()
    };
    let shards = FakeShards {
        state,
        in_network: vec![core(2, 10), core(2, 11), core(2, 12)],
        popular: vec![core(3, 20), core(8, 21), core(2, 10)],
        ..FakeShards::default()
    };
    explained_by(shards, asked)
}

fn explained_by(shards: FakeShards, asked: &[PostKey]) -> GetFeedReply {
    let sealer = Arc::new(Sealer::new(&Secret::new("a")));
    let service = FeedService::over(Arc::new(shards), sealer, Arc::new(Config::default()), env());
    let request = FeedRequest {
        viewer: VIEWER,
        limit: 3,
        explain: true,
        explain_posts: asked.to_vec(),
        dry_run: true,
        ..FeedRequest::default()
    };
    let context = RequestContext {
        deadline: Monotonic(Duration::from_secs(102)),
        trace_id: String::new(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
    runtime.block_on(service.feed(request, &context)).expect("a feed")
}

fn ranks(explanation: &PostExplanation) -> Vec<(&str, u32)> {
    explanation
        .ranks
        .iter()
        .map(|rank| (rank.stage.as_str(), rank.rank))
        .collect()
}

#[test]
fn served_posts_come_first_then_those_asked_for() {
    let asked = [key(8, 21), key(2, 10), key(9, 99)];
    let reply = explained(&asked);
    let order: Vec<u64> = reply
        .explanations
        .iter()
        .filter_map(|e| Some(e.post.as_ref()?.post_id))
        .collect();
    assert_eq!(order[3..], [21, 10, 99]);
    assert_eq!(
        order[..3],
        reply.posts.iter().map(|post| post.post_id).collect::<Vec<_>>()
    );
    assert_eq!(
        reply.explanations.iter().map(|e| e.position).collect::<Vec<_>>(),
        [1, 2, 3, 0, 1, 0]
    );
}

#[test]
fn a_removed_post_names_the_filter_and_the_reason() {
    let reply = explained(&[key(8, 21)]);
    let removed = reply.explanations[3].removed.as_ref().expect("its author is blocked");
    assert_eq!(
        (removed.filter.as_str(), removed.reason.as_str()),
        ("AuthorSocialgraph", "blocked_author")
    );
    assert!(reply.explanations[3].score_steps.is_empty() && reply.explanations[3].ranks.is_empty());
}

#[test]
fn a_post_found_twice_names_both_channels() {
    let reply = explained(&[key(2, 10)]);
    let channels: Vec<_> = reply.explanations[3]
        .channels
        .iter()
        .map(|hit| (hit.channel, hit.rank))
        .collect();
    let (in_network, popular) = (super::v1::Channel::InNetwork as i32, super::v1::Channel::Popular as i32);
    assert_eq!(channels, [(in_network, 1), (popular, 3)]);
}

#[test]
fn score_steps_and_ranks_follow_the_scorers() {
    let reply = explained(&[key(2, 11), key(3, 20)]);
    let second = &reply.explanations[3];
    let steps: Vec<_> = second
        .score_steps
        .iter()
        .map(|step| (step.scorer.as_str(), step.note.as_str()))
        .collect();
    let expected = [
        ("WeightedScorer", "no predictions: the score is L1"),
        ("AuthorDiversity", "× 0.625"),
        ("OutOfNetwork", ""),
    ];
    assert_eq!(steps, expected);
    assert_eq!(
        ranks(second),
        [
            ("L1Cut", 2),
            ("WeightedScorer", 2),
            ("AuthorDiversity", 3),
            ("OutOfNetwork", 2)
        ]
    );
    let stranger = &reply.explanations[4];
    assert_eq!(stranger.score_steps[2].note, "× 0.750");
    assert_eq!(
        ranks(stranger),
        [
            ("L1Cut", 4),
            ("WeightedScorer", 4),
            ("AuthorDiversity", 2),
            ("OutOfNetwork", 3)
        ]
    );
}

#[test]
fn a_post_that_was_no_candidate_says_why() {
    let reply = explained(&[key(9, 99), key(2, 98)]);
    for explanation in &reply.explanations[3..] {
        assert!(
            explanation.not_retrieved.starts_with("there is no such post"),
            "{explanation:?}"
        );
    }
}

#[test]
fn every_component_says_what_it_did() {
    let reply = explained(&[]);
    let filter = reply
        .stages
        .iter()
        .find(|stage| stage.component == "AuthorSocialgraph")
        .expect("it ran");
    assert_eq!((filter.candidates_in, filter.candidates_out), (5, 4));
    assert_eq!(filter.removed["blocked_author"], 1);
    assert!(filter.error.is_empty() && filter.skipped.is_empty());
}

#[test]
fn what_had_nothing_to_do_was_skipped_and_has_not_failed() {
    let shards = FakeShards {
        down: ["lists"].into(),
        ..FakeShards::default()
    };
    let reply = explained_by(shards, &[]);
    let told = |name: &str| {
        let stage = reply.stages.iter().find(|stage| stage.component == name);
        let stage = stage.expect("it is told");
        (stage.skipped.as_str(), stage.error.is_empty())
    };
    assert_eq!(told("AuthorSocialgraph"), ("no_candidates", true));
    assert_eq!(told("Popular"), ("", false), "it failed");
    assert_eq!(told("InNetwork"), ("", true), "it is off");
}
