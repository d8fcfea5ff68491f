//! Requests as clients make them.

use std::io::{self, Read, Write};
use std::net::TcpStream;

use std::time::{Duration, Instant};

use covey_api::v1::{
    EdgeKind, EdgeUpdate, GetFeedReply, GetFeedRequest, ItemStatus, Post, PutPostsRequest, PutUsersRequest, UserUpdate,
    WriteReply,
};
use covey_ctl::client::Client;
use tonic::{Response, Status};

use crate::process::SOON;

/// `embedding.dim`.
pub(crate) const DIM: usize = 128;
/// Dimensions of the word vectors; what other tests write is orthogonal to them, so that no search meets it.
pub(crate) const WORD_DIM: usize = 100;

/// One request over HTTP/1.1 by hand, so that nothing corrects what a test sends: status and body.
pub(crate) fn http(port: u16, method: &str, path: &str, headers: &[&str], body: &[u8]) -> io::Result<(u16, String)> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(SOON))?;
    let length = body.len();
    let mut head =
        format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {length}\r\n");
    for header in headers {
        head.push_str(header);
        head.push_str("\r\n");
    }
    stream.write_all((head + "\r\n").as_bytes())?;
    // A server may refuse a large body before it has read it all.
    let sent = stream.write_all(body);
    let mut reply = Vec::new();
    let read = stream.read_to_end(&mut reply);
    let text = String::from_utf8_lossy(&reply).into_owned();
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        sent.and(read)?;
        return Err(io::Error::other(format!("no HTTP reply: {text:?}")));
    };
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
    let status = status.ok_or_else(|| io::Error::other(format!("no status: {head:?}")))?;
    Ok((status, body.to_owned()))
}

/// A POST of a JSON text.
pub(crate) fn post_json(port: u16, path: &str, json: &str) -> (u16, String) {
    http(port, "POST", path, &["content-type: application/json"], json.as_bytes()).expect("the coordinator answers")
}

/// A vector that is orthogonal to all word vectors.
pub(crate) fn apart_from_words(seed: u64) -> Vec<f32> {
    let mut vector = vec![0.0; DIM];
    vector[WORD_DIM + seed as usize % (DIM - WORD_DIM)] = 1.0;
    vector
}

/// A post that a test can tell from all others.
pub(crate) fn post(author: u64, id: u64) -> Post {
    Post {
        post_id: id,
        author_id: author,
        text: format!("post {id} of {author}"),
        created_at_ms: 1_700_000_000_000 + id,
        vector: apart_from_words(id),
        ..Post::default()
    }
}

/// Sends a write again until all its items are done, as clients do: a busy machine may elect a leader at any time. An
/// item that is refused for good fails the test. The token that sees the write.
pub(crate) async fn until_done<F>(mut send: impl FnMut() -> F) -> String
where
    F: Future<Output = Result<Response<WriteReply>, Status>>,
{
    let since = Instant::now();
    loop {
        let last = match send().await {
            Ok(reply) => match unfinished(reply.into_inner()) {
                Ok(token) => return token,
                Err(why) => why,
            },
            Err(status) => status.to_string(),
        };
        assert!(since.elapsed() < SOON, "a write was not done in {SOON:?}: {last}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The token of a reply, or why it has to be sent again.
fn unfinished(reply: WriteReply) -> Result<String, String> {
    let done = |status| matches!(status, ItemStatus::Ok | ItemStatus::Superseded);
    match reply.results.iter().find(|item| !done(item.status())) {
        None => Ok(reply.session_token),
        Some(item) => {
            assert_ne!(item.status(), ItemStatus::Invalid, "{item:?}");
            Err(item.message.clone())
        }
    }
}

/// Writes posts. The session token that sees them.
pub(crate) async fn put(client: &Client, posts: Vec<Post>, token: &str) -> String {
    let request = PutPostsRequest {
        posts,
        session_token: token.to_owned(),
    };
    until_done(|| {
        let (mut rpc, request) = (client.rpc(), request.clone());
        async move { rpc.put_posts(request).await }
    })
    .await
}

/// Sets edges from `user` to each of `targets`.
pub(crate) async fn relate(client: &Client, user: u64, kind: EdgeKind, targets: &[u64], token: &str) -> String {
    change_edges(client, user, kind, (targets, false), token).await
}

/// Sets or removes edges.
pub(crate) async fn change_edges(
    client: &Client,
    user: u64,
    kind: EdgeKind,
    (targets, remove): (&[u64], bool),
    token: &str,
) -> String {
    let edge = |target: &u64| EdgeUpdate {
        kind: kind as i32,
        target_id: *target,
        remove,
    };
    let update = UserUpdate {
        user_id: user,
        edges: targets.iter().map(edge).collect(),
        ..UserUpdate::default()
    };
    put_user(client, update, token).await
}

/// Changes a user.
pub(crate) async fn put_user(client: &Client, update: UserUpdate, token: &str) -> String {
    let request = PutUsersRequest {
        users: vec![update],
        session_token: token.to_owned(),
    };
    until_done(|| {
        let (mut rpc, request) = (client.rpc(), request.clone());
        async move { rpc.put_users(request).await }
    })
    .await
}

/// The in-network feed of a viewer, all of it unless the request says otherwise.
pub(crate) async fn feed(client: &Client, request: GetFeedRequest) -> GetFeedReply {
    let reply = client
        .rpc()
        .get_feed(request)
        .await
        .expect("there is a feed")
        .into_inner();
    let answer = reply.answer.as_ref().expect("a feed says how complete it is");
    assert_eq!(answer.coverage, 1.0, "{answer:?}");
    reply
}

/// A request for what the followed users wrote.
pub(crate) fn in_network(viewer: u64, token: &str) -> GetFeedRequest {
    GetFeedRequest {
        viewer_id: viewer,
        in_network_only: true,
        session_token: token.to_owned(),
        ..GetFeedRequest::default()
    }
}

/// Ids of the posts of a feed, in order.
pub(crate) fn ids(feed: &GetFeedReply) -> Vec<u64> {
    feed.posts.iter().map(|post| post.post_id).collect()
}

/// The same, ascending.
pub(crate) fn sorted_ids(feed: &GetFeedReply) -> Vec<u64> {
    let mut ids = ids(feed);
    ids.sort_unstable();
    ids
}
