//! The fixed-width fields of a post that was read by key.

use covey_shared::ids::{PostId, PostKey};
use covey_shared::model::{MediaKind, PostRef};
use covey_shared::score::Score;
use covey_shared::wire::{Candidate, CandidateFlags, PostView};

/// The candidate that a shard's source would send for this post, scored 0 and without facts about the author.
pub(crate) fn from_view(view: &PostView) -> Candidate {
    let post = &view.post;
    let has_photo = post.media.iter().any(|media| media.kind == MediaKind::Photo);
    let has_content = !post.text.is_empty() || !post.media.is_empty();
    let flag = |on: bool, bit: u8| if on { bit } else { 0 };
    let flags = flag(has_content, CandidateFlags::HAS_CONTENT) | flag(has_photo, CandidateFlags::HAS_PHOTO);
    Candidate {
        key: post.key,
        version: post.version,
        created_at: post.created_at,
        reply_to: key(post.reply_to),
        repost_of: key(post.repost_of),
        quote_of: key(post.quote_of),
        conversation: post.conversation.unwrap_or(PostId(0)),
        labels: post.labels,
        video_ms: post.video_ms().unwrap_or(0),
        language: post.language,
        flags: CandidateFlags(flags),
        source_score: Score::default(),
        counters: view.counters,
    }
}

fn key(reference: Option<PostRef>) -> PostKey {
    reference.map(|reference| reference.key).unwrap_or_default()
}
