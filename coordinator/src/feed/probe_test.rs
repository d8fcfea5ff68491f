//! Posts that no channel found are looked at by the rules, and told why.

use std::collections::BTreeMap;

use covey_api::v1::{GetFeedReply, PostExplanation};
use covey_config::Secret;
use covey_env::Monotonic;
use covey_shared::ids::{PostId, UserId};
use covey_shared::model::{ActionKind, labels};
use covey_shared::score::{Hit, Score};
use covey_shared::wire::{CandidateFlags, ViewerState};

use super::*;
use crate::feed::fake_shards::FakeShards;
use crate::feed::testing::{MINUTE, VIEWER, action, ago, core, env, key};
use crate::feed::{FeedRequest, FeedService};
use crate::request::RequestContext;
use crate::seal::Sealer;

/// The viewer follows 2 and blocks 8, mutes a word, and liked post 50, whose vector is (1, 0). Posts 1 to 20 of user 3 are popular, 30 to 32
/// of others near; 60 and on only exist.
pub(crate) fn world() -> FakeShards {
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
    ask_by(&Config::default(), shards, asked, with)
}

fn ask_by(config: &Config, shards: FakeShards, asked: &[PostKey], with: impl FnOnce(&mut FeedRequest)) -> GetFeedReply {
    let sealer = Arc::new(Sealer::new(&Secret::new("a")));
    let service = FeedService::over(Arc::new(shards), sealer, Arc::new(config.clone()), env());
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
pub(crate) fn said(shards: FakeShards, of: PostKey, with: impl FnOnce(&mut FeedRequest)) -> PostExplanation {
    said_by(&Config::default(), shards, of, with)
}

fn said_by(config: &Config, shards: FakeShards, of: PostKey, with: impl FnOnce(&mut FeedRequest)) -> PostExplanation {
    let reply = ask_by(config, shards, &[of], with);
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
    assert!(
        unknown
            .not_retrieved
            .starts_with("it could not be looked at in time, or"),
        "{unknown:?}"
    );
}

#[test]
fn each_channel_says_what_it_took_instead() {
    let post = said(world(), key(9, 60), |_| ());
    assert_eq!(post.removed, None);
    for sentence in [
        "the author is not followed",
        "OutOfNetwork took 3 posts, fewer than the 1000 that it may: its similarity is 0.600, theirs is at least 0.700",
        "SimilarToRecent took 3 posts: its similarity is 0.600",
        "Popular took 20 posts, fewer than the 300 that it may: only posts with engagement are in its list",
        "Active took 0 posts, fewer than the 200 that it may: only posts with answers or quotes are in its list",
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
            .contains("its similarity is 0.750, theirs is at least 0.700, but nearer ones come first"),
        "{near:?}"
    );
    let followed = said(world(), key(2, 66), |_| ());
    assert!(
        followed
            .not_retrieved
            .starts_with("InNetwork took 1 posts, fewer than the 1200 that it may: this one is 85 min older"),
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
    assert!(last.not_retrieved.contains("could not be looked at"), "{last:?}");
}

/// What the channel says.
pub(crate) fn by_channel(name: &str, of: &PostExplanation) -> String {
    let mut sentences = of.not_retrieved.split("; ");
    let sentence = sentences.find(|sentence| sentence.starts_with(name));
    sentence
        .unwrap_or_else(|| panic!("{name} says nothing: {of:?}"))
        .to_owned()
}

#[test]
fn what_is_left_out_next_to_the_data_is_said_before_the_channels() {
    let with = |change: fn(&mut Candidate), of: PostKey| {
        let mut shards = world();
        change(shards.posts.get_mut(&of).expect("it exists"));
        shards
    };
    let reply = |post: &mut Candidate| post.reply_to = key(5, 50);
    let video = |post: &mut Candidate| post.video_ms = 9;
    let videos = |request: &mut FeedRequest| request.video_only = true;
    let stranger = said(with(reply, key(9, 60)), key(9, 60), |_| ());
    assert!(
        stranger.not_retrieved.starts_with("it answers another post"),
        "{stranger:?}"
    );
    let followed = said(with(reply, key(2, 66)), key(2, 66), |_| ());
    assert!(followed.not_retrieved.starts_with("InNetwork took"), "{followed:?}");
    for post in [key(9, 60), key(2, 66)] {
        let none = said(world(), post, videos);
        assert_eq!(none.not_retrieved, "the request is for videos only, and it has none");
        let some = said(with(video, post), post, videos);
        assert!(some.not_retrieved.contains("Popular took"), "{some:?}");
    }
}

#[test]
fn a_channel_says_when_it_did_not_look_or_not_everywhere() {
    let post = key(9, 60);
    let down = FakeShards {
        down: ["search", "lists"].into(),
        ..world()
    };
    let failed = said(down, post, |_| ());
    for name in ["OutOfNetwork", "SimilarToRecent", "Popular", "New", "Active"] {
        assert_eq!(by_channel(name, &failed), format!("{name} failed"));
    }
    let hole = FakeShards {
        holes: ["search", "lists"].into(),
        ..world()
    };
    let hole = said(hole, post, |_| ());
    assert_eq!(
        by_channel("Popular", &hole),
        "Popular took 20 posts, but its answer is not whole"
    );
    assert_eq!(
        by_channel("OutOfNetwork", &hole),
        "OutOfNetwork took 3 posts, but its answer is not whole"
    );
    let mut config = Config::default();
    (config.feed.popular.enabled, config.feed.out_of_network.enabled) = (false, false);
    let off = said_by(&config, world(), post, |_| ());
    assert_eq!(by_channel("Popular", &off), "Popular did not look: it is switched off");
    let off = by_channel("OutOfNetwork", &off);
    assert!(
        off.ends_with("it is switched off, or the viewer has liked nothing"),
        "{off}"
    );
    let unread = FakeShards {
        down: ["vectors"].into(),
        ..world()
    };
    let unread = said(unread, post, |_| ());
    assert_eq!(by_channel("OutOfNetwork", &unread), "OutOfNetwork failed");
    assert!(unread.not_retrieved.contains("found, its first score of"), "{unread:?}");
}

#[test]
fn a_full_list_and_what_comes_first_in_it() {
    let mut config = Config::default();
    config.feed.popular.max_posts = 20;
    config.feed.new.max_posts = 2;
    let small = |post: Candidate, minutes: u64| Candidate {
        created_at: ago(minutes * MINUTE),
        flags: CandidateFlags(post.flags.0 | CandidateFlags::SMALL_AUTHOR),
        ..post
    };
    let of_new = |newest: Vec<Candidate>, this: Candidate| {
        let mut shards = world();
        shards.newest = newest;
        shards.posts.insert(this.key, this);
        said_by(&config, shards, this.key, |_| ())
    };
    let (own, near) = (small(core(1070, 70), 1), small(core(1071, 71), 2));
    let large = Candidate {
        created_at: ago(MINUTE),
        ..core(1072, 72)
    };
    let post = of_new(vec![own, near], core(9, 60));
    assert_eq!(
        by_channel("Popular", &post),
        "Popular took 20 posts: those have more engagement of late"
    );
    assert_eq!(
        by_channel("New", &post),
        "New took 2 posts: those are of authors with few followers, who come first"
    );
    let post = of_new(vec![own, near], small(core(9, 60), 3));
    assert_eq!(
        by_channel("New", &post),
        "New took 2 posts: this one is 60 s older than the last of them"
    );
    let older = Candidate {
        created_at: ago(4 * MINUTE),
        ..core(9, 60)
    };
    let post = of_new(vec![own, large], older);
    assert_eq!(
        by_channel("New", &post),
        "New took 2 posts: this one is 3 min older than the last of them"
    );
}

#[test]
fn the_place_that_its_first_score_would_give_it_is_counted() {
    let lonely = |popular: u32| {
        let mut shards = world();
        (shards.state, shards.in_network) = (ViewerState::default(), Vec::new());
        shards.popular.truncate(3);
        for (post, likes) in shards.popular.iter_mut().zip([30, 20, 10]) {
            post.engagement.engaged = likes;
        }
        let post = shards.posts.get_mut(&key(9, 60));
        post.expect("it exists").engagement.engaged = popular;
        said(shards, key(9, 60), |_| ()).not_retrieved
    };
    for (likes, place) in [(40, 1), (25, 2), (5, 4)] {
        let said = lonely(likes);
        assert!(
            said.ends_with(&format!("would be number {place} of 4")),
            "{likes}: {said}"
        );
    }
}

#[test]
fn posts_are_not_compared_with_each_other_and_all_are_looked_at() {
    let lasting = Lasting::over(Arc::new(FakeShards::default()), &env());
    let names = pipeline::components(&lasting, &Config::default()).names();
    for rule in COMPARING {
        assert!(names.iter().any(|(_, name)| *name == rule), "{rule}");
    }
    let mut config = Config::default();
    (config.limits.feed_posts, config.feed.l2_candidates, config.feed.top_k) = (10, 10, 10);
    let copies: Vec<Candidate> = (0..MOST as u64)
        .map(|i| Candidate {
            simhash: 0xABCD_EF01_2345_6789,
            ..core(9, 500 + i)
        })
        .collect();
    let asked: Vec<PostKey> = copies.iter().map(|post| post.key).collect();
    let mut shards = world();
    shards.posts.extend(copies.into_iter().map(|post| (post.key, post)));
    let reply = ask_by(&config, shards, &asked, |_| ());
    let said = &reply.explanations[reply.posts.len()..];
    assert_eq!(said.len(), MOST);
    for post in said {
        assert!(
            post.removed.is_none() && post.not_retrieved.contains("found, its first score"),
            "{post:?}"
        );
    }
}
