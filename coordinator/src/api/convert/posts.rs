//! Posts.

use covey_api::v1;
use covey_shared::command::PostDelete;
use covey_shared::ids::{PostId, PostKey, UnixMillis, UserId, Version};
use covey_shared::model::{Language, Media, MediaKind, Post, PostRef, RefHint, Topics, labels};

use crate::api::convert::{ItemFault, Limits, time};

/// A key that must be complete.
pub(super) fn key(author_id: u64, post_id: u64) -> Result<PostKey, ItemFault> {
    if post_id == 0 {
        return Err(ItemFault::ZeroId { field: "post_id" });
    }
    if author_id == 0 {
        return Err(ItemFault::ZeroId { field: "author_id" });
    }
    Ok(PostKey {
        author: UserId(author_id),
        post: PostId(post_id),
    })
}

/// A key to read by: author 0 = wherever the post is.
pub(crate) fn read_key(message: &v1::PostKey) -> Result<PostKey, ItemFault> {
    if message.post_id == 0 {
        return Err(ItemFault::ZeroId { field: "post_id" });
    }
    Ok(PostKey {
        author: UserId(message.author_id),
        post: PostId(message.post_id),
    })
}

pub(super) fn language(field: &'static str, code: &str) -> Result<Language, ItemFault> {
    Language::parse(code).ok_or_else(|| ItemFault::NotACode {
        field,
        value: code.chars().take(16).collect(),
    })
}

/// A post to store. References to others may still lack their author.
pub(crate) fn post(message: v1::Post, now: UnixMillis, limits: &Limits) -> Result<Post, ItemFault> {
    let key = key(message.author_id, message.post_id)?;
    let most = limits.config.text.as_usize();
    if message.text.len() > most {
        return Err(ItemFault::TooLong {
            field: "text",
            found: message.text.len(),
            limit: most,
        });
    }
    if message.text.is_empty() && message.media.is_empty() && message.repost_of.is_none() {
        return Err(ItemFault::Empty);
    }
    let created_at = time("created_at_ms", message.created_at_ms, now)?;
    let version = if message.version == 0 {
        created_at.0
    } else {
        message.version
    };
    let vector = if message.repost_of.is_some() {
        Default::default()
    } else {
        limits.vectors.stored(message.vector, &message.text)?
    };
    Ok(Post {
        key,
        version: Version(version),
        created_at,
        language: language("language", &message.language)?,
        media: media(message.media, limits)?,
        conversation: (message.conversation_id != 0).then_some(PostId(message.conversation_id)),
        reply_to: reference("reply_to", message.reply_to.as_ref(), key)?,
        repost_of: reference("repost_of", message.repost_of.as_ref(), key)?,
        quote_of: reference("quote_of", message.quote_of.as_ref(), key)?,
        labels: label_bits(&message.labels)?,
        text: message.text,
        vector,
        subscribers_only: message.subscribers_only,
        topics: topics(&message.topics)?,
    })
}

fn topics(numbers: &[u32]) -> Result<Topics, ItemFault> {
    if numbers.contains(&0) {
        let field = "a number in topics";
        return Err(ItemFault::ZeroId { field });
    }
    Topics::of(numbers).ok_or(ItemFault::TooMany {
        field: "topics",
        found: numbers.len(),
        limit: Topics::MOST,
    })
}

fn reference(field: &'static str, message: Option<&v1::PostKey>, own: PostKey) -> Result<Option<PostRef>, ItemFault> {
    let Some(message) = message else { return Ok(None) };
    if message.post_id == 0 {
        return Err(ItemFault::ZeroId { field });
    }
    let key = read_key(message)?;
    if key.post == own.post {
        return Err(ItemFault::SelfReference { field });
    }
    let hint = RefHint::default();
    Ok(Some(PostRef { key, hint }))
}

fn media(list: Vec<v1::Media>, limits: &Limits) -> Result<Vec<Media>, ItemFault> {
    let (most, url_most) = (limits.config.media, limits.config.media_url.as_usize());
    if list.len() > most {
        return Err(ItemFault::TooMany {
            field: "media",
            found: list.len(),
            limit: most,
        });
    }
    let one = |entry: v1::Media| {
        let kind = match entry.kind() {
            v1::MediaKind::Photo => MediaKind::Photo,
            v1::MediaKind::Video => MediaKind::Video,
            v1::MediaKind::Unspecified => {
                return Err(ItemFault::UnknownValue {
                    field: "media.kind",
                    value: entry.kind,
                });
            }
        };
        if entry.url.len() > url_most {
            return Err(ItemFault::TooLong {
                field: "media.url",
                found: entry.url.len(),
                limit: url_most,
            });
        }
        let duration_ms = if kind == MediaKind::Video { entry.duration_ms } else { 0 };
        Ok(Media {
            kind,
            url: entry.url,
            duration_ms,
        })
    };
    list.into_iter().map(one).collect()
}

/// Each label and its bit.
const LABELS: [(v1::Label, u32); 4] = [
    (v1::Label::Nsfw, labels::NSFW),
    (v1::Label::Spam, labels::SPAM),
    (v1::Label::Takedown, labels::TAKEDOWN),
    (v1::Label::Graphic, labels::GRAPHIC),
];

pub(super) fn label_bits(list: &[i32]) -> Result<u32, ItemFault> {
    list.iter().try_fold(0, |bits, value| {
        let known = LABELS.iter().find(|(label, _)| *label as i32 == *value);
        let fault = ItemFault::UnknownValue {
            field: "labels",
            value: *value,
        };
        known.map(|(_, bit)| bits | bit).ok_or(fault)
    })
}

/// A delete; version 0 = now.
pub(crate) fn post_delete(message: &v1::PostDelete, now: UnixMillis) -> Result<PostDelete, ItemFault> {
    let version = if message.version == 0 { now.0 } else { message.version };
    Ok(PostDelete {
        key: key(message.author_id, message.post_id)?,
        version: Version(version),
    })
}

/// A stored post as clients see it.
pub(crate) fn post_message(post: &Post) -> v1::Post {
    let other = |reference: &Option<PostRef>| {
        reference.as_ref().map(|r| v1::PostKey {
            author_id: r.key.author.0,
            post_id: r.key.post.0,
        })
    };
    let set = LABELS.iter().filter(|(_, bit)| post.labels & bit != 0);
    v1::Post {
        post_id: post.key.post.0,
        author_id: post.key.author.0,
        text: post.text.clone(),
        language: post.language.as_str().to_owned(),
        media: post.media.iter().map(media_message).collect(),
        reply_to: other(&post.reply_to),
        repost_of: other(&post.repost_of),
        quote_of: other(&post.quote_of),
        conversation_id: post.conversation.map_or(0, |id| id.0),
        labels: set.map(|(label, _)| *label as i32).collect(),
        created_at_ms: post.created_at.0,
        version: post.version.0,
        vector: post.vector.to_f32(),
        subscribers_only: post.subscribers_only,
        topics: post.topics.iter().collect(),
    }
}

fn media_message(media: &Media) -> v1::Media {
    let kind = match media.kind {
        MediaKind::Photo => v1::MediaKind::Photo,
        MediaKind::Video => v1::MediaKind::Video,
    };
    v1::Media {
        kind: kind as i32,
        url: media.url.clone(),
        duration_ms: media.duration_ms,
    }
}

#[cfg(test)]
#[path = "posts_test.rs"]
mod tests;
