//! Per author, what they wrote: originals, replies and reposts, videos. Deleted posts are taken out at once, so they
//! never use up a reader's scan.

use std::collections::VecDeque;
use std::hash::RandomState;
use std::sync::atomic::{AtomicUsize, Ordering};

use covey_shared::ids::{PostId, UnixMillis, UserId};
use covey_shared::wire::Place;
use hashbrown::HashMap;
use parking_lot::Mutex;

use crate::memory::columns::{Ordinal, PostColumns};

const STRIPES: usize = 64;

/// One post in a timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) created_at: UnixMillis,
    pub(crate) post: PostId,
    pub(crate) ordinal: Ordinal,
}

impl Entry {
    /// Oldest first; of the same moment the higher id first, so that reading backwards gives the lower id first.
    fn order(&self) -> std::cmp::Reverse<Place> {
        std::cmp::Reverse(self.place())
    }

    pub(crate) fn place(&self) -> Place {
        Place {
            created_at: self.created_at,
            post: self.post,
        }
    }
}

/// Which timeline of an author.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    Original,
    Secondary,
    Video,
}

#[derive(Default)]
struct Author {
    original: VecDeque<Entry>,
    secondary: VecDeque<Entry>,
    video: VecDeque<Entry>,
    followers: i64,
}

impl Author {
    fn list(&mut self, which: Which) -> &mut VecDeque<Entry> {
        match which {
            Which::Original => &mut self.original,
            Which::Secondary => &mut self.secondary,
            Which::Video => &mut self.video,
        }
    }

    /// Bytes of the lists.
    fn bytes(&self) -> usize {
        let places = self.original.capacity() + self.secondary.capacity() + self.video.capacity();
        places * size_of::<Entry>()
    }

    fn is_empty(&self) -> bool {
        self.original.is_empty() && self.secondary.is_empty() && self.followers == 0
    }
}

// Never iterated: its order reaches nothing.
type Authors = HashMap<UserId, Author, RandomState>;

/// All timelines, in striped locks that are held for microseconds.
pub(crate) struct Timelines {
    stripes: Vec<Mutex<Authors>>,
    /// Of all lists and tables.
    bytes: AtomicUsize,
}

impl Timelines {
    pub(crate) fn new() -> Self {
        Timelines {
            stripes: (0..STRIPES).map(|_| Mutex::default()).collect(),
            bytes: AtomicUsize::new(0),
        }
    }

    fn stripe(&self, author: UserId) -> &Mutex<Authors> {
        &self.stripes[(author.0.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 58) as usize]
    }

    pub(crate) fn insert(&self, columns: &PostColumns, ordinal: Ordinal) {
        let entry = Entry {
            created_at: columns.created_at,
            post: columns.key.post,
            ordinal,
        };
        self.change(columns.key.author, |author| {
            for which in lists_of(columns) {
                let list = author.list(which);
                let at = list.partition_point(|e| e.order() < entry.order());
                list.insert(at, entry);
            }
        });
    }

    /// Changes an author, who is there afterwards if there is anything to know.
    fn change(&self, user: UserId, change: impl FnOnce(&mut Author)) {
        let mut stripe = self.stripe(user).lock();
        let table = stripe.allocation_size();
        let author = stripe.entry(user).or_default();
        let before = table + author.bytes();
        change(author);
        let mut after = author.bytes();
        if author.is_empty() {
            stripe.remove(&user);
            after = 0;
            // What a burst once needed is given back.
            if stripe.capacity() > 64 && stripe.capacity() > 4 * stripe.len() {
                let wanted = 2 * stripe.len();
                stripe.shrink_to(wanted);
            }
        }
        // One writer: a difference may wrap, the sum does not.
        let grown = (stripe.allocation_size() + after).wrapping_sub(before);
        self.bytes.fetch_add(grown, Ordering::Relaxed);
    }

    /// Takes out the entry of this row; a newer row of the same post stays.
    pub(crate) fn remove(&self, columns: &PostColumns, ordinal: Ordinal) {
        let order = std::cmp::Reverse(Place {
            created_at: columns.created_at,
            post: columns.key.post,
        });
        self.change(columns.key.author, |author| {
            for which in lists_of(columns) {
                let list = author.list(which);
                let first = list.partition_point(|e| e.order() < order);
                let same = list.iter().skip(first).take_while(|e| e.order() == order);
                if let Some(at) = same
                    .zip(first..)
                    .find_map(|(e, at)| (e.ordinal == ordinal).then_some(at))
                {
                    list.remove(at);
                }
                // What a burst once needed is given back.
                if list.capacity() > 16 && list.capacity() > 4 * list.len() {
                    list.shrink_to(2 * list.len());
                }
            }
        });
    }

    /// The newest entries of a timeline for which `skip` is false, newest first, at most `limit`, none that stands before
    /// `start` and none created before `from`. Appends to `out`. `skip` runs under the lock.
    pub(crate) fn newest(
        &self,
        (author, which): (UserId, Which),
        (start, from): (Option<Place>, UnixMillis),
        limit: usize,
        skip: impl Fn(PostId) -> bool,
        out: &mut Vec<Entry>,
    ) {
        let mut stripe = self.stripe(author).lock();
        let Some(author) = stripe.get_mut(&author) else { return };
        let list = author.list(which);
        let end = start.map_or(list.len(), |start| list.partition_point(|e| e.place() >= start));
        out.extend(
            list.range(..end)
                .rev()
                .take_while(|e| e.created_at >= from)
                .filter(|e| !skip(e.post))
                .take(limit)
                .copied(),
        );
    }

    pub(crate) fn set_followers(&self, user: UserId, followers: i64) {
        self.change(user, |author| author.followers = followers);
    }

    /// Followers counted so far, never below 0.
    pub(crate) fn followers(&self, user: UserId) -> u32 {
        let followers = self.stripe(user).lock().get(&user).map_or(0, |a| a.followers);
        followers.clamp(0, i64::from(u32::MAX)) as u32
    }

    /// Bytes of lists and tables.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed) as u64
    }
}

fn lists_of(columns: &PostColumns) -> impl Iterator<Item = Which> {
    let home = if columns.is_original() {
        Which::Original
    } else {
        Which::Secondary
    };
    std::iter::once(home).chain(columns.is_video().then_some(Which::Video))
}

#[cfg(test)]
#[path = "timelines_test.rs"]
mod tests;
