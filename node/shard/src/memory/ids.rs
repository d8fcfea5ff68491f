//! Where a post's row is, by id. Striped, so that a reader waits at most for one change of one stripe.

use std::collections::BTreeMap;
use std::hash::RandomState;
use std::sync::atomic::{AtomicUsize, Ordering};

use covey_shared::ids::{PostId, PostKey, UserId};
use hashbrown::HashMap;
use hashbrown::hash_map::Entry;
use parking_lot::RwLock;

use crate::memory::columns::Ordinal;
use crate::memory::sizes::tree_bytes;

const STRIPES: usize = 64;

/// What is known of a post id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// It lives in this row.
    Live(Ordinal),
    /// It has a tombstone.
    Deleted,
}

/// Post ids are unique by custom, not by law: the first author with an id has it in the table, the others beside it.
#[derive(Default)]
struct Stripe {
    // Never iterated: its order reaches nothing.
    first: HashMap<PostId, (UserId, Known), RandomState>,
    /// Of ids that `first` has too.
    others: BTreeMap<(PostId, UserId), Known>,
}

impl Stripe {
    fn get(&self, key: PostKey) -> Option<Known> {
        match self.first.get(&key.post) {
            Some((author, known)) if *author == key.author => Some(*known),
            Some(_) => self.others.get(&(key.post, key.author)).copied(),
            None => None,
        }
    }

    fn set(&mut self, key: PostKey, known: Known) -> Option<Known> {
        match self.first.entry(key.post) {
            Entry::Occupied(mut first) if first.get().0 == key.author => {
                Some(std::mem::replace(&mut first.get_mut().1, known))
            }
            Entry::Occupied(_) => self.others.insert((key.post, key.author), known),
            Entry::Vacant(free) => {
                free.insert((key.author, known));
                None
            }
        }
    }

    fn remove(&mut self, key: PostKey) -> Option<Known> {
        let (author, known) = self.first.get(&key.post).copied()?;
        if author != key.author {
            return self.others.remove(&(key.post, key.author));
        }
        let next = self.others_of(key.post).next();
        match next {
            Some((next, there)) => {
                self.others.remove(&(key.post, next));
                self.first.insert(key.post, (next, there));
            }
            None => {
                self.first.remove(&key.post);
                self.shrink();
            }
        }
        Some(known)
    }

    fn others_of(&self, post: PostId) -> impl Iterator<Item = (UserId, Known)> {
        let range = self.others.range((post, UserId(0))..=(post, UserId(u64::MAX)));
        range.map(|((_, author), known)| (*author, *known))
    }

    /// What a burst once needed is given back.
    fn shrink(&mut self) {
        if self.first.capacity() > 64 && self.first.capacity() > 4 * self.first.len() {
            self.first.shrink_to(2 * self.first.len());
        }
    }

    fn bytes(&self) -> usize {
        self.first.allocation_size() + tree_bytes::<(PostId, UserId, Known)>(self.others.len())
    }
}

/// Post id and author → row.
pub(crate) struct Ids {
    stripes: Vec<RwLock<Stripe>>,
    /// Of all stripes.
    bytes: AtomicUsize,
}

impl Ids {
    pub(crate) fn new() -> Self {
        Ids {
            stripes: (0..STRIPES).map(|_| RwLock::default()).collect(),
            bytes: AtomicUsize::new(0),
        }
    }

    fn stripe(&self, post: PostId) -> &RwLock<Stripe> {
        // Ids may be made of a time and a counter: a multiplication spreads them.
        &self.stripes[(post.0.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 58) as usize]
    }

    fn change<T>(&self, post: PostId, change: impl FnOnce(&mut Stripe) -> T) -> T {
        let mut stripe = self.stripe(post).write();
        let before = stripe.bytes();
        let result = change(&mut stripe);
        // One writer: a difference may wrap, the sum does not.
        self.bytes
            .fetch_add(stripe.bytes().wrapping_sub(before), Ordering::Relaxed);
        result
    }

    pub(crate) fn get(&self, key: PostKey) -> Option<Known> {
        self.stripe(key.post).read().get(key)
    }

    /// The row of a live post.
    pub(crate) fn live(&self, key: PostKey) -> Option<Ordinal> {
        match self.get(key) {
            Some(Known::Live(ordinal)) => Some(ordinal),
            _ => None,
        }
    }

    /// All posts with this id, by author; usually at most one.
    pub(crate) fn by_post(&self, post: PostId) -> Vec<PostKey> {
        let stripe = self.stripe(post).read();
        let all = stripe
            .first
            .get(&post)
            .copied()
            .into_iter()
            .chain(stripe.others_of(post));
        let live = all.filter(|(_, known)| matches!(known, Known::Live(_)));
        let mut keys: Vec<PostKey> = live.map(|(author, _)| PostKey { author, post }).collect();
        keys.sort_unstable();
        keys
    }

    pub(crate) fn set(&self, key: PostKey, known: Known) -> Option<Known> {
        self.change(key.post, |stripe| stripe.set(key, known))
    }

    pub(crate) fn remove(&self, key: PostKey) -> Option<Known> {
        self.change(key.post, |stripe| stripe.remove(key))
    }

    /// Bytes of the tables.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed) as u64
    }
}

#[cfg(test)]
#[path = "ids_test.rs"]
mod tests;
