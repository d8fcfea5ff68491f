//! Hints about replied-to, reposted and quoted posts.

use covey_shared::model::{Media, MediaKind};

use super::*;

fn key(author: u64, post: u64) -> PostKey {
    PostKey {
        author: UserId(author),
        post: PostId(post),
    }
}

fn reference(author: u64, post: u64) -> Option<PostRef> {
    Some(PostRef {
        key: key(author, post),
        hint: RefHint::default(),
    })
}

fn post(author: u64, id: u64) -> Post {
    Post {
        key: key(author, id),
        ..Post::default()
    }
}

fn known(posts: &[Post]) -> BTreeMap<PostId, Known> {
    posts.iter().map(|p| (p.key.post, Known::of(p))).collect()
}

#[test]
fn reply_learns_its_parent_and_joins_its_conversation() {
    let root = post(1, 10);
    let mut middle = post(2, 11);
    middle.reply_to = reference(1, 10);
    middle.conversation = Some(PostId(10));
    let mut reply = post(3, 12);
    reply.reply_to = reference(0, 11);
    fill(&mut reply, &known(&[root, middle]));
    let parent = reply.reply_to.unwrap();
    assert_eq!(parent.key, key(2, 11));
    assert!(parent.hint.known);
    assert_eq!(parent.hint.in_reply_to, Some(PostId(10)));
    assert_eq!(reply.conversation, Some(PostId(10)));
}

#[test]
fn unknown_parent_starts_the_conversation_and_has_no_hint() {
    let mut reply = post(3, 12);
    reply.reply_to = reference(2, 11);
    fill(&mut reply, &known(&[]));
    assert_eq!(reply.reply_to, reference(2, 11));
    assert_eq!(reply.conversation, Some(PostId(11)));
}

#[test]
fn post_of_the_same_id_by_somebody_else_is_not_the_parent() {
    let mut reply = post(3, 12);
    reply.reply_to = reference(2, 11);
    fill(&mut reply, &known(&[post(9, 11)]));
    assert_eq!(reply.reply_to, reference(2, 11));
}

#[test]
fn repost_learns_whether_its_source_has_a_video() {
    let mut source = post(1, 10);
    source.media.push(Media {
        kind: MediaKind::Video,
        url: "v".into(),
        duration_ms: 5000,
    });
    let mut repost = post(2, 11);
    repost.repost_of = reference(1, 10);
    fill(&mut repost, &known(&[source]));
    assert!(repost.repost_of.unwrap().hint.has_video);
    assert_eq!(repost.conversation, None);
}
