//! Which posts may have labels: a filter asks it for every vector of a segment, and most posts have none.

use std::sync::atomic::{AtomicU64, Ordering};

use covey_shared::ids::PostId;

/// 2^20 bits, 128 KB: one post in ten is asked for in vain when 100 000 have had labels.
const WORDS: usize = 1 << 14;

/// A bit per hash of a post id. Bits are never cleared: a false "may be" costs a look-up.
pub(crate) struct Labelled {
    words: Box<[AtomicU64]>,
}

impl Labelled {
    pub(crate) fn new() -> Self {
        Labelled {
            words: (0..WORDS).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    pub(crate) fn bytes(&self) -> u64 {
        size_of_val(&*self.words) as u64
    }

    fn place(&self, post: PostId) -> (&AtomicU64, u64) {
        let bit = post.0.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 44;
        (&self.words[(bit / 64) as usize], 1 << (bit % 64))
    }

    pub(crate) fn add(&self, post: PostId) {
        let (word, mask) = self.place(post);
        word.fetch_or(mask, Ordering::AcqRel);
    }

    pub(crate) fn may_be(&self, post: PostId) -> bool {
        let (word, mask) = self.place(post);
        word.load(Ordering::Acquire) & mask != 0
    }
}
