//! Where a post's row is, by id. Striped, so that a reader waits at most for one change of one stripe.

use std::collections::BTreeMap;

use covey_shared::ids::{PostId, PostKey, UserId};
use parking_lot::RwLock;

use crate::memory::columns::Ordinal;

const STRIPES: usize = 64;

/// What is known of a post id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// It lives in this row.
    Live(Ordinal),
    /// It has a tombstone.
    Deleted,
}

/// Post id and author → row. Ordered, so that a lookup by post id alone is a range.
pub(crate) struct Ids {
    stripes: Vec<RwLock<BTreeMap<(PostId, UserId), Known>>>,
}

impl Ids {
    pub(crate) fn new() -> Self {
        Ids {
            stripes: (0..STRIPES).map(|_| RwLock::default()).collect(),
        }
    }

    fn stripe(&self, post: PostId) -> &RwLock<BTreeMap<(PostId, UserId), Known>> {
        // Ids may be made of a time and a counter: a multiplication spreads them.
        &self.stripes[(post.0.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 58) as usize]
    }

    pub(crate) fn get(&self, key: PostKey) -> Option<Known> {
        self.stripe(key.post).read().get(&(key.post, key.author)).copied()
    }

    /// The row of a live post.
    pub(crate) fn live(&self, key: PostKey) -> Option<Ordinal> {
        match self.get(key) {
            Some(Known::Live(ordinal)) => Some(ordinal),
            _ => None,
        }
    }

    /// All posts with this id, whoever wrote them; usually at most one.
    pub(crate) fn by_post(&self, post: PostId) -> Vec<PostKey> {
        let stripe = self.stripe(post).read();
        let range = stripe.range((post, UserId(0))..=(post, UserId(u64::MAX)));
        range
            .filter(|(_, known)| matches!(known, Known::Live(_)))
            .map(|((post, author), _)| PostKey {
                author: *author,
                post: *post,
            })
            .collect()
    }

    pub(crate) fn set(&self, key: PostKey, known: Known) -> Option<Known> {
        self.stripe(key.post).write().insert((key.post, key.author), known)
    }

    pub(crate) fn remove(&self, key: PostKey) -> Option<Known> {
        self.stripe(key.post).write().remove(&(key.post, key.author))
    }
}
