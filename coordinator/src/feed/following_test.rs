//! The pages of the Following feed against the whole list.

use std::time::Duration;

use covey_api::v1::GetFeedReply;
use covey_config::Secret;
use covey_env::Monotonic;
use covey_pipeline::Stage;
use covey_shared::ids::{PostId, UserId};
use covey_shared::model::labels::TAKEDOWN;
use covey_shared::wire::{Candidate, Verdict, ViewerState};

use super::*;
use crate::feed::cursor::Cursor;
use crate::feed::fake_shards::{FakeShards, verdict};
use crate::feed::testing::{MINUTE, VIEWER, ago, core, env, key};
use crate::feed::{FeedError, FeedKind, FeedRequest, FeedService};
use crate::request::RequestContext;

/// One coordinator of a cluster that has these posts.
struct Coordinator(FeedService);

impl Coordinator {
    fn new(posts: &[Candidate], taken_down: &[PostId]) -> Coordinator {
        let verdicts = posts.iter().filter(|post| taken_down.contains(&post.key.post));
        let verdicts = verdicts.map(|post| {
            let verdict = Verdict {
                labels: TAKEDOWN,
                ..verdict(post.key)
            };
            (post.key, verdict)
        });
        let shards = FakeShards {
            state: ViewerState {
                follows: vec![UserId(2), UserId(3), UserId(5)],
                blocks: vec![UserId(5)],
                ..ViewerState::default()
            },
            in_network: posts.to_vec(),
            verdicts: verdicts.collect(),
            ..FakeShards::default()
        };
        let sealer = Arc::new(Sealer::new(&Secret::new("a")));
        Coordinator(FeedService::over(Arc::new(shards), sealer, Arc::default(), env()))
    }

    fn ask(&self, request: FeedRequest) -> Result<GetFeedReply, FeedError> {
        let context = RequestContext {
            deadline: Monotonic(Duration::from_secs(101)),
            trace_id: String::new(),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        runtime.expect("a runtime").block_on(self.0.feed(request, &context))
    }

    fn page(&self, limit: usize, cursor: &str, is_bottom_request: bool) -> (Vec<u64>, String) {
        let request = FeedRequest {
            is_bottom_request,
            cursor: cursor.to_owned(),
            limit,
            ..following()
        };
        let reply = self.ask(request).expect("nothing fails");
        let degraded = reply.answer.expect("every reply has an answer block").degraded;
        assert_eq!(degraded, [], "it needs no model");
        (reply.posts.iter().map(|post| post.post_id).collect(), reply.cursor)
    }

    /// All further pages.
    fn rest(&self, limit: usize, mut cursor: String) -> Vec<u64> {
        let mut all = Vec::new();
        while !cursor.is_empty() {
            let (posts, next) = self.page(limit, &cursor, true);
            assert!(posts.len() <= limit);
            all.extend(posts);
            cursor = next;
        }
        all
    }
}

fn following() -> FeedRequest {
    FeedRequest {
        viewer: VIEWER,
        kind: FeedKind::Following,
        limit: 10,
        ..FeedRequest::default()
    }
}

/// Posts of the viewer, of two whom the viewer follows, and of a stranger; several of each moment, many older than any
/// other feed shows.
fn posts(ids: impl Iterator<Item = u64>) -> Vec<Candidate> {
    let post = |id: u64| Candidate {
        created_at: ago((100_000 - id / 4) * MINUTE),
        ..core(id * 7 % 4 + 1, id)
    };
    ids.map(post).collect()
}

fn listed(mut posts: Vec<Candidate>, taken_down: &[PostId]) -> Vec<u64> {
    posts.sort_by_key(|post| (std::cmp::Reverse(post.created_at), post.key.post));
    posts.retain(|post| post.key.author != UserId(4) && !taken_down.contains(&post.key.post));
    posts.iter().map(|post| post.key.post.0).collect()
}

#[test]
fn the_pages_are_the_whole_list_without_what_may_not_be_shown() {
    let posts = posts(1..=400);
    let few: Vec<PostId> = (1..400).step_by(9).map(PostId).collect();
    // More in a row than are read for a page.
    let many: Vec<PostId> = (100..300).map(PostId).collect();
    for taken_down in [Vec::new(), few, many] {
        let coordinator = Coordinator::new(&posts, &taken_down);
        let wanted = listed(posts.clone(), &taken_down);
        for limit in [1, 7, 35, 100] {
            let (mut all, cursor) = coordinator.page(limit, "", false);
            all.extend(coordinator.rest(limit, cursor));
            assert_eq!(all, wanted, "pages of {limit}, {} taken down", taken_down.len());
        }
    }
}

#[test]
fn writes_and_deletes_between_two_pages_neither_repeat_nor_hide_a_post() {
    let before = Coordinator::new(&posts(1..=200), &[]);
    let (first, cursor) = before.page(20, "", false);
    // Another coordinator: what was shown last and what comes next is gone, and there are 50 new posts.
    let last = *first.last().expect("the page is full");
    let left = posts((1..=250).filter(|id| *id != last && !(140..160).contains(id)));
    let after = Coordinator::new(&left, &[]);
    let rest = after.rest(20, cursor);
    let wanted: Vec<u64> = listed(left, &[])
        .into_iter()
        .filter(|id| *id <= 200 && !first.contains(id))
        .collect();
    assert_eq!(rest, wanted);
}

#[test]
fn without_a_bottom_request_comes_what_was_written_since() {
    let (first, cursor) = Coordinator::new(&posts(1..=200), &[]).page(20, "", false);
    let (none, same) = Coordinator::new(&posts(1..=200), &[]).page(20, &cursor, false);
    assert_eq!((none.len(), same.as_str()), (0, cursor.as_str()));
    // Few new posts: the session then goes on where it was.
    let some = posts(1..=212);
    let coordinator = Coordinator::new(&some, &[]);
    let (new, cursor) = coordinator.page(20, &cursor, false);
    let mut all = [new.clone(), first].concat();
    all.extend(coordinator.rest(20, cursor.clone()));
    // 202 and 203 are of the moment of 200, which was read before.
    assert_eq!(new, [212, 208, 210, 211, 204, 206, 207, 202, 203]);
    all.sort_unstable();
    let mut wanted = listed(some, &[]);
    wanted.sort_unstable();
    assert_eq!(all, wanted);
    // Many: the pages behind the first of them are new, too.
    let many = posts(1..=400);
    let coordinator = Coordinator::new(&many, &[]);
    let (mut all, cursor) = coordinator.page(20, &cursor, false);
    all.extend(coordinator.rest(20, cursor));
    assert_eq!(all, listed(many, &[]));
}

#[test]
fn new_posts_of_one_moment_are_told_once_whatever_fits_on_a_page() {
    // Ten of each moment, all of one author; three of them are there at first.
    let of = |ids: std::ops::RangeInclusive<u64>| -> Vec<Candidate> {
        let post = |id: u64| Candidate {
            created_at: ago((1000 - id / 10) * MINUTE),
            ..core(2, id)
        };
        ids.map(post).collect()
    };
    let (old, new) = (Coordinator::new(&of(10..=12), &[]), Coordinator::new(&of(10..=25), &[]));
    for limit in [1, 2, 3, 30] {
        let (mut all, mut cursor) = old.page(limit, "", false);
        loop {
            let (posts, next) = old.page(limit, &cursor, true);
            all.extend(posts);
            if next.is_empty() {
                break;
            }
            cursor = next;
        }
        // A page at a time; what does not fit is on the pages behind.
        let (posts, cursor) = new.page(limit, &cursor, false);
        all.extend(posts);
        all.extend(new.rest(limit, cursor));
        all.sort_unstable();
        all.dedup();
        assert_eq!(all, (10..=25).collect::<Vec<u64>>(), "pages of {limit}");
    }
}

#[test]
fn another_list_begins_anew() {
    let coordinator = Coordinator::new(&posts(1..=40), &[]);
    let (first, cursor) = coordinator.page(5, "", false);
    let videos = FeedRequest {
        limit: 5,
        video_only: true,
        is_bottom_request: true,
        cursor,
        ..following()
    };
    // These shards do not know what is a video: the newest posts are there again.
    let reply = coordinator.ask(videos).expect("nothing fails");
    let shown: Vec<u64> = reply.posts.iter().map(|post| post.post_id).collect();
    assert_eq!(shown, first);
}

#[test]
fn a_shard_that_does_not_answer_is_no_end_of_the_list() {
    let shards = FakeShards {
        holes: ["in_network"].into(),
        ..FakeShards::default()
    };
    let sealer = Arc::new(Sealer::new(&Secret::new("a")));
    let down = Coordinator(FeedService::over(Arc::new(shards), sealer, Arc::default(), env()));
    let refused = down.ask(following());
    assert!(matches!(refused, Err(FeedError::Unavailable { .. })), "{refused:?}");
    let (_, cursor) = Coordinator::new(&posts(1..=5), &[]).page(10, "", false);
    for is_bottom_request in [true, false] {
        let again = FeedRequest {
            cursor: cursor.clone(),
            is_bottom_request,
            ..following()
        };
        let reply = down.ask(again).expect("a part answered");
        assert_eq!((reply.posts.len(), &reply.cursor), (0, &cursor));
    }
}

#[test]
fn what_is_seen_or_old_is_shown_and_nothing_is_taste() {
    let coordinator = Coordinator::new(&posts(1..=40), &[]);
    let all = listed(posts(1..=40), &[]);
    let seen = FeedRequest {
        limit: 40,
        seen: all.iter().copied().map(PostId).collect(),
        served: all.iter().copied().map(PostId).collect(),
        ..following()
    };
    let reply = coordinator.ask(seen).expect("nothing fails");
    assert_eq!(reply.posts.len(), all.len());
    assert!(reply.posts.iter().all(|post| post.in_network && post.score == 0.0));
    let lasting = Lasting::over(Arc::new(FakeShards::default()), &env());
    let names = components(&lasting, &Config::default()).names();
    let of = |stage: Stage| -> Vec<&str> {
        let mine = names.iter().filter(|(at, _)| *at == stage);
        mine.map(|(_, name)| *name).collect()
    };
    let filters = [
        "AlreadyRead",
        "CoreData",
        "IneligibleSubscription",
        "MutedKeyword",
        "AuthorSocialgraph",
        "Labels",
    ];
    assert_eq!(of(Stage::Filter), filters);
    assert_eq!(of(Stage::PostFilter), ["Visibility"]);
    assert_eq!(of(Stage::DependentQueryHydrator), ["UserFeatures"]);
    assert_eq!(of(Stage::Scorer), [""; 0]);
}

#[test]
fn a_cursor_belongs_to_a_viewer_and_a_feed() {
    let coordinator = Coordinator::new(&posts(1..=40), &[]);
    let (_, cursor) = coordinator.page(5, "", false);
    let refused = |request: FeedRequest| matches!(coordinator.ask(request), Err(FeedError::Cursor(_)));
    let with = |cursor: &str| FeedRequest {
        cursor: cursor.to_owned(),
        is_bottom_request: true,
        ..following()
    };
    assert!(!refused(with(&cursor)));
    assert!(refused(FeedRequest {
        viewer: UserId(2),
        ..with(&cursor)
    }));
    assert!(refused(FeedRequest {
        kind: FeedKind::ForYou,
        ..with(&cursor)
    }));
    let sealer = Sealer::new(&Secret::new("a"));
    let other = Cursor::new(VIEWER).next(0, vec![PostId(1)], 10).seal(&sealer);
    assert!(refused(with(&other)));
    assert!(!refused(FeedRequest {
        kind: FeedKind::ForYou,
        ..with(&other)
    }));
}

#[test]
fn explanations_say_why_a_post_is_not_on_the_page() {
    let coordinator = Coordinator::new(&posts(1..=200), &[PostId(200)]);
    let asked = [200, 196, 2, 1].map(|id| key(id * 7 % 4 + 1, id));
    let request = FeedRequest {
        explain: true,
        dry_run: true,
        explain_posts: asked.to_vec(),
        ..following()
    };
    let reply = coordinator.ask(request).expect("nothing fails");
    let said: Vec<_> = reply.explanations.iter().rev().take(4).rev().collect();
    assert_eq!(
        said[0].removed.as_ref().map(|removal| removal.reason.as_str()),
        Some("takedown")
    );
    assert_eq!(said[1].position, 1);
    assert!(
        said[1].score_steps.is_empty() && said[1].ranks.is_empty(),
        "nothing is ranked"
    );
    assert!(
        said[2].not_retrieved.starts_with("it is not in this part"),
        "{:?}",
        said[2]
    );
    assert!(
        said[3].not_retrieved.starts_with("the author is not followed"),
        "{:?}",
        said[3]
    );
}
