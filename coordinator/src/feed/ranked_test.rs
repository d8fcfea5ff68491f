//! A feed that a model orders, and business rules on it, from the request to the reply.

use std::time::Duration;

use covey_api::v1;
use covey_config::{CapPer, RuleAction, RuleConfig, RuleList, Secret};
use covey_env::Monotonic;
use covey_shared::ids::{PostId, UserId};
use covey_shared::model::{ActionKind, HEADS, Topics, labels};
use covey_shared::wire::{Candidate, Verdict, ViewerState};

use super::*;
use crate::feed::fake_ranker::{FakeRanker, Mood, by_id, outputs};
use crate::feed::fake_shards::{FakeShards, verdict};
use crate::feed::testing::{VIEWER, core, env, key, moving_env};
use crate::ranking::predictions::Outputs;
use crate::rules::testing::{cap, id, inject, pin, rule, topic};

fn service(shards: FakeShards, rules: Vec<RuleConfig>, ranker: Arc<dyn Ranker>) -> FeedService {
    service_in(env(), shards, rules, ranker)
}

fn service_in(env: Env, shards: FakeShards, rules: Vec<RuleConfig>, ranker: Arc<dyn Ranker>) -> FeedService {
    let mut config = Config::default();
    config.feed.rules = RuleList(rules);
    let sealer = Arc::new(Sealer::new(&Secret::new("a")));
    FeedService::over(Arc::new(shards), sealer, Arc::new(config), env).ranked_by(ranker)
}

fn ask(service: &FeedService, limit: usize, cursor: &str) -> GetFeedReply {
    let request = FeedRequest {
        viewer: VIEWER,
        limit,
        explain: true,
        explain_posts: vec![key(1002, 2), key(1005, 5)],
        cursor: cursor.to_owned(),
        is_bottom_request: true,
        ..FeedRequest::default()
    };
    let context = RequestContext {
        deadline: Monotonic(Duration::from_millis(100_400)),
        trace_id: String::new(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime = runtime.expect("a runtime");
    runtime.block_on(service.feed(request, &context)).expect("a feed")
}

fn ids(reply: &GetFeedReply) -> Vec<u64> {
    reply.posts.iter().map(|post| post.post_id).collect()
}

fn degraded(reply: &GetFeedReply) -> Vec<(&str, &str)> {
    let entries = &reply.answer.as_ref().expect("every reply has an answer block").degraded;
    entries
        .iter()
        .map(|e| (e.component.as_str(), e.reason.as_str()))
        .collect()
}

fn model_version(reply: &GetFeedReply) -> u32 {
    reply
        .answer
        .as_ref()
        .expect("every reply has an answer block")
        .model_version
}

/// The example of docs/feed-semantics.md: 10, 11 and 12 of 2, who is followed, 20 of 9 and 21 of 8.
fn example() -> FakeShards {
    FakeShards {
        state: ViewerState {
            follows: vec![UserId(2)],
            ..ViewerState::default()
        },
        in_network: vec![core(2, 10), core(2, 11), core(2, 12)],
        popular: vec![core(9, 20), core(8, 21)],
        ..FakeShards::default()
    }
}

fn said_of_the_example(post: &Candidate) -> Option<Outputs> {
    use ActionKind::*;
    Some(match post.key.post.0 {
        10 => outputs(&[(Favorite, 0.2), (Reply, 0.02), (Click, 0.3), (DwellTime, 0.2)]),
        11 => outputs(&[(Favorite, 0.1), (Click, 0.2), (DwellTime, 0.1)]),
        12 => outputs(&[(Favorite, 0.1), (Report, 0.001)]),
        20 => outputs(&[(Favorite, 0.3), (Click, 0.5), (Share, 0.05)]),
        _ => return None,
    })
}

#[test]
fn the_example_is_ordered_by_the_model() {
    let service = service(example(), Vec::new(), Arc::new(FakeRanker::new(said_of_the_example)));
    let reply = ask(&service, 5, "");
    assert_eq!(ids(&reply), [10, 20, 11, 12, 21]);
    let scores: Vec<f64> = reply.posts.iter().map(|post| post.score).collect();
    for (score, expected) in scores.iter().zip([0.345, 0.338_25, 0.089_375, 0.000_391_394]) {
        assert!((score - expected).abs() < 1e-7, "{scores:?}");
    }
    assert!(
        scores[4] > scores[0],
        "its first score is a larger number of another scale"
    );
    assert_eq!(degraded(&reply), [("ModelScorer", "partial")]);
    assert_eq!(model_version(&reply), 12);
    let said = &reply.explanations[0].predictions;
    assert_eq!(said.len(), HEADS);
    assert_eq!(
        (said[0].kind(), said[18].kind()),
        (v1::ActionKind::Favorite, v1::ActionKind::DwellTime)
    );
    assert!((said[18].value - 6.0).abs() < 1e-6, "in seconds");
    let notes = |i: usize| reply.explanations[i].score_steps[0].note.as_str();
    assert!(notes(0).starts_with("the weighted sum") && notes(4).starts_with("no predictions"));
    assert!(reply.explanations[4].predictions.is_empty());
}

#[test]
fn a_model_that_fails_as_a_whole_leaves_the_first_score() {
    let moods = [
        (Mood::Fails, "model_gone"),
        (Mood::Hangs, "timed_out"),
        (Mood::Short, "length_mismatch"),
        (Mood::Long, "length_mismatch"),
    ];
    for (mood, reason) in moods {
        let ranker = FakeRanker {
            mood,
            ..FakeRanker::new(said_of_the_example)
        };
        let service = service(example(), Vec::new(), Arc::new(ranker));
        let reply = ask(&service, 2, "");
        assert_eq!(degraded(&reply), [("ModelScorer", reason)]);
        assert_eq!(ids(&reply), [10, 11], "by L1: 1.5 and 0.9375 against 0.75");
        let next = ask(&service, 2, &reply.cursor);
        assert_eq!(
            (ids(&next).len(), degraded(&next)),
            (2, vec![("ModelScorer", "partial")])
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_hangs_leaves_the_verdicts_their_time() {
    let slow = [("in_network", 10_000), ("verdicts", 30), ("authors", 10_000)];
    let shards = FakeShards {
        delays: slow.map(|(read, ms)| (read, Duration::from_millis(ms))).into(),
        ..example()
    };
    let ranker = FakeRanker {
        mood: Mood::Hangs,
        ..FakeRanker::new(said_of_the_example)
    };
    let service = service_in(moving_env(), shards, Vec::new(), Arc::new(ranker));
    let request = FeedRequest {
        viewer: VIEWER,
        limit: 5,
        ..FeedRequest::default()
    };
    // Less than the time-outs of a source and of the model together.
    let context = RequestContext {
        deadline: Monotonic(Duration::from_millis(100_200)),
        trace_id: String::new(),
    };
    let reply = service.feed(request, &context).await.expect("a feed");
    assert_eq!(ids(&reply), [20, 21]);
    let hung = ["InNetwork", "ModelScorer", "Author"].map(|name| (name, "timed_out"));
    assert_eq!(degraded(&reply), hung);
}

#[test]
fn further_posts_of_an_author_count_for_less() {
    let posts = (10..14).map(|id| core(2, id)).collect();
    let shards = FakeShards {
        in_network: posts,
        ..example()
    };
    let sure = |post: &Candidate| (post.key.author.0 == 2).then_some(outputs(&[(ActionKind::Favorite, 1.0)]));
    let reply = ask(&service(shards, Vec::new(), Arc::new(FakeRanker::new(sure))), 4, "");
    let scores: Vec<f64> = reply.posts.iter().map(|post| post.score / 0.501).collect();
    for (score, expected) in scores.iter().zip([1.0, 0.625, 0.4375, 0.34375]) {
        assert!((score - expected).abs() < 1e-9, "{scores:?}");
    }
}

#[test]
fn heads_that_are_not_calibrated_are_named() {
    let ranker = FakeRanker {
        not_calibrated: &[ActionKind::Reply, ActionKind::ShareViaDm],
        ..FakeRanker::new(|_| Some([0.5; HEADS]))
    };
    let reply = ask(&service(example(), Vec::new(), Arc::new(ranker)), 5, "");
    let expected = "not calibrated, weighs 0: reply, share_via_dm";
    assert_eq!(degraded(&reply), [("WeightedScorer", expected)]);
}

/// Posts 1 to `n`, which [`by_id`] ranks from the last to the first, each of an author of its own; even ones are about topic 7.
fn many(n: u64) -> FakeShards {
    let one = |id: u64| {
        let mut post = core(1000 + id, id);
        if id.is_multiple_of(2) {
            post.topics = Topics([7, 0, 0, 0]);
        }
        post
    };
    FakeShards {
        popular: (1..=n).map(one).collect(),
        ..FakeShards::default()
    }
}

fn effects(explanation: &v1::PostExplanation) -> Vec<String> {
    let rules = explanation.rules.iter();
    rules.map(|entry| format!("{}: {}", entry.rule, entry.effect)).collect()
}

fn touched(reply: &GetFeedReply, component: &str) -> Vec<(String, u32)> {
    let stage = reply.stages.iter().rfind(|stage| stage.component == component);
    stage.expect("it ran").rules.clone().into_iter().collect()
}

#[test]
fn a_pin_reaches_far_below_the_slate_and_only_on_the_first_page() {
    let service = service(many(100), vec![pin("welcome", 2, id(2))], by_id());
    let reply = ask(&service, 5, "");
    assert_eq!(ids(&reply), [100, 2, 99, 98, 97], "99th of 100, and 50 are judged");
    assert_eq!(effects(&reply.explanations[1]), ["welcome: pinned to slot 2"]);
    assert!(!reply.explanations[1].rules[0].held_back);
    assert_eq!(touched(&reply, "PageRules"), [("welcome".to_owned(), 1)]);
    assert_eq!(degraded(&reply), []);
    let next = ask(&service, 5, &reply.cursor);
    assert_eq!(ids(&next), [96, 95, 94, 93, 92]);
    let full = ask(&service, 97, &next.cursor);
    assert_eq!(ids(&full)[..2], [91, 90], "a full run, but no first page");
}

#[test]
fn a_pin_brings_nothing_back_that_a_filter_removed() {
    let blocked = ViewerState {
        blocks: vec![UserId(1002)],
        ..ViewerState::default()
    };
    let taken_down = Verdict {
        labels: labels::TAKEDOWN,
        ..verdict(key(1005, 5))
    };
    let shards = FakeShards {
        state: blocked,
        verdicts: [(key(1005, 5), taken_down)].into(),
        ..many(100)
    };
    let rules = vec![pin("a", 1, id(2)), pin("b", 2, id(5)), inject("c", 3, id(5))];
    let reply = ask(&service(shards, rules, by_id()), 4, "");
    assert_eq!(ids(&reply), [100, 99, 98, 97]);
    let removed = |i: usize| reply.explanations[i].removed.as_ref().map(|by| by.filter.as_str());
    assert_eq!(
        [removed(4), removed(5)],
        [Some("AuthorSocialgraph"), Some("Visibility")]
    );
    let nothing = ["a", "b", "c"].map(|name| (name.to_owned(), 0));
    assert_eq!(touched(&reply, "PageRules"), nothing);
}

#[test]
fn the_next_match_takes_the_place_of_one_that_may_not_be_shown() {
    let taken_down = Verdict {
        labels: labels::TAKEDOWN,
        ..verdict(key(1005, 5))
    };
    let mut shards = FakeShards {
        verdicts: [(key(1005, 5), taken_down)].into(),
        ..many(100)
    };
    for post in shards
        .popular
        .iter_mut()
        .filter(|post| [2, 5].contains(&post.key.post.0))
    {
        post.topics = Topics([9, 0, 0, 0]);
    }
    let reply = ask(&service(shards, vec![pin("a", 1, topic(9))], by_id()), 3, "");
    assert_eq!(ids(&reply), [2, 100, 99], "both are called up, 5 is the better one");
    assert_eq!(effects(&reply.explanations[0]), ["a: pinned to slot 1"]);
    let removed = reply.explanations[4].removed.as_ref().expect("it was judged");
    assert_eq!(removed.filter, "Visibility");
}

#[test]
fn what_backfill_removes_again_was_given_no_place() {
    let mut shards = many(100);
    // The slate ends at 51: 45 comes with backfill and is the better one of the conversation.
    for post in shards
        .popular
        .iter_mut()
        .filter(|post| [2, 45].contains(&post.key.post.0))
    {
        post.conversation = PostId(1);
    }
    let reply = ask(&service(shards, vec![pin("welcome", 1, id(2))], by_id()), 60, "");
    assert_eq!((ids(&reply).len(), ids(&reply)[0]), (60, 100));
    let asked = &reply.explanations[60];
    assert_eq!(
        asked.removed.as_ref().map(|by| by.filter.as_str()),
        Some("DedupConversation")
    );
    assert_eq!(effects(asked), [""; 0]);
    let rounds = reply.stages.iter().filter(|stage| stage.component == "PageRules");
    let counts: Vec<_> = rounds.map(|stage| stage.rules.get("welcome").copied()).collect();
    assert_eq!(counts, [None, None, Some(0)], "it counts in the end");
}

#[test]
fn a_cap_holds_on_every_page_and_what_is_held_back_comes_later() {
    let service = service(many(60), vec![cap("two", CapPer::Topic, 2)], by_id());
    let first = ask(&service, 6, "");
    assert_eq!(ids(&first), [60, 59, 58, 57, 55, 53]);
    let second = ask(&service, 6, &first.cursor);
    assert_eq!(ids(&second), [56, 54, 51, 49, 47, 45]);
    let only_even = FakeShards {
        popular: many(60)
            .popular
            .into_iter()
            .filter(|post| post.topics.0[0] == 7)
            .collect(),
        ..FakeShards::default()
    };
    let short = ask(
        &self::service(only_even, vec![cap("two", CapPer::Topic, 2)], by_id()),
        6,
        "",
    );
    assert_eq!(ids(&short), [60, 58], "all backfill brings is of the same topic");
    let second = &short.explanations[2];
    assert_eq!((second.position, second.removed.as_ref()), (0, None));
    assert!(second.rules.iter().any(|rule| rule.held_back), "{:?}", second.rules);
}

#[test]
fn boosts_and_demotions_change_the_order_and_are_explained() {
    let demote = rule("less", RuleAction::Demote { factor: 0.0 }, topic(7));
    let reply = ask(&service(many(6), vec![demote], by_id()), 6, "");
    assert_eq!(ids(&reply)[..3], [5, 3, 1]);
    assert_eq!(touched(&reply, "RuleFactors"), [("less".to_owned(), 3)]);
    let second = &reply.explanations[6];
    let step = second.score_steps.last().expect("it was scored");
    assert_eq!(
        (step.scorer.as_str(), step.note.as_str(), step.after),
        ("RuleFactors", "less × 0.000", 0.0)
    );
    assert!(second.ranks.iter().any(|rank| rank.stage == "RuleFactors"));
}
