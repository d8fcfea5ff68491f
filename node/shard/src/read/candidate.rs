//! Columns as a source returns them.

use covey_shared::score::Score;
use covey_shared::wire::{Candidate, CandidateFlags};

use super::ShardView;
use crate::memory::PostColumns;

impl ShardView {
    pub(super) fn candidate(&self, columns: &PostColumns, source_score: Score) -> Candidate {
        let small = self.memory.timelines.followers(columns.key.author) <= self.options.small_author_followers;
        let flags = columns.flags | if small { CandidateFlags::SMALL_AUTHOR } else { 0 };
        Candidate {
            key: columns.key,
            version: columns.version,
            created_at: columns.created_at,
            reply_to: columns.reply_to,
            repost_of: columns.repost_of,
            quote_of: columns.quote_of,
            conversation: columns.conversation,
            labels: columns.labels,
            video_ms: columns.video_ms,
            language: columns.language,
            flags: CandidateFlags(flags),
            source_score,
            counters: columns.counters,
        }
    }
}
