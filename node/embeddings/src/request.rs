//! What a search asks and answers.

use covey_shared::ids::PostKey;
use covey_shared::score::{Hit, Score};
use covey_shared::slots::SlotRange;

use crate::row::RowMeta;

/// What to search for.
pub struct SearchRequest<'a> {
    /// How many hits, `1..=MAX_K`.
    pub k: usize,
    /// Score every row: the same answer on every replica.
    pub exact: bool,
    /// Recall@10 to aim at, `0..=1`; by default the partition's.
    pub recall_target: Option<f64>,
    /// Candidates of the indexes that are rescored exactly, over all segments together; by default from `k`.
    pub kk: Option<usize>,
    /// Rows that may be returned. Called for many rows, sometimes under a lock: it must be fast and not append.
    pub keep: Option<&'a dyn Fn(&RowMeta) -> bool>,
    /// Only rows of these slots.
    pub slots: Option<SlotRange>,
    /// Asked between segments and every 4096 scanned rows; true ends the search with what it has.
    pub cancelled: &'a dyn Fn() -> bool,
}

impl SearchRequest<'_> {
    /// The best `k`, without filters or a deadline.
    pub fn nearest(k: usize) -> Self {
        Self {
            k,
            exact: false,
            recall_target: None,
            kk: None,
            keep: None,
            slots: None,
            cancelled: &|| false,
        }
    }

    pub(crate) fn unfiltered(&self) -> bool {
        self.keep.is_none() && self.slots.is_none()
    }

    pub(crate) fn passes(&self, meta: &RowMeta) -> bool {
        self.slots.is_none_or(|slots| slots.contains(meta.slot)) && self.keep.is_none_or(|keep| keep(meta))
    }
}

/// A hit with all that is known of its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// Whose row it is.
    pub meta: RowMeta,
    /// Its exact score; higher is nearer for every metric.
    pub score: Score,
}

impl Found {
    /// As it travels.
    pub fn hit(&self) -> Hit {
        let key = PostKey {
            author: self.meta.author,
            post: self.meta.post,
        };
        Hit {
            key,
            slot: self.meta.slot.0,
            score: self.score,
        }
    }
}

/// What a search found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SearchOutcome {
    /// Best first: by score, then by post id. One per post.
    pub hits: Vec<Found>,
    /// Rows scored exactly.
    pub rows_scanned: u64,
    /// Folders looked at, tails included.
    pub segments_searched: u32,
    /// Folders there are.
    pub segments: u32,
    /// It was cancelled before it had seen everything.
    pub partial: bool,
    /// Hits left out because their vector does not match its checksum, and pages of vectors that the disk could not read:
    /// what lies on those is not found.
    pub damaged: u32,
}
