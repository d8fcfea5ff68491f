//! What ingest knows of the posts that new ones reply to, repost or quote: a hint for the rules of the in-network feed.

use std::collections::BTreeMap;
use std::time::Duration;

use covey_shared::ids::{PostId, PostKey, UserId};
use covey_shared::model::{Post, PostRef, RefHint};

use crate::cluster::{Cluster, ReadContext};

/// The hint is best effort: a write does not wait longer than this for it.
const BUDGET: Duration = Duration::from_millis(250);

/// What is known of one other post.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Known {
    key: PostKey,
    hint: RefHint,
    conversation: PostId,
}

impl Known {
    fn of(post: &Post) -> Known {
        Known {
            key: post.key,
            hint: RefHint {
                known: true,
                in_reply_to: post.reply_to.map(|parent| parent.key.post),
                is_repost: post.repost_of.is_some(),
                has_video: post.video_ms().is_some(),
            },
            conversation: post.conversation.unwrap_or(post.key.post),
        }
    }
}

/// Fills the hints, the authors where the writer left them 0, and the conversation of replies that name none. Other posts
/// of the same request count as known; the rest is looked up with one call per node.
pub(crate) async fn fill_references(cluster: &Cluster, posts: &mut [&mut Post], context: &ReadContext) {
    let mut known: BTreeMap<PostId, Known> = posts.iter().map(|p| (p.key.post, Known::of(p))).collect();
    let mut wanted: Vec<PostKey> = posts.iter().flat_map(|p| references(p)).map(|r| r.key).collect();
    wanted.retain(|key| !known.contains_key(&key.post));
    wanted.sort_unstable();
    wanted.dedup();
    if !wanted.is_empty() {
        let context = context.until(cluster.now().plus(BUDGET));
        match cluster.get_posts(&wanted, false, &context).await {
            Ok(found) => known.extend(
                found
                    .value
                    .iter()
                    .map(|view| (view.post.key.post, Known::of(&view.post))),
            ),
            Err(error) => tracing::debug!(%error, "references stay without a hint"),
        }
    }
    for post in posts {
        fill(post, &known);
    }
}

fn references(post: &Post) -> impl Iterator<Item = &PostRef> {
    [&post.reply_to, &post.repost_of, &post.quote_of].into_iter().flatten()
}

fn fill(post: &mut Post, known: &BTreeMap<PostId, Known>) {
    let references = [&mut post.reply_to, &mut post.repost_of, &mut post.quote_of];
    for reference in references.into_iter().flatten() {
        let other = known.get(&reference.key.post);
        let author = reference.key.author;
        // The writer's author stands; a post of that id by somebody else is another post.
        if let Some(other) = other.filter(|o| author == UserId(0) || author == o.key.author) {
            reference.key = other.key;
            reference.hint = other.hint;
        }
    }
    if let (None, Some(parent)) = (post.conversation, post.reply_to) {
        let other = known.get(&parent.key.post);
        post.conversation = Some(other.map_or(parent.key.post, |o| o.conversation));
    }
}

#[cfg(test)]
#[path = "parents_test.rs"]
mod tests;
