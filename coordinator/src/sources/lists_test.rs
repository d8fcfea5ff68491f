//! Tests of lists: one read serves all channels, and each keeps what is its own.

use covey_config::Config;
use covey_shared::ids::PostId;

use super::*;
use crate::feed::fake_shards::FakeShards;
use crate::feed::testing::{ago, core, query, run_context};

fn shards() -> FakeShards {
    FakeShards {
        popular: (1..=9).map(|i| core(2, i)).collect(),
        newest: (1..=9).map(|i| core(3, 10 + i)).collect(),
        active: (1..=9).map(|i| core(4, 20 + i)).collect(),
        ..FakeShards::default()
    }
}

/// What all channels of one request say, and what the shards were asked.
fn find(query: &FeedQuery, feed: FeedConfig, shards: FakeShards) -> ([Result<Vec<u64>, String>; 3], Vec<ListsAsk>) {
    let shards = Arc::new(shards);
    let over: Arc<dyn Shards> = shards.clone();
    let sources = list_sources(&over, &feed);
    let run = run_context();
    let all = sources.each_ref().map(|source| source.find(&run, query));
    let found: Vec<_> = futures::executor::block_on(futures::future::join_all(all));
    let found: [_; 3] = found.try_into().expect("three channels");
    let said = found.map(|found| match found {
        Ok(posts) => Ok(posts.iter().map(|post| post.post().0).collect()),
        Err(error) => Err(error.reason().to_owned()),
    });
    let asked = std::mem::take(&mut shards.asked.lock().lists);
    (said, asked)
}

/// Three of each list.
fn feed() -> FeedConfig {
    let mut feed = Config::default().feed;
    feed.popular.max_posts = 3;
    feed.new.max_posts = 3;
    feed.active.max_posts = 3;
    feed
}

#[test]
fn one_read_brings_each_channel_its_own_list() {
    let query = query();
    let (said, asked) = find(&query, feed(), shards());
    assert_eq!(said, [Ok(vec![1, 2, 3]), Ok(vec![11, 12, 13]), Ok(vec![21, 22, 23])]);
    let lists: Vec<_> = asked.iter().map(|ask| ask.lists.clone()).collect();
    assert_eq!(
        lists,
        [[
            (RankedBy::Popularity, 3),
            (RankedBy::Newest, 9),
            (RankedBy::Activity, 3)
        ]]
    );
    let cost = query.ledger.account().cost;
    assert_eq!(cost.keys().copied().collect::<Vec<_>>(), ["Popular"], "counted once");
}

#[test]
fn a_channel_that_is_off_is_not_read() {
    let mut feed = feed();
    feed.popular.enabled = false;
    let over: Arc<dyn Shards> = Arc::new(shards());
    assert_eq!(
        list_sources(&over, &feed).map(|source| source.enable(&query())),
        [false, true, true]
    );
    let (said, asked) = find(&query(), feed, shards());
    assert_eq!(said, [Ok(vec![]), Ok(vec![11, 12, 13]), Ok(vec![21, 22, 23])]);
    assert_eq!(asked[0].lists, [(RankedBy::Newest, 9), (RankedBy::Activity, 3)]);
    assert_eq!(asked.len(), 1);
}

#[test]
fn a_channel_with_another_time_out_has_a_read_of_its_own() {
    let mut feed = feed();
    feed.new.timeout *= 2;
    let (said, asked) = find(&query(), feed, shards());
    assert_eq!(said, [Ok(vec![1, 2, 3]), Ok(vec![11, 12, 13]), Ok(vec![21, 22, 23])]);
    let lists: Vec<_> = asked.iter().map(|ask| ask.lists.clone()).collect();
    let together = vec![(RankedBy::Popularity, 3), (RankedBy::Activity, 3)];
    assert_eq!(lists, [together, vec![(RankedBy::Newest, 9)]]);
}

#[test]
fn a_read_that_fails_fails_for_each_channel_and_is_not_made_again() {
    let down = FakeShards {
        down: ["lists"].into(),
        ..shards()
    };
    let (said, asked) = find(&query(), feed(), down);
    assert_eq!(said, [(); 3].map(|()| Err("no_answer".to_owned())));
    assert_eq!(asked.len(), 1);
}

#[test]
fn what_is_wrong_with_a_read_is_noted_for_each_channel() {
    let holes = FakeShards {
        holes: ["lists"].into(),
        ..shards()
    };
    let mut query = query();
    query.served_ids = (1..=10_050).map(PostId).collect();
    let (said, _) = find(&query, feed(), holes);
    assert!(said.iter().all(Result::is_ok), "what came is used");
    let notes = query.ledger.account().notes;
    let noted: Vec<_> = notes.iter().map(|note| (note.component, note.reason)).collect();
    let each = |component| ["exclude_list_cut", "shards_missing"].map(|reason| (component, reason));
    assert_eq!(noted, [each("Active"), each("New"), each("Popular")].concat());
}

#[test]
fn small_authors_come_first_and_others_fill_up() {
    let mut posts: Vec<Candidate> = (1..=5)
        .map(|i| Candidate {
            created_at: ago(i * 1000),
            ..core(i, i)
        })
        .collect();
    posts[2].flags = CandidateFlags(CandidateFlags::HAS_CONTENT | CandidateFlags::SMALL_AUTHOR);
    posts[4].flags = CandidateFlags(CandidateFlags::HAS_CONTENT | CandidateFlags::SMALL_AUTHOR);
    posts.reverse();
    let ids: Vec<u64> = small_authors_first(posts, 4)
        .iter()
        .map(|post| post.key.post.0)
        .collect();
    assert_eq!(ids, [3, 5, 1, 2]);
}
