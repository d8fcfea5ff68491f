//! Tests of retweet source.

use covey_shared::ids::PostId;
use covey_shared::model::{Media, MediaKind, Post};
use covey_shared::wire::{Counters, PostView};

use super::*;
use crate::feed::testing::{FakeShards, hydrated, key, post, query, repost};

fn view(of: PostKey, video_ms: u32) -> PostView {
    let video = Media {
        kind: MediaKind::Video,
        url: String::new(),
        duration_ms: video_ms,
    };
    PostView {
        post: Post {
            key: of,
            media: vec![video],
            ..Post::default()
        },
        counters: Counters::default(),
    }
}

#[test]
fn only_originals_that_are_not_candidates_are_read() {
    let shards = FakeShards {
        posts: [(key(3, 20), view(key(3, 20), 9000))].into(),
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
    assert_eq!(shards.asked.lock().posts, [vec![key(3, 20), key(3, 99)]]);
    let sources: Vec<_> = after
        .iter()
        .map(|post| post.source.as_ref().map(|core| core.key.post))
        .collect();
    assert_eq!(sources, [None, Some(PostId(10)), Some(PostId(20)), None]);
    assert_eq!(after[2].video_ms, Some(9000));
    assert_eq!(after[2].ranked_as().key, key(3, 20));
    assert_eq!(after[3].ranked_as().key, key(5, 13));
}

#[test]
fn without_reposts_nothing_is_read() {
    let shards = Arc::new(FakeShards::default());
    let rule = RetweetSource {
        shards: shards.clone(),
        timeout: Duration::from_secs(1),
    };
    hydrated(rule, query(), vec![post(2, 10)]);
    assert!(shards.asked.lock().posts.is_empty());
}
