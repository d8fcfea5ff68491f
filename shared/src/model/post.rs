//! Posts.

use std::collections::BTreeSet;

use bincode::{Decode, Encode};
use half::f16;

use crate::ids::{PostId, PostKey, UnixMillis, UserId, Version};

/// Safety labels, one bit each; what they mean for a viewer is decided by the visibility stage.
pub mod labels {
    /// Not safe for work.
    pub const NSFW: u32 = 1;
    /// Spam.
    pub const SPAM: u32 = 1 << 1;
    /// Taken down: never shown.
    pub const TAKEDOWN: u32 = 1 << 2;
    /// Graphic content: shown behind an interstitial.
    pub const GRAPHIC: u32 = 1 << 3;
}

/// A language as two lower-case ASCII letters (ISO 639-1); zero bytes = unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct Language(pub [u8; 2]);

impl Language {
    /// Parses two ASCII letters, of any case; empty = unknown; anything else is `None`.
    pub fn parse(code: &str) -> Option<Language> {
        match code.as_bytes() {
            [] => Some(Language::default()),
            [a, b] if a.is_ascii_alphabetic() && b.is_ascii_alphabetic() => {
                Some(Language([a.to_ascii_lowercase(), b.to_ascii_lowercase()]))
            }
            _ => None,
        }
    }

    /// The two letters, or the empty string when unknown.
    pub fn as_str(&self) -> &str {
        if self.0 == [0, 0] {
            ""
        } else {
            std::str::from_utf8(&self.0).unwrap_or("")
        }
    }
}

/// What a post is about: at most four topics, each once, ascending, zeros behind the last. What a number stands for is up to
/// who writes the posts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct Topics(pub [u32; Topics::MOST]);

impl Topics {
    /// Most topics of one post.
    pub const MOST: usize = 4;

    /// Of numbers in any order; `None` if one is 0, or if there are more than [`Topics::MOST`] different ones.
    pub fn of(numbers: &[u32]) -> Option<Topics> {
        let mut topics = Topics::default();
        let mut distinct = BTreeSet::new();
        for number in numbers {
            distinct.insert(*number);
            if *number == 0 || distinct.len() > Topics::MOST {
                return None;
            }
        }
        for (place, topic) in topics.0.iter_mut().zip(distinct) {
            *place = topic;
        }
        Some(topics)
    }

    /// The topics, ascending.
    pub fn iter(&self) -> impl Iterator<Item = u32> {
        self.0.into_iter().take_while(|topic| *topic != 0)
    }
}

/// Kind of a media entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum MediaKind {
    /// A still image.
    Photo,
    /// A video with a duration.
    Video,
}

/// One media entity of a post.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Media {
    /// What it is.
    pub kind: MediaKind,
    /// Where clients fetch it.
    pub url: String,
    /// Length of a video in milliseconds, 0 for photos.
    pub duration_ms: u32,
}

/// What ingest knew of the post that another one replies to, reposts or quotes. A hint for in-network rules: the
/// truth about the other post lies on its own author's shard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct RefHint {
    /// The other post was there when this one came in.
    pub known: bool,
    /// What the other post itself replied to; `None` for an original.
    pub in_reply_to: Option<PostId>,
    /// The other post is a repost.
    pub is_repost: bool,
    /// The other post has a video of its own.
    pub has_video: bool,
}

/// A reference from one post to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct PostRef {
    /// Author and id of the other post.
    pub key: PostKey,
    /// What was known of it at ingest.
    pub hint: RefHint,
}

/// A dense vector of IEEE half floats, little-endian, two bytes per dimension.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct F16Vector(pub Vec<u8>);

impl F16Vector {
    /// Rounds every value to f16.
    pub fn from_f32(values: &[f32]) -> F16Vector {
        F16Vector(values.iter().flat_map(|v| f16::from_f32(*v).to_le_bytes()).collect())
    }

    /// Number of dimensions.
    pub fn dim(&self) -> usize {
        self.0.len() / 2
    }

    /// The values as f32.
    pub fn to_f32(&self) -> Vec<f32> {
        self.0
            .chunks_exact(2)
            .map(|b| f16::from_le_bytes([b[0], b[1]]).to_f32())
            .collect()
    }
}

/// A post as its author wrote it.
#[derive(Clone, Debug, Default, PartialEq, Encode, Decode)]
pub struct Post {
    /// Author and id; both non-zero.
    pub key: PostKey,
    /// Version given by the writer; a put with a lower one changes nothing.
    pub version: Version,
    /// When it was written.
    pub created_at: UnixMillis,
    /// The text, at most `limits.text_bytes`; may be empty only when there is media or a repost.
    pub text: String,
    /// Language of the text.
    pub language: Language,
    /// Photos and videos.
    pub media: Vec<Media>,
    /// First post of the conversation; `None` = this post starts one.
    pub conversation: Option<PostId>,
    /// The post that this one answers.
    pub reply_to: Option<PostRef>,
    /// The post that this one repeats unchanged.
    pub repost_of: Option<PostRef>,
    /// The post that this one comments on.
    pub quote_of: Option<PostRef>,
    /// Safety labels ([`labels`]).
    pub labels: u32,
    /// The `content` vector, at unit length where `embedding.metric` is the inner product; empty only for reposts, which are searched through their original.
    pub vector: F16Vector,
    /// Only for users who subscribe to the author.
    pub subscribers_only: bool,
    /// What it is about.
    pub topics: Topics,
}

/// A post as logs and stores of earlier releases hold it: for everybody, and about nothing in particular.
#[derive(Debug, Decode)]
pub struct PostV1 {
    key: PostKey,
    version: Version,
    created_at: UnixMillis,
    text: String,
    language: Language,
    media: Vec<Media>,
    conversation: Option<PostId>,
    reply_to: Option<PostRef>,
    repost_of: Option<PostRef>,
    quote_of: Option<PostRef>,
    labels: u32,
    vector: F16Vector,
}

impl From<PostV1> for Post {
    fn from(old: PostV1) -> Post {
        Post {
            key: old.key,
            version: old.version,
            created_at: old.created_at,
            text: old.text,
            language: old.language,
            media: old.media,
            conversation: old.conversation,
            reply_to: old.reply_to,
            repost_of: old.repost_of,
            quote_of: old.quote_of,
            labels: old.labels,
            vector: old.vector,
            subscribers_only: false,
            topics: Topics::default(),
        }
    }
}

impl Post {
    /// The author.
    pub fn author(&self) -> UserId {
        self.key.author
    }

    /// Neither a reply nor a repost.
    pub fn is_original(&self) -> bool {
        self.reply_to.is_none() && self.repost_of.is_none()
    }

    /// Length of its longest video in milliseconds; `None` without one.
    pub fn video_ms(&self) -> Option<u32> {
        self.media
            .iter()
            .filter(|m| m.kind == MediaKind::Video)
            .map(|m| m.duration_ms)
            .max()
    }
}

#[cfg(test)]
#[path = "post_test.rs"]
mod tests;
