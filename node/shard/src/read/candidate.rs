//! Columns as a source returns them, and by key.

use covey_shared::score::Score;
use covey_shared::wire::{Candidate, CandidateFlags, CandidatesQuery, Engagement, InvalidRequest};

use super::{MAX_LIST, Read, ShardView};
use crate::error::ShardStoreError;
use crate::memory::PostColumns;

impl ShardView {
    /// The posts among the keys that are here, in the order of the keys, scored 0; what is missing does not exist. Reads
    /// no text, so it never waits for the store.
    ///
    /// # Errors
    /// More than 10 000 keys.
    pub fn candidates(&self, query: &CandidatesQuery) -> Result<Read<Vec<Candidate>>, ShardStoreError> {
        if query.keys.len() > MAX_LIST {
            return Err(ShardStoreError::Invalid(InvalidRequest::TooLarge));
        }
        let keys = self.own_keys(&query.keys);
        let visited = keys.len() as u64;
        let live = keys.into_iter().filter_map(|key| self.columns(key));
        let posts = live.map(|columns| self.candidate(&columns, Score::default())).collect();
        Ok(Read::complete(posts, visited))
    }

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
            engagement: Engagement::of(&columns.counters),
            simhash: columns.simhash,
            topics: columns.topics,
        }
    }
}
