//! Tests of author.

use super::*;
use crate::feed::fake_shards::FakeShards;
use crate::feed::testing::{hydrated, post, query};

fn info(user: u64) -> AuthorInfo {
    AuthorInfo {
        user: UserId(user),
        screen_name: String::new(),
        followers: 1,
    }
}

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn each_author_is_asked_for_once_and_then_remembered() {
    let shards = Arc::new(FakeShards::default());
    let known: Arc<KnownAuthors> = Arc::default();
    let rule = || Author {
        shards: shards.clone(),
        timeout: at(1),
        known: known.clone(),
    };
    let posts = vec![post(2, 10), post(3, 11), post(2, 12)];
    let after = hydrated(rule(), query(), posts.clone());
    let names: Vec<_> = after
        .iter()
        .map(|post| post.author.as_ref().map(|author| author.screen_name.as_str()))
        .collect();
    assert_eq!(names, [Some("user2"), Some("user3"), Some("user2")]);
    // What takes its place knows them.
    hydrated(rule(), query(), posts);
    assert_eq!(shards.asked.lock().authors, [vec![UserId(2), UserId(3)]]);
}

#[test]
fn what_is_remembered_is_bounded_in_number_and_time() {
    let mut cache = Cache::new(2, at(60));
    cache.put(&[info(1), info(2)], at(0));
    cache.put(&[info(3)], at(30));
    let users = [UserId(1), UserId(2), UserId(3)];
    assert_eq!(cache.split(&users, at(59)).1, [UserId(1)]);
    assert_eq!(cache.split(&users, at(60)).1, [UserId(1), UserId(2)]);
    assert_eq!(cache.split(&users, at(90)).1, users);
    assert!(cache.authors.is_empty() && cache.order.is_empty());
}

#[test]
fn an_author_read_again_stays_as_long_as_the_last_time_says() {
    let mut cache = Cache::new(9, at(60));
    cache.put(&[info(1)], at(0));
    cache.put(&[info(1)], at(50));
    assert!(cache.split(&[UserId(1)], at(70)).1.is_empty());
}
