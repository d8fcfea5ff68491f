//! Posts that no channel found are looked at by the rules, and told why.

use std::collections::BTreeMap;

use covey_api::v1::{GetFeedReply, PostExplanation};
use covey_config::Secret;
use covey_env::Monotonic;
use covey_shared::ids::{PostId, UserId};
use covey_shared::model::{ActionKind, labels};
use covey_shared::score::{Hit, Score};
use covey_shared::wire::ViewerState;

use super::*;
use crate::feed::fake_shards::FakeShards;
use crate::feed::testing::{MINUTE, VIEWER, action, ago, core, env, key};
use crate::feed::{FeedRequest, FeedService};
use crate::request::RequestContext;
use crate::seal::Sealer;

/// The viewer follows 2 and blocks 8, mutes a word, and liked post 50, whose vector is (1, 0). Posts 1 to 20 of user 3 are popular, 30 to 32
/// of others near; 60 and on only exist.
fn world() -> FakeShards {
    let liked = key(5, 50);
    let near = [(30, 0.9), (31, 0.8), (32, 0.7)];
    let exists = [
        core(9, 60),
        Candidate {
            created_at: ago(49 * 60 * MINUTE),
            ..core(9, 61)
        },
        core(8, 62),
        Candidate {
            labels: labels::TAKEDOWN,
            ..core(9, 63)
        },
        core(9, 64),
        core(9, 65),
        Candidate {
            created_at: ago(90 * MINUTE),
            ..core(2, 66)
        },
    ];
    let near_posts = near.map(|(id, _)| core(1000 + id, id));
    let posts: BTreeMap<_, _> = exists
        .into_iter()
        .chain(near_posts)
        .map(|core| (core.key, core))
        .collect();
    FakeShards {
        state: ViewerState {
            follows: vec![UserId(2)],
            blocks: vec![UserId(8)],
            muted_keywords: vec!["spoiler".to_owned()],
            actions: vec![action(ActionKind::Favorite, liked, ago(MINUTE))],
            ..ViewerState::default()
        },
        in_network: vec![Candidate {
            created_at: ago(5 * MINUTE),
            ..core(2, 40)
        }],
        popular: (1..21).map(|id| core(3, id)).collect(),
        hits: near
            .map(|(id, score)| Hit {
                key: key(1000 + id, id),
                score: Score::new(score).expect("a number"),
                slot: covey_shared::slots::Slot::of(UserId(1000 + id)).0,
            })
            .to_vec(),
        vectors: [
            (liked, vec![1.0, 0.0]),
            (key(9, 60), vec![0.6, 0.8]),
            (key(9, 65), vec![0.75, 0.66]),
        ]
        .into(),
        texts: [(key(9, 64), "a spoiler".to_owned())].into(),
        posts,
        ..FakeShards::default()
    }
}

fn ask(shards: FakeShards, asked: &[PostKey], with: impl FnOnce(&mut FeedRequest)) -> GetFeedReply {
    let sealer = Arc::new(Sealer::new(&Secret::new("a")));
    let service = FeedService::over(Arc::new(shards), sealer, Arc::new(Config::default()), env());
    let mut request = FeedRequest {
        viewer: VIEWER,
        limit: 10,
        explain: true,
        explain_posts: asked.to_vec(),
        dry_run: true,
        ..FeedRequest::default()
    };
    with(&mut request);
    let context = RequestContext {
        deadline: Monotonic(Duration::from_secs(102)),
        trace_id: String::new(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let feed = runtime.expect("a runtime").block_on(service.feed(request, &context));
    feed.expect("a feed")
}

/// What is said of one post that was not found.
fn said(shards: FakeShards, of: PostKey, with: impl FnOnce(&mut FeedRequest)) -> PostExplanation {
    let reply = ask(shards, &[of], with);
    let said = reply.explanations.last().cloned().expect("it was asked for");
    assert!(
        said.position == 0 && said.channels.is_empty() && !said.not_retrieved.is_empty(),
        "{said:?}"
    );
    said
}

#[test]
fn the_rule_that_hides_a_post_from_the_channels_is_named() {
    let seen = |request: &mut FeedRequest| request.seen = vec![PostId(60)];
    for (post, rule, reason) in [
        (key(9, 61), "Age", "too_old"),
        (key(8, 62), "AuthorSocialgraph", "blocked_author"),
        (key(9, 63), "Labels", "takedown"),
        (key(9, 64), "MutedKeyword", "muted_keyword"),
        (key(9, 60), "PreviouslySeen", "seen_ids"),
    ] {
        let said = said(world(), post, seen);
        let removed = said
            .removed
            .as_ref()
            .map(|removed| (removed.filter.as_str(), removed.reason.as_str()));
        assert_eq!(removed, Some((rule, reason)), "{said:?}");
        assert!(
            said.not_retrieved
                .starts_with(&format!("{rule} leaves it out ({reason})")),
            "{said:?}"
        );
    }
}

#[test]
fn a_post_that_does_not_exist_is_told_from_one_of_which_nobody_knows() {
    let gone = said(world(), key(9, 99), |_| ());
    assert!(gone.not_retrieved.starts_with("there is no such post"), "{gone:?}");
    let hole = FakeShards {
        holes: ["candidates"].into(),
        ..world()
    };
    let unknown = said(hole, key(9, 99), |_| ());
    assert!(unknown.not_retrieved.contains("a shard did not answer"), "{unknown:?}");
}

#[test]
fn each_channel_says_what_it_took_instead() {
    let post = said(world(), key(9, 60), |_| ());
    assert_eq!(post.removed, None);
    for sentence in [
        "the author is not followed",
        "OutOfNetwork: its similarity is 0.600, and the 3 posts that it took have at least 0.700",
        "SimilarToRecent: its similarity is 0.600",
        "Popular took 20 posts with more engagement of late",
        "found, its first score of ",
    ] {
        assert!(
            post.not_retrieved.contains(sentence),
            "{sentence}: {}",
            post.not_retrieved
        );
    }
    assert!(post.l1_score > 0.0);
    let near = said(world(), key(9, 65), |_| ());
    assert!(
        near.not_retrieved
            .contains("its similarity of 0.750 is one that it took (0.700 at least"),
        "{near:?}"
    );
    let followed = said(world(), key(2, 66), |_| ());
    assert!(
        followed
            .not_retrieved
            .starts_with("InNetwork took 1 posts, and this one is 5100 s older"),
        "{followed:?}"
    );
    let only = said(world(), key(9, 60), |request| request.in_network_only = true);
    assert!(
        only.not_retrieved.contains("in-network posts only") && !only.not_retrieved.contains("Popular"),
        "{only:?}"
    );
}

#[test]
fn looking_at_posts_changes_nothing_of_the_feed() {
    let shown = |reply: &GetFeedReply| reply.posts.iter().map(|post| post.post_id).collect::<Vec<_>>();
    let plain = ask(world(), &[], |_| ());
    let asked = [key(9, 60), key(9, 61), key(1030, 30)];
    let explained = ask(world(), &asked, |_| ());
    assert_eq!(shown(&plain), shown(&explained));
    assert_eq!(plain.stages.len(), explained.stages.len());
    // Nothing else reads posts by their keys here.
    let cut_off = |asked: &[PostKey]| {
        let shards = FakeShards {
            hits: Vec::new(),
            down: ["candidates"].into(),
            ..world()
        };
        ask(shards, asked, |_| ())
    };
    let answer = |reply: &GetFeedReply| {
        let answer = reply.answer.as_ref().expect("every reply has one");
        (answer.coverage, answer.degraded.clone())
    };
    let explained = cut_off(&asked);
    assert_eq!(answer(&cut_off(&[])), answer(&explained));
    let last = explained.explanations.last().expect("it was asked for");
    assert!(last.not_retrieved.contains("a shard did not answer"), "{last:?}");
}
