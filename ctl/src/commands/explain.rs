//! `covey explain`.

use anyhow::{Result, bail};
use covey_api::v1::{ExplainRequest, GetFeedRequest, GetPostsRequest, PostKey};

use super::{Context, Outcome};
use crate::args::{ExplainArgs, FeedArgs};
use crate::client::{Client, refused};
use crate::render::explain;

pub(super) async fn run(context: &Context, args: ExplainArgs) -> Result<Outcome> {
    let client = context.connect().await?;
    let posts = with_authors(&client, args.posts).await?;
    let feed = GetFeedRequest {
        viewer_id: args.viewer,
        kind: FeedArgs::kind(args.following) as i32,
        ..GetFeedRequest::default()
    };
    let request = ExplainRequest {
        feed: Some(feed),
        posts,
    };
    let reply = client
        .rpc()
        .explain(request)
        .await
        .map_err(refused("explain"))?
        .into_inner();
    context.show(&reply, || explain::report(&reply, context.style))?;
    Ok(Outcome::Done)
}

/// Looks up the authors of posts that were named by their id alone.
async fn with_authors(client: &Client, posts: Vec<PostKey>) -> Result<Vec<PostKey>> {
    if posts.iter().all(|key| key.author_id != 0) {
        return Ok(posts);
    }
    let request = GetPostsRequest {
        keys: posts.clone(),
        ..GetPostsRequest::default()
    };
    let reply = client
        .rpc()
        .get_posts(request)
        .await
        .map_err(refused("get"))?
        .into_inner();
    let mut keys = Vec::with_capacity(posts.len());
    for (asked, result) in posts.into_iter().zip(reply.results) {
        let author_id = match result.post {
            Some(post) => post.author_id,
            None if asked.author_id != 0 => asked.author_id,
            None => bail!(
                "there is no post {}; name it as author/post to learn what became of it",
                asked.post_id
            ),
        };
        keys.push(PostKey { author_id, ..asked });
    }
    Ok(keys)
}
