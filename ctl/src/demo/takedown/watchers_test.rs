//! What a reply shows, and when it is whole.

use covey_api::v1::Answer;

use super::*;

fn reply(posts: Vec<FeedPost>, coverage: Option<f64>) -> GetFeedReply {
    let answer = |coverage| Answer {
        coverage,
        ..Answer::default()
    };
    GetFeedReply {
        posts,
        answer: coverage.map(answer),
        ..GetFeedReply::default()
    }
}

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
    let of = |posts| shown(&reply(posts, None));
    assert_eq!(of(vec![plain, repost, quote]), [1, 2, 3, 20, 30].into());
    assert_eq!(of(Vec::new()), [].into());
}

#[test]
fn a_reply_is_whole_if_it_says_that_all_shards_answered() {
    let whole = |coverage| is_whole(&reply(Vec::new(), coverage));
    assert!(whole(Some(1.0)));
    assert!(!whole(Some(0.999)));
    assert!(!whole(None));
}

#[test]
fn every_watcher_has_a_name_of_its_own() {
    let names: BTreeSet<String> = (0..needed(2)).map(name).collect();
    assert_eq!(names.len(), 6);
    assert_eq!(name(5), "coordinator 2, pages");
}
