//! What a reply shows.

use super::*;

#[test]
fn a_reply_shows_what_its_posts_repeat_and_quote() {
    let plain = FeedPost {
        post_id: 1,
        ..FeedPost::default()
    };
    let repost = FeedPost {
        post_id: 2,
        retweeted_post_id: 20,
        ..FeedPost::default()
    };
    let quote = FeedPost {
        post_id: 3,
        quoted_post_id: 30,
        ..FeedPost::default()
    };
    let reply = GetFeedReply {
        posts: vec![plain, repost, quote],
        ..GetFeedReply::default()
    };
    assert_eq!(shown(&reply), [1, 2, 3, 20, 30].into());
    assert_eq!(shown(&GetFeedReply::default()), [].into());
}

#[test]
fn every_watcher_has_a_name_of_its_own() {
    let names: BTreeSet<String> = (0..needed(2)).map(name).collect();
    assert_eq!(names.len(), 6);
    assert_eq!(name(5), "coordinator 2, pages");
}
