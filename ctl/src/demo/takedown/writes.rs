//! What the tries write, sent again until it is acknowledged.

use std::time::Duration;

use anyhow::Result;
use covey_api::v1::{
    DeletePostsRequest, EdgeKind, EdgeUpdate, ItemStatus, Label, LabelUpdate, Post, PostDelete, PutPostsRequest,
    PutUsersRequest, SetLabelsRequest, UserUpdate, WriteReply,
};
use tonic::{Response, Status};

use super::super::patient::{in_time, patiently};
use super::tries::Plan;
use crate::client::{Client, refused};
use crate::commands::now_ms;

/// Time for one request.
const DEADLINE: Duration = Duration::from_secs(10);

/// All viewers follow all authors.
pub(super) async fn follow(client: &Client, viewers: &[u64], authors: &[u64]) -> Result<()> {
    let edge = |author: &u64| EdgeUpdate {
        kind: EdgeKind::Follow.into(),
        target_id: *author,
        remove: false,
    };
    let user = |viewer: &u64| UserUpdate {
        user_id: *viewer,
        edges: authors.iter().map(edge).collect(),
        ..UserUpdate::default()
    };
    let request = PutUsersRequest {
        users: viewers.iter().map(user).collect(),
        session_token: String::new(),
    };
    until_done("put users", async || {
        client.rpc().put_users(in_time(request.clone(), DEADLINE)).await
    })
    .await?;
    Ok(())
}

/// Writes the posts of a round: those that others repeat or answer first.
pub(super) async fn put(client: &Client, plans: &[Plan]) -> Result<()> {
    let targets: Vec<Post> = plans.iter().map(|plan| plan.target.clone()).collect();
    let others: Vec<Post> = plans.iter().filter_map(|plan| plan.by.clone()).collect();
    let mut session_token = String::new();
    for posts in [targets, others].into_iter().filter(|posts| !posts.is_empty()) {
        let request = PutPostsRequest { posts, session_token };
        let reply = until_done("put posts", async || {
            client.rpc().put_posts(in_time(request.clone(), DEADLINE)).await
        })
        .await?;
        session_token = reply.session_token;
    }
    Ok(())
}

/// Returns once the label, or the deletion, is acknowledged.
pub(super) async fn take_away(client: &Client, plan: &Plan) -> Result<()> {
    let (post_id, author_id) = (plan.target.post_id, plan.target.author_id);
    // The same for every time that it is sent.
    let version = now_ms();
    if plan.kind.deletes() {
        let request = DeletePostsRequest {
            posts: vec![PostDelete {
                post_id,
                author_id,
                version,
            }],
            session_token: String::new(),
        };
        until_done("delete", async || {
            client.rpc().delete_posts(in_time(request.clone(), DEADLINE)).await
        })
        .await?;
        return Ok(());
    }
    let update = LabelUpdate {
        post_id,
        author_id,
        labels: vec![Label::Takedown.into()],
        version,
    };
    let request = SetLabelsRequest {
        updates: vec![update],
        session_token: String::new(),
    };
    until_done("set labels", async || {
        client.rpc().set_labels(in_time(request.clone(), DEADLINE)).await
    })
    .await?;
    Ok(())
}

/// Sends a write until all its items are done.
async fn until_done(
    what: &'static str,
    send: impl AsyncFn() -> Result<Response<WriteReply>, Status>,
) -> Result<WriteReply> {
    let all = patiently(async || all_done(send().await?.into_inner()));
    Ok(all.await.map_err(refused(what))?)
}

/// An item that is not done is an error: for good if it breaks a rule, else until the write is sent again.
fn all_done(reply: WriteReply) -> Result<WriteReply, Status> {
    let is_done = |status| matches!(status, ItemStatus::Ok | ItemStatus::Superseded);
    let undone = reply.results.iter().filter(|result| !is_done(result.status()));
    let worst = undone.min_by_key(|result| result.status() != ItemStatus::Invalid);
    match worst {
        None if reply.failed == 0 => Ok(reply),
        None => Err(Status::unavailable("not all was written")),
        Some(item) if item.status() == ItemStatus::Invalid => Err(Status::invalid_argument(&item.message)),
        Some(item) => Err(Status::unavailable(&item.message)),
    }
}

#[cfg(test)]
#[path = "writes_test.rs"]
mod tests;
