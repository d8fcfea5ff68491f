//! What a viewer may see.

use std::time::{Duration, Instant};

use covey_api::v1::{
    Action, ActionKind, Channel, ChannelHit, EdgeKind, ExplainRequest, GetFeedRequest, Label, LabelUpdate,
    MutedKeywords, Post, PostKey, Profile, RecordActionsRequest, SetLabelsRequest, UserUpdate,
};
use covey_ctl::client::Client;

use crate::calls::{change_edges, feed, in_network, post, put, put_user, relate, sorted_ids, until_done};
use crate::process::SOON;
use crate::world::shared;

/// Writes one post for each author, all of whom `viewers` follow. What a viewer was served is not shown to them again, so
/// every look needs a viewer of its own.
pub(crate) async fn followed(client: &Client, authors: &[u64], viewers: &[u64]) -> String {
    let posts = authors.iter().map(|author| post(*author, *author)).collect();
    let mut token = put(client, posts, "").await;
    for viewer in viewers {
        token = relate(client, *viewer, EdgeKind::Follow, authors, &token).await;
    }
    token
}

async fn seen_by(client: &Client, viewer: u64, token: &str) -> Vec<u64> {
    sorted_ids(&feed(client, in_network(viewer, token)).await)
}

#[tokio::test]
async fn a_post_that_was_taken_down_is_in_no_later_feed() {
    let client = shared().client().await;
    let authors: Vec<u64> = (2_001..=2_012).collect();
    let [before, after, restored] = [2_101, 2_102, 2_103];
    let token = followed(&client, &authors, &[before, after, restored]).await;
    assert_eq!(seen_by(&client, before, &token).await, authors);

    let token = label(&client, 2_005, vec![Label::Takedown as i32], 1, &token).await;
    let left: Vec<u64> = authors.iter().copied().filter(|id| *id != 2_005).collect();
    assert_eq!(seen_by(&client, after, &token).await, left);

    let token = label(&client, 2_005, Vec::new(), 2, &token).await;
    assert_eq!(seen_by(&client, restored, &token).await, authors);
}

async fn label(client: &Client, post: u64, labels: Vec<i32>, version: u64, token: &str) -> String {
    let request = SetLabelsRequest {
        updates: vec![LabelUpdate {
            post_id: post,
            author_id: post,
            labels,
            version,
        }],
        session_token: token.to_owned(),
    };
    until_done(|| {
        let (mut rpc, request) = (client.rpc(), request.clone());
        async move { rpc.set_labels(request).await }
    })
    .await
}

#[tokio::test]
async fn a_block_hides_posts_in_both_directions_until_it_is_taken_back() {
    let client = shared().client().await;
    let authors: Vec<u64> = (2_201..=2_212).collect();
    let [blocking, blocked] = [2_301, 2_302];
    let token = followed(&client, &authors, &[blocking, blocked]).await;

    let token = relate(&client, blocking, EdgeKind::Block, &[2_203], &token).await;
    let token = relate(&client, 2_207, EdgeKind::Block, &[blocked], &token).await;
    let without = |hidden: u64| -> Vec<u64> { authors.iter().copied().filter(|id| *id != hidden).collect() };
    assert_eq!(seen_by(&client, blocking, &token).await, without(2_203));
    assert_eq!(seen_by(&client, blocked, &token).await, without(2_207));

    let token = change_edges(&client, blocking, EdgeKind::Block, (&[2_203], true), &token).await;
    // The client says what it was served before: the served history of the cluster is recorded after the reply.
    let request = GetFeedRequest {
        served_ids: without(2_203),
        ..in_network(blocking, &token)
    };
    assert_eq!(sorted_ids(&feed(&client, request).await), [2_203]);
}

#[tokio::test]
async fn a_muted_phrase_hides_posts_and_what_repeats_them_until_it_is_taken_back() {
    let client = shared().client().await;
    let authors: Vec<u64> = (2_601..=2_612).collect();
    let [muting, again] = [2_701, 2_702];
    let mut posts: Vec<Post> = authors.iter().map(|author| post(*author, *author)).collect();
    posts[4].text = "no ＳＰＯＩＬＥＲ: alerts, please".into();
    let token = put(&client, posts, "").await;
    let repost = Post {
        repost_of: Some(PostKey {
            post_id: 2_605,
            author_id: 2_605,
        }),
        text: String::new(),
        vector: Vec::new(),
        ..post(2_607, 2_650)
    };
    let mut token = put(&client, vec![repost], &token).await;
    for viewer in [muting, again] {
        token = relate(&client, viewer, EdgeKind::Follow, &authors, &token).await;
        token = mute(&client, viewer, &["spoiler alerts", "else"], &token).await;
    }
    let left: Vec<u64> = authors.iter().copied().filter(|id| *id != 2_605).collect();
    assert_eq!(seen_by(&client, muting, &token).await, left);
    let token = mute(&client, again, &[], &token).await;
    assert!(seen_by(&client, again, &token).await.contains(&2_605));
}

/// The viewer's new list of muted keywords.
async fn mute(client: &Client, viewer: u64, words: &[&str], token: &str) -> String {
    let words = words.iter().map(ToString::to_string).collect();
    let update = UserUpdate {
        user_id: viewer,
        muted_keywords: Some(MutedKeywords { words }),
        ..UserUpdate::default()
    };
    put_user(client, update, token).await
}

#[tokio::test]
async fn a_post_for_subscribers_and_what_repeats_it_reach_subscribers_only() {
    let client = shared().client().await;
    let authors: Vec<u64> = (2_801..=2_806).collect();
    let [follower, subscriber, stranger] = [2_851, 2_852, 2_853];
    let token = followed(&client, &authors, &[follower, subscriber]).await;
    let marked = Post {
        subscribers_only: true,
        version: 1_800_000_000_000,
        ..post(2_803, 2_803)
    };
    let token = put(&client, vec![marked], &token).await;
    let repost = Post {
        repost_of: Some(PostKey {
            post_id: 2_803,
            author_id: 2_803,
        }),
        text: String::new(),
        vector: Vec::new(),
        ..post(2_805, 2_860)
    };
    let token = put(&client, vec![repost], &token).await;
    let token = relate(&client, subscriber, EdgeKind::Subscribe, &[2_803], &token).await;
    let others: Vec<u64> = authors.iter().copied().filter(|id| *id != 2_803).collect();
    assert_eq!(seen_by(&client, follower, &token).await, others);
    assert_eq!(seen_by(&client, subscriber, &token).await, authors);
    // Who follows nobody finds it all the same.
    let token = relate(&client, stranger, EdgeKind::Subscribe, &[2_803], &token).await;
    let [found] = found_by(&client, of_viewer(stranger, &token), [2_803]).await;
    assert!(found.contains(&Channel::Subscribed), "{found:?}");
}

fn of_viewer(viewer: u64, token: &str) -> GetFeedRequest {
    GetFeedRequest {
        viewer_id: viewer,
        session_token: token.to_owned(),
        ..GetFeedRequest::default()
    }
}

/// Of each of some posts whose authors have their numbers the channels that found it, in one and the same feed.
async fn found_by<const N: usize>(client: &Client, request: GetFeedRequest, posts: [u64; N]) -> [Vec<Channel>; N] {
    let key = |post| PostKey {
        author_id: post,
        post_id: post,
    };
    let request = ExplainRequest {
        feed: Some(request),
        posts: posts.map(key).to_vec(),
    };
    let reply = client.rpc().explain(request).await.expect("there is an explanation");
    let said = reply.into_inner().explanations;
    assert_eq!(said.len(), N);
    std::array::from_fn(|i| said[i].channels.iter().map(ChannelHit::channel).collect())
}

#[tokio::test]
async fn a_followed_topic_brings_its_posts_until_it_is_followed_no_more() {
    let client = shared().client().await;
    let viewer = 3_051;
    let about = |id: u64, topics: &[u32]| Post {
        topics: topics.to_vec(),
        ..post(id, id)
    };
    let token = put(&client, vec![about(3_001, &[30_001, 5]), about(3_002, &[30_002])], "").await;
    // A topic may have the number of the viewer.
    let token = relate(&client, viewer, EdgeKind::FollowTopic, &[30_001, viewer], &token).await;
    let by_topic = |found: [Vec<Channel>; 2]| found.map(|channels| channels.contains(&Channel::Topics));
    let found = found_by(&client, of_viewer(viewer, &token), [3_001, 3_002]).await;
    assert_eq!(by_topic(found), [true, false]);
    let token = change_edges(&client, viewer, EdgeKind::FollowTopic, (&[30_001], true), &token).await;
    let token = relate(&client, viewer, EdgeKind::FollowTopic, &[30_002], &token).await;
    // What is found about the other one says that the channel was asked.
    let found = found_by(&client, of_viewer(viewer, &token), [3_001, 3_002]).await;
    assert_eq!(by_topic(found), [false, true]);
}

#[tokio::test]
async fn what_is_popular_in_a_country_or_language_is_found_by_those_who_are_there() {
    let client = shared().client().await;
    let author = UserUpdate {
        user_id: 3_101,
        profile: Some(Profile {
            country: "LI".to_owned(),
            ..Profile::default()
        }),
        ..UserUpdate::default()
    };
    let token = put_user(&client, author, "").await;
    let romansh = Post {
        language: "rm".to_owned(),
        ..post(3_101, 3_101)
    };
    let token = put(&client, vec![romansh], &token).await;
    let like = RecordActionsRequest {
        actions: vec![Action {
            viewer_id: 3_152,
            kind: ActionKind::Favorite.into(),
            post_id: 3_101,
            author_id: 3_101,
            ..Action::default()
        }],
        session_token: token,
        ..RecordActionsRequest::default()
    };
    let token = until_done(|| {
        let (mut rpc, like) = (client.rpc(), like.clone());
        async move { rpc.record_actions(like).await }
    })
    .await;
    let place = |country: &str, language: &str| GetFeedRequest {
        country_code: country.to_owned(),
        language_code: language.to_owned(),
        ..of_viewer(3_151, &token)
    };
    // The like travels from the shard of the viewer to that of the author.
    for here in [place("LI", ""), place("", "rm")] {
        let since = Instant::now();
        while !found_by(&client, here.clone(), [3_101]).await[0].contains(&Channel::Local) {
            assert!(since.elapsed() < SOON, "{here:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    for elsewhere in [place("AT", "de"), place("", "")] {
        let [found] = found_by(&client, elsewhere, [3_101]).await;
        // It is popular there, too: the lists were read.
        assert!(found.contains(&Channel::Popular), "{found:?}");
        assert!(!found.contains(&Channel::Local), "{found:?}");
    }
}

#[tokio::test]
async fn of_posts_that_say_the_same_one_is_shown() {
    let client = shared().client().await;
    let authors: Vec<u64> = (2_901..=2_904).collect();
    let mut posts: Vec<Post> = authors.iter().map(|author| post(*author, *author)).collect();
    posts[0].text = "The harbour ferry is cancelled today, because of the storm.".into();
    posts[1].text = "the HARBOUR ferry is cancelled today because of the storm!!".into();
    let token = put(&client, posts, "").await;
    let token = relate(&client, 2_951, EdgeKind::Follow, &authors, &token).await;
    // Both are equally good by now: the one with the lower id stays.
    assert_eq!(seen_by(&client, 2_951, &token).await, [2_901, 2_903, 2_904]);
}
