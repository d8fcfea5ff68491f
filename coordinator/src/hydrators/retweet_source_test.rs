//! Tests of retweet source.

use covey_shared::ids::PostId;
use covey_shared::wire::Candidate;

use super::*;
use crate::feed::fake_shards::FakeShards;
use crate::feed::testing::{core, hydrated, key, post, query, repost};

#[test]
fn only_originals_that_are_not_candidates_are_read() {
    let video = Candidate {
        video_ms: 9000,
        ..core(3, 20)
    };
    let shards = FakeShards {
        posts: [(video.key, video)].into(),
        ..FakeShards::default()
    };
    let shards = Arc::new(shards);
    let rule = RetweetSource {
        shards: shards.clone(),
        timeout: Duration::from_secs(1),
    };
    let posts = vec![
        post(2, 10),
        repost(4, 11, key(2, 10)),
        repost(4, 12, key(3, 20)),
        repost(5, 13, key(3, 99)),
    ];
    let after = hydrated(rule, query(), posts);
    assert_eq!(shards.asked.lock().candidates, [vec![key(3, 20), key(3, 99)]]);
    let sources: Vec<_> = after
        .iter()
        .map(|post| post.source().map(|core| core.key.post))
        .collect();
    assert_eq!(sources, [None, Some(PostId(10)), Some(PostId(20)), None]);
    assert_eq!(after[2].video_ms, Some(9000));
    assert_eq!(after[2].ranked_as().key, key(3, 20));
    assert_eq!(after[3].ranked_as().key, key(5, 13));
    assert_eq!(after[3].source, Repeated::Gone);
    assert!(!after[3].source_unknown());
}

#[test]
fn what_an_incomplete_answer_does_not_have_may_exist() {
    let read = |shards: FakeShards| {
        let rule = RetweetSource {
            shards: Arc::new(shards),
            timeout: Duration::from_secs(1),
        };
        hydrated(rule, query(), vec![repost(5, 13, key(3, 99))]).remove(0)
    };
    let damaged = FakeShards {
        damaged: ["candidates"].into(),
        ..FakeShards::default()
    };
    let down = FakeShards {
        down: ["candidates"].into(),
        ..FakeShards::default()
    };
    for shards in [damaged, down] {
        let after = read(shards);
        assert_eq!(after.source, Repeated::Unknown);
        assert!(after.source_unknown());
    }
}

#[test]
fn without_reposts_nothing_is_read() {
    let shards = Arc::new(FakeShards::default());
    let rule = RetweetSource {
        shards: shards.clone(),
        timeout: Duration::from_secs(1),
    };
    hydrated(rule, query(), vec![post(2, 10)]);
    assert!(shards.asked.lock().candidates.is_empty());
}
