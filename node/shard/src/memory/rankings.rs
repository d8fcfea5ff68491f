//! The best posts of a shard by engagement, by talk and by age, over all and per language, country and topic: bounded ordered sets, kept
//! as posts and actions come in.
//!
//! A set forgets what falls off its end. If many of the kept ones are then deleted or sink, it holds fewer or other
//! posts than the true top until the replica starts again: its depth is a multiple of what is asked.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use covey_shared::ids::{PostId, UnixMillis};
use covey_shared::model::Language;
use covey_shared::wire::{ListGroup, RankedBy};
use parking_lot::RwLock;

use crate::heat::{HalfLives, Heat, halvings};
use crate::memory::columns::{Ordinal, PostColumns};
use crate::memory::sizes::tree_bytes;

/// Entries of the set over all posts: eight times the largest query.
const DEPTH: usize = 8192;
/// Entries of the set of one language, country or topic.
const GROUP_DEPTH: usize = 2048;

/// Best first: higher rank, then lower post id.
pub(crate) type RankKey = (Reverse<i64>, PostId, Ordinal);

/// The best posts of one group.
#[derive(Default)]
struct Set {
    keys: BTreeSet<RankKey>,
    /// Some are not in it: there was no room.
    cut: bool,
}

#[derive(Default)]
struct Ranking {
    sets: BTreeMap<ListGroup, Set>,
    /// Of the entries of all sets: every write of content asks.
    bytes: usize,
}

impl Ranking {
    fn insert(&mut self, columns: &PostColumns, key: RankKey) {
        for group in groups(columns) {
            let depth = if group == ListGroup::All { DEPTH } else { GROUP_DEPTH };
            self.change(group, |set| set.push(key, depth));
        }
    }

    fn remove(&mut self, columns: &PostColumns, key: &RankKey) {
        for group in groups(columns) {
            self.change(group, |set| {
                set.keys.remove(key);
            });
        }
    }

    fn change(&mut self, group: ListGroup, change: impl FnOnce(&mut Set)) {
        let set = self.sets.entry(group).or_default();
        let before = set.bytes();
        change(set);
        self.bytes = self.bytes - before + set.bytes();
        if set.keys.is_empty() {
            self.sets.remove(&group);
        }
    }

    fn bytes(&self) -> usize {
        tree_bytes::<(ListGroup, Set)>(self.sets.len()) + self.bytes
    }
}

impl Set {
    fn bytes(&self) -> usize {
        tree_bytes::<RankKey>(self.keys.len())
    }

    fn push(&mut self, key: RankKey, depth: usize) {
        if self.keys.len() < depth {
            self.keys.insert(key);
            return;
        }
        self.cut = true;
        if self.keys.last().is_some_and(|last| key < *last) && self.keys.insert(key) {
            self.keys.pop_last();
        }
    }
}

/// Those that a post belongs to; not to that of a language or country that is not known.
fn groups(columns: &PostColumns) -> impl Iterator<Item = ListGroup> {
    let language = (columns.language != Language::default()).then_some(ListGroup::Language(columns.language));
    let country = (columns.country != [0; 2]).then_some(ListGroup::Country(columns.country));
    let topics = columns.topics.iter().map(ListGroup::Topic);
    [Some(ListGroup::All), language, country]
        .into_iter()
        .flatten()
        .chain(topics)
}

pub(crate) struct Rankings {
    /// As [`RankedBy::ALL`].
    rankings: [RwLock<Ranking>; RankedBy::ALL.len()],
    half_lives: HalfLives,
}

impl Rankings {
    pub(crate) fn new(half_lives: HalfLives) -> Self {
        Rankings {
            rankings: Default::default(),
            half_lives,
        }
    }

    /// The sum that a list is ranked by, as it counts at `now`; 0 where there is none.
    pub(crate) fn value(&self, by: RankedBy, columns: &PostColumns, now: UnixMillis) -> f64 {
        let half_life = self.half_life(by);
        half_life.map_or(0.0, |half_life| heat(by, columns).value(now, half_life))
    }

    /// What the rank of an entry is at `now`: for a sum its logarithm, as other shards give it, too. The kept rank depends on the
    /// half-life besides, and for a while processes may have read different ones from their configuration.
    pub(crate) fn rank_at(&self, by: RankedBy, rank: i64, now: UnixMillis) -> i64 {
        let half_life = self.half_life(by);
        half_life.map_or(rank, |half_life| rank - halvings(now, half_life))
    }

    /// Of the sum that a list is ranked by; `None` for one that is ranked by age.
    fn half_life(&self, by: RankedBy) -> Option<u64> {
        match by {
            RankedBy::Popularity => Some(self.half_lives.engagement),
            RankedBy::Newest => None,
            RankedBy::Activity => Some(self.half_lives.talk),
        }
    }

    /// The entry of a post in a list, if it is in it.
    fn key(&self, by: RankedBy, columns: &PostColumns, ordinal: Ordinal) -> Option<RankKey> {
        // No channel wants any, and where conversations are long they would be most of a list.
        if columns.is_reply {
            return None;
        }
        let rank = match self.half_life(by) {
            Some(half_life) => heat(by, columns).rank(half_life)?,
            None => i64::try_from(columns.created_at.0).unwrap_or(i64::MAX),
        };
        Some((Reverse(rank), columns.key.post, ordinal))
    }

    fn ranking(&self, by: RankedBy) -> &RwLock<Ranking> {
        &self.rankings[by as usize]
    }

    pub(crate) fn insert(&self, columns: &PostColumns, ordinal: Ordinal) {
        for by in RankedBy::ALL {
            if let Some(key) = self.key(by, columns, ordinal) {
                self.ranking(by).write().insert(columns, key);
            }
        }
    }

    pub(crate) fn remove(&self, columns: &PostColumns, ordinal: Ordinal) {
        for by in RankedBy::ALL {
            if let Some(key) = self.key(by, columns, ordinal) {
                self.ranking(by).write().remove(columns, &key);
            }
        }
    }

    /// Moves a post to its new places.
    pub(crate) fn reheat(&self, before: &PostColumns, after: &PostColumns, ordinal: Ordinal) {
        // Most actions, such as views, are counted only.
        if before.heats == after.heats {
            return;
        }
        for by in RankedBy::ALL {
            let key = |columns| self.key(by, columns, ordinal);
            let (old, new) = (key(before), key(after));
            if old != new {
                let mut ranking = self.ranking(by).write();
                old.inspect(|key| ranking.remove(before, key));
                new.inspect(|key| ranking.insert(after, *key));
            }
        }
    }

    /// Bytes, at most.
    pub(crate) fn bytes(&self) -> u64 {
        let bytes = |ranking: &RwLock<Ranking>| ranking.read().bytes() as u64;
        self.rankings.iter().map(bytes).sum()
    }

    /// Up to `limit` entries of a group behind `after`, best first; `None` starts at the top. And whether the group has posts for which
    /// there is no room in its list.
    pub(crate) fn page(
        &self,
        by: RankedBy,
        group: ListGroup,
        after: Option<RankKey>,
        limit: usize,
    ) -> (Vec<RankKey>, bool) {
        let ranking = self.ranking(by).read();
        let Some(set) = ranking.sets.get(&group) else {
            return (Vec::new(), false);
        };
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let behind = set.keys.range((from, Bound::Unbounded));
        (behind.take(limit).copied().collect(), set.cut)
    }
}

/// The sum that a list is ranked by.
fn heat(by: RankedBy, columns: &PostColumns) -> Heat {
    match by {
        RankedBy::Popularity => columns.heats.engagement,
        RankedBy::Newest => Heat::default(),
        RankedBy::Activity => columns.heats.talk,
    }
}

#[cfg(test)]
#[path = "rankings_test.rs"]
mod tests;
