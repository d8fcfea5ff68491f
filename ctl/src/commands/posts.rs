//! `covey put`, `covey get`, `covey delete`.

use anyhow::Result;
use covey_api::v1::{
    DeletePostsRequest, GetPostsRequest, GetStatus, ItemStatus, Post, PostDelete, PostKey, PutPostsRequest, WriteReply,
};

use super::{Context, Outcome, now_ms};
use crate::args::{DeleteArgs, GetArgs, PutArgs};
use crate::client::refused;
use crate::render::cards;

pub(super) async fn put(context: &Context, args: PutArgs) -> Result<Outcome> {
    let key = cards::key(args.author, args.id);
    let post = Post {
        post_id: args.id,
        author_id: args.author,
        text: args.text,
        language: args.language,
        reply_to: args.reply_to,
        repost_of: args.repost_of,
        quote_of: args.quote_of,
        ..Post::default()
    };
    let request = PutPostsRequest {
        posts: vec![post],
        session_token: String::new(),
    };
    let reply = context
        .connect()
        .await?
        .rpc()
        .put_posts(request)
        .await
        .map_err(refused("put"))?;
    written(context, &reply.into_inner(), "written", &[key])
}

pub(super) async fn delete(context: &Context, args: DeleteArgs) -> Result<Outcome> {
    let keys: Vec<String> = args.posts.iter().map(name).collect();
    let delete = |key: PostKey| PostDelete {
        post_id: key.post_id,
        author_id: key.author_id,
        version: 0,
    };
    let request = DeletePostsRequest {
        posts: args.posts.into_iter().map(delete).collect(),
        session_token: String::new(),
    };
    let reply = context
        .connect()
        .await?
        .rpc()
        .delete_posts(request)
        .await
        .map_err(refused("delete"))?;
    written(context, &reply.into_inner(), "deleted", &keys)
}

pub(super) async fn get(context: &Context, args: GetArgs) -> Result<Outcome> {
    let keys: Vec<String> = args.posts.iter().map(name).collect();
    let request = GetPostsRequest {
        keys: args.posts,
        with_vectors: args.vectors,
        session_token: String::new(),
        strong: args.strong,
    };
    let reply = context
        .connect()
        .await?
        .rpc()
        .get_posts(request)
        .await
        .map_err(refused("get"))?
        .into_inner();
    context.show(&reply, || {
        let looked_up = reply.results.iter().zip(&keys);
        looked_up
            .map(|(result, key)| cards::lookup(key, result, now_ms(), context.style))
            .collect()
    })?;
    Ok(Outcome::good(
        reply.results.iter().all(|result| result.status() == GetStatus::Found),
    ))
}

/// A line per item; the outcome is good if every item is done.
fn written(context: &Context, reply: &WriteReply, done: &str, keys: &[String]) -> Result<Outcome> {
    context.show(reply, || {
        let line = |(at, key): (usize, &String)| {
            let result = reply.results.iter().find(|result| result.index as usize == at);
            match result.map(|result| (result.status(), result.message.as_str())) {
                Some((ItemStatus::Ok, _)) => format!("{key} {done}\n"),
                Some((ItemStatus::Superseded, _)) => format!("{key}: a newer version is there; nothing changed\n"),
                Some((ItemStatus::Invalid, why)) => format!("{key}: refused: {why}\n"),
                Some((ItemStatus::Uncertain, why)) => {
                    format!("{key}: the outcome is not known; run it again, it counts once: {why}\n")
                }
                Some((_, why)) => format!("{key}: not {done}, try again: {why}\n"),
                None => format!("{key}: the coordinator gave no result; run it again, it counts once\n"),
            }
        };
        keys.iter().enumerate().map(line).collect()
    })?;
    let good = |status| matches!(status, ItemStatus::Ok | ItemStatus::Superseded);
    let all = reply.results.len() == keys.len() && reply.results.iter().all(|result| good(result.status()));
    Ok(Outcome::good(all))
}

fn name(key: &PostKey) -> String {
    match key.author_id {
        0 => key.post_id.to_string(),
        author => cards::key(author, key.post_id),
    }
}
