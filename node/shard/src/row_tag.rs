//! The word that goes with every vector, so that a search filters without looking anything up.

use covey_shared::ids::UnixMillis;
use covey_shared::model::{Language, Post};

use crate::memory::PostColumns;

const TIME_BITS: u32 = 42;
const MAX_TIME: u64 = (1 << TIME_BITS) - 1;
const VIDEO: u64 = 1 << 58;
const REPLY: u64 = 1 << 59;

/// Bits 0-41 creation time in ms (until the year 2109), 42-57 language, 58 has a video, 59 is a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RowTag(pub(crate) u64);

impl RowTag {
    pub(crate) fn of(columns: &PostColumns) -> Self {
        let (has_video, is_reply) = (columns.video_ms > 0, columns.is_reply);
        RowTag::new(columns.created_at, columns.language, has_video, is_reply)
    }

    /// As that of its columns.
    pub(crate) fn of_post(post: &Post) -> Self {
        let (has_video, is_reply) = (post.video_ms().is_some_and(|ms| ms > 0), post.reply_to.is_some());
        RowTag::new(post.created_at, post.language, has_video, is_reply)
    }

    pub(crate) fn new(created_at: UnixMillis, language: Language, has_video: bool, is_reply: bool) -> Self {
        RowTag(
            created_at.0.min(MAX_TIME)
                | u64::from(u16::from_be_bytes(language.0)) << TIME_BITS
                | if has_video { VIDEO } else { 0 }
                | if is_reply { REPLY } else { 0 },
        )
    }

    pub(crate) fn created_at(self) -> UnixMillis {
        UnixMillis(self.0 & MAX_TIME)
    }

    pub(crate) fn language(self) -> Language {
        Language(((self.0 >> TIME_BITS) as u16).to_be_bytes())
    }

    pub(crate) fn has_video(self) -> bool {
        self.0 & VIDEO != 0
    }

    pub(crate) fn is_reply(self) -> bool {
        self.0 & REPLY != 0
    }
}

#[cfg(test)]
#[path = "row_tag_test.rs"]
mod tests;
