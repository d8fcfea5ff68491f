//! Tests of lists: one read serves all channels, and each keeps what is its own.

use covey_config::Config;
use covey_shared::ids::{PostId, UnixMillis};
use covey_shared::model::{Language, Profile, Topics};
use covey_shared::wire::ViewerState;

use super::*;
use crate::feed::fake_shards::FakeShards;
use crate::feed::query::UserFeatures;
use crate::feed::testing::{ago, core, query, run_context};

fn shards() -> FakeShards {
    FakeShards {
        popular: (1..=9).map(|i| core(2, i)).collect(),
        newest: (1..=9).map(|i| core(3, 10 + i)).collect(),
        active: (1..=9).map(|i| core(4, 20 + i)).collect(),
        ..FakeShards::default()
    }
}

type Said = [Result<Vec<u64>, String>; LISTS];

/// What all channels of one request say, and what the shards were asked.
fn find(query: &FeedQuery, feed: FeedConfig, shards: FakeShards) -> (Said, Vec<ListsAsk>) {
    let shards = Arc::new(shards);
    let over: Arc<dyn Shards> = shards.clone();
    let sources = list_sources(&over, &feed);
    let run = run_context();
    let all = sources.each_ref().map(|source| match source.enable(query) {
        true => source.find(&run, query),
        false => covey_pipeline::ready(Vec::new()),
    });
    let found: Vec<_> = futures::executor::block_on(futures::future::join_all(all));
    let found: [_; LISTS] = found.try_into().expect("one for each channel");
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
    feed.topics.max_posts = 4;
    feed.local.max_posts = 3;
    feed
}

/// Popular, New, Active; there is nothing for the others.
fn three(popular: &[u64], new: &[u64], active: &[u64]) -> Said {
    [popular, new, active, &[], &[]].map(|ids| Ok(ids.to_vec()))
}

/// Lists of all posts.
fn of_all(lists: &[(RankedBy, u32)]) -> Vec<ListAsk> {
    let group = ListGroup::All;
    lists.iter().map(|&(by, posts)| ListAsk { by, group, posts }).collect()
}

#[test]
fn one_read_brings_each_channel_its_own_list() {
    let query = query();
    let (said, asked) = find(&query, feed(), shards());
    assert_eq!(said, three(&[1, 2, 3], &[11, 12, 13], &[21, 22, 23]));
    let lists: Vec<_> = asked.iter().map(|ask| ask.lists.clone()).collect();
    assert_eq!(
        lists,
        [of_all(&[
            (RankedBy::Popularity, 3),
            (RankedBy::Newest, 9),
            (RankedBy::Activity, 3)
        ])]
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
        [false, true, true, false, false]
    );
    let (said, asked) = find(&query(), feed, shards());
    assert_eq!(said, three(&[], &[11, 12, 13], &[21, 22, 23]));
    assert_eq!(
        asked[0].lists,
        of_all(&[(RankedBy::Newest, 9), (RankedBy::Activity, 3)])
    );
    assert_eq!(asked.len(), 1);
}

#[test]
fn a_channel_with_another_time_out_has_a_read_of_its_own() {
    let mut feed = feed();
    feed.new.timeout *= 2;
    let (said, asked) = find(&query(), feed, shards());
    assert_eq!(said, three(&[1, 2, 3], &[11, 12, 13], &[21, 22, 23]));
    let lists: Vec<_> = asked.iter().map(|ask| ask.lists.clone()).collect();
    let together = of_all(&[(RankedBy::Popularity, 3), (RankedBy::Activity, 3)]);
    assert_eq!(lists, [together, of_all(&[(RankedBy::Newest, 9)])]);
}

#[test]
fn a_read_that_fails_fails_for_each_channel_and_is_not_made_again() {
    let down = FakeShards {
        down: ["lists"].into(),
        ..shards()
    };
    let (said, asked) = find(&settled(), feed(), down);
    assert_eq!(said, [(); LISTS].map(|()| Err("no_answer".to_owned())));
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

/// In English and of Austria, follows topics 5, 6 and 7.
fn settled() -> FeedQuery {
    let features = UserFeatures {
        topics: vec![5, 6, 7],
        ..UserFeatures::default()
    };
    FeedQuery {
        client_language: Language(*b"en"),
        client_country: *b"AT",
        features: Some(features),
        ..query()
    }
}

/// Of both lists of each topic, in this order.
fn about(topics: &[u32], posts: u32) -> Vec<ListAsk> {
    let list = |topic: &u32| {
        let group = ListGroup::Topic(*topic);
        [RankedBy::Popularity, RankedBy::Newest].map(|by| ListAsk { by, group, posts })
    };
    topics.iter().flat_map(list).collect()
}

fn only(channel: Channel) -> FeedConfig {
    let mut feed = feed();
    (feed.popular.enabled, feed.new.enabled, feed.active.enabled) = (false, false, false);
    feed.topics.enabled = channel == Channel::Topics;
    feed.local.enabled = channel == Channel::Local;
    feed
}

#[test]
fn followed_topics_take_turns_popular_and_new_ones() {
    let topic = |post: Candidate, topic| Candidate {
        topics: Topics([topic, 0, 0, 0]),
        ..post
    };
    let mut shards = shards();
    for (i, post) in shards.popular.iter_mut().enumerate() {
        *post = topic(*post, 5 + i as u32 % 4);
    }
    shards.newest = vec![shards.popular[0], topic(core(3, 11), 6)];
    let (said, asked) = find(&settled(), only(Channel::Topics), shards);
    assert_eq!(
        asked[0].lists,
        about(&[5, 6, 7], 2),
        "four posts of three topics: two of each list"
    );
    // Of 5: 1, 5 and the new one, which is 1 again; of 6: 2, 6 and 11; of 7: 3 and 7.
    assert_eq!(said[3], Ok(vec![1, 2, 11, 3]));
    assert_eq!(said[4], Ok(vec![]));
}

#[test]
fn who_follows_many_topics_gets_others_each_hour() {
    let mut feed = only(Channel::Topics);
    feed.topics.max_topics = 2;
    let hour = |hours: u64| {
        let query = FeedQuery {
            now: UnixMillis(hours * TURN_MS),
            ..settled()
        };
        find(&query, feed.clone(), shards()).1.remove(0).lists
    };
    for (hours, topics) in [(0, [5, 6]), (1, [7, 5]), (2, [6, 7]), (3, [5, 6])] {
        assert_eq!(hour(hours), about(&topics, 2), "{hours}");
    }
}

#[test]
fn country_and_language_are_those_of_the_client_or_else_of_the_profile() {
    let lists = |query: &FeedQuery| {
        let (said, asked) = find(query, only(Channel::Local), shards());
        let groups: Vec<ListGroup> = asked[0].lists.iter().map(|list| list.group).collect();
        (said[4].clone(), groups)
    };
    let (english, austria) = (ListGroup::Language(Language(*b"en")), ListGroup::Country(*b"AT"));
    // No post of these shards has a language, all are of all countries.
    assert_eq!(lists(&settled()), (Ok(vec![1, 2, 3]), vec![austria, english]));
    let profile = Profile {
        language: Language(*b"pt"),
        country: *b"BR",
        ..Profile::default()
    };
    let state = ViewerState {
        profile,
        ..ViewerState::default()
    };
    let abroad = FeedQuery {
        client_language: Language::default(),
        state: Some(Arc::new(state)),
        ..settled()
    };
    let portuguese = ListGroup::Language(Language(*b"pt"));
    assert_eq!(lists(&abroad).1, [austria, portuguese]);
    let over: Arc<dyn Shards> = Arc::new(shards());
    let local = |query: &FeedQuery| list_sources(&over, &feed())[4].enable(query);
    let nowhere = FeedQuery {
        client_country: [0; 2],
        client_language: Language::default(),
        ..settled()
    };
    assert!(local(&abroad) && !local(&nowhere));
    let only_followed = FeedQuery {
        in_network_only: true,
        ..abroad
    };
    assert!(!local(&only_followed));
}

#[test]
fn all_lists_of_the_largest_configuration_fit_into_one_read() {
    let mut feed = feed();
    feed.topics.max_topics = 16;
    let mut query = settled();
    query.features.as_mut().expect("it has").topics = (1..=99).collect();
    let (_, asked) = find(&query, feed, shards());
    assert_eq!(
        asked.iter().map(|ask| ask.lists.len()).collect::<Vec<_>>(),
        [3 + 32 + 2]
    );
    assert!(asked[0].lists.len() <= covey_shared::wire::MAX_LISTS);
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
    let ids: Vec<u64> = small_authors_first(vec![posts], 4)
        .iter()
        .map(|post| post.key.post.0)
        .collect();
    assert_eq!(ids, [3, 5, 1, 2]);
}
