//! Page by page, of two coordinators in turn.

use std::collections::BTreeSet;

use covey_api::v1::{DeletePostsRequest, FeedKind, GetFeedRequest, Post, PostDelete, PostKey};
use covey_ctl::client::Client;

use crate::calls::{feed, ids, in_network, post, put, until_done};
use crate::feeds::followed;
use crate::world::shared;

/// Further pages up to the end, of each coordinator in turn.
async fn pages(coordinators: &[Client; 2], first: &GetFeedRequest) -> Vec<u64> {
    let mut shown = Vec::new();
    let mut request = first.clone();
    for page in 0.. {
        assert!(page < 20, "the pages do not end: {shown:?}");
        let reply = feed(&coordinators[page % 2], request.clone()).await;
        shown.extend(ids(&reply));
        if reply.cursor.is_empty() {
            break;
        }
        request.is_bottom_request = true;
        request.cursor = reply.cursor;
    }
    shown
}

#[tokio::test]
async fn pages_show_everything_once_and_end_whichever_coordinator_is_asked() {
    let (other, coordinators) = shared().two_coordinators().await;
    let authors: Vec<u64> = (2_401..=2_445).collect();
    let viewer = 2_501;
    let token = followed(&coordinators[0], &authors, &[viewer]).await;
    let request = GetFeedRequest {
        limit: 10,
        ..in_network(viewer, &token)
    };
    let shown = pages(&coordinators, &request).await;
    assert_eq!(shown.len(), authors.len(), "{shown:?}");
    assert_eq!(
        shown.iter().copied().collect::<BTreeSet<u64>>(),
        authors.into_iter().collect()
    );
    drop(other);
}

#[tokio::test]
async fn the_following_feed_is_all_that_was_written_back_in_time_whatever_happens_between_its_pages() {
    let (other, coordinators) = shared().two_coordinators().await;
    let authors: Vec<u64> = (3_401..=3_412).collect();
    let viewer = 3_451;
    followed(&coordinators[0], &authors, &[viewer]).await;
    // More of one author than the ranked feed takes, replies to strangers, and a post of the viewer's own.
    let mut posts: Vec<Post> = (10_000..10_040).map(|id| post(3_404, id)).collect();
    for reply in &mut posts[20..30] {
        let stranger = PostKey {
            post_id: 1,
            author_id: 3_499,
        };
        reply.reply_to = Some(stranger);
    }
    posts.push(post(viewer, 10_040));
    let token = put(&coordinators[0], posts, "").await;
    let request = GetFeedRequest {
        kind: FeedKind::Following as i32,
        limit: 10,
        ..in_network(viewer, &token)
    };
    let first = feed(&coordinators[0], request.clone()).await;
    assert_eq!(ids(&first), (10_031..=10_040).rev().collect::<Vec<u64>>());
    // What was shown last and what comes next is deleted, and there are new posts.
    let deletes = [10_031, 10_030, 10_025].map(|post_id| PostDelete {
        post_id,
        author_id: 3_404,
        version: 0,
    });
    let deletes = DeletePostsRequest {
        posts: deletes.to_vec(),
        session_token: token,
    };
    let token = until_done(|| {
        let (mut rpc, deletes) = (coordinators[1].rpc(), deletes.clone());
        async move { rpc.delete_posts(deletes).await }
    })
    .await;
    let token = put(
        &coordinators[1],
        (10_050..10_055).map(|id| post(3_405, id)).collect(),
        &token,
    )
    .await;
    let next = GetFeedRequest {
        cursor: first.cursor.clone(),
        is_bottom_request: true,
        session_token: token,
        ..request.clone()
    };
    let mut wanted: Vec<u64> = (10_000..10_030).rev().filter(|id| *id != 10_025).collect();
    wanted.extend(authors.iter().rev());
    assert_eq!(pages(&coordinators, &next).await, wanted);
    let new = GetFeedRequest {
        is_bottom_request: false,
        ..next
    };
    let new = feed(&coordinators[1], new).await;
    assert_eq!(ids(&new), (10_050..10_055).rev().collect::<Vec<u64>>());
    drop(other);
}
