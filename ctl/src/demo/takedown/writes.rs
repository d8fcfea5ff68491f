//! What the tries write, sent again until it is acknowledged.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use covey_api::v1::{
    DeletePostsRequest, EdgeKind, EdgeUpdate, Label, LabelUpdate, Post, PostDelete, PutPostsRequest, PutUsersRequest,
    SetLabelsRequest, UserUpdate, WriteReply,
};
use tonic::{Request, Response, Status};

use super::tries::Plan;
use crate::client::{Client, refused};
use crate::commands::now_ms;
use crate::load::is_worth_a_retry;

/// For a write to be acknowledged: several elections.
const PATIENCE: Duration = Duration::from_secs(30);
/// Time for one request.
const DEADLINE: Duration = Duration::from_secs(10);
/// Pause before the next one.
const AGAIN: Duration = Duration::from_millis(20);

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
    until_done("put users", async || client.rpc().put_users(in_time(&request)).await).await?;
    Ok(())
}

/// Writes the posts of a round: those that others repeat or answer first.
pub(super) async fn put(client: &Client, plans: &[Plan]) -> Result<()> {
    let targets: Vec<Post> = plans.iter().map(|plan| plan.target.clone()).collect();
    let others: Vec<Post> = plans.iter().filter_map(|plan| plan.by.clone()).collect();
    let mut session_token = String::new();
    for posts in [targets, others].into_iter().filter(|posts| !posts.is_empty()) {
        let request = PutPostsRequest { posts, session_token };
        let reply = until_done("put posts", async || client.rpc().put_posts(in_time(&request)).await).await?;
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
        until_done("delete", async || client.rpc().delete_posts(in_time(&request)).await).await?;
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
    until_done("set labels", async || client.rpc().set_labels(in_time(&request)).await).await?;
    Ok(())
}

fn in_time<T: Clone>(message: &T) -> Request<T> {
    let mut request = Request::new(message.clone());
    request.set_timeout(DEADLINE);
    request
}

/// Sends a write until all its items are done.
async fn until_done(
    what: &'static str,
    send: impl AsyncFn() -> Result<Response<WriteReply>, Status>,
) -> Result<WriteReply> {
    let since = Instant::now();
    loop {
        let last = match send().await.map(Response::into_inner) {
            Ok(reply) if reply.failed == 0 => return Ok(reply),
            Ok(reply) => reply
                .results
                .into_iter()
                .map(|result| result.message)
                .find(|why| !why.is_empty()),
            Err(status) if is_worth_a_retry(status.code()) => Some(status.message().to_owned()),
            Err(status) => return Err(refused(what)(status).into()),
        };
        if since.elapsed() > PATIENCE {
            bail!(
                "{what} is not acknowledged after {} s: {}",
                PATIENCE.as_secs(),
                last.unwrap_or_default()
            );
        }
        tokio::time::sleep(AGAIN).await;
    }
}
