//! The best posts of a shard by engagement, by talk and by age, over all and per language, country and topic: bounded ordered sets, kept
//! as posts and actions come in.
//!
//! A set forgets what falls off its end, and keeps the best rank that did. If many of the kept ones are then deleted or sink, it lacks
//! posts behind that rank until the replica starts again: its depth is a multiple of what is asked, and who reads that far is told.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::atomic::{AtomicU64, Ordering};

use covey_shared::ids::{PostId, UnixMillis};
use covey_shared::model::Language;
use covey_shared::wire::{ListGroup, RankedBy};
use parking_lot::RwLock;

use crate::heat::{HalfLives, Heat, Heats, halvings};
use crate::memory::columns::{Ordinal, PostColumns};
use crate::memory::sizes::tree_bytes;

/// Entries of the set over all posts: eight times the largest query.
const DEPTH: usize = 8192;
/// Entries of the set of one language, country or topic.
const GROUP_DEPTH: usize = 2048;
/// Groups from which on no topic gets a list: clients name topics, and there may be four in a post. Of languages and countries there
/// are fewer than 1400 in all.
const MAX_GROUPS: usize = 65_536;

/// Best first: higher rank, then lower post id.
pub(crate) type RankKey = (Reverse<i64>, PostId, Ordinal);

/// Before every other one.
const BEST: RankKey = (Reverse(i64::MAX), PostId(0), Ordinal(0));

/// A part of a list.
pub(crate) struct Page {
    /// Best first; empty behind the end of the list.
    pub(crate) keys: Vec<RankKey>,
    /// Posts that the list lacks.
    pub(crate) missing: Option<Fallen>,
}

/// The best posts of one group.
#[derive(Default)]
struct Set {
    keys: BTreeSet<RankKey>,
    fallen: Option<Fallen>,
    /// Of all posts that were ever in it.
    newest: UnixMillis,
}

/// Posts for which there was no room.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Fallen {
    /// The best of them was no better than that. All that are better are in the set; behind it some may be missing.
    pub(crate) best: RankKey,
    /// None of them was written later: who wants only later ones misses none.
    pub(crate) newest: UnixMillis,
}

#[derive(Default)]
struct Ranking {
    sets: BTreeMap<ListGroup, Set>,
    /// Of the entries of all sets: every write of content asks.
    bytes: usize,
    /// Of the posts about topics that got no set the time of the newest; sets of topics that begin later lack posts, too.
    left_out: Option<UnixMillis>,
}

impl Ranking {
    fn insert(&mut self, columns: &PostColumns, key: RankKey) {
        for group in groups(columns) {
            let is_full = matches!(group, ListGroup::Topic(_)) && self.sets.len() >= MAX_GROUPS;
            if is_full && !self.sets.contains_key(&group) {
                self.left_out = self.left_out.max(Some(columns.created_at));
                continue;
            }
            let depth = if group == ListGroup::All { DEPTH } else { GROUP_DEPTH };
            self.change(group, |set| set.push(key, columns.created_at, depth));
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
        let without = self.without(group);
        let set = self.sets.entry(group).or_insert_with(|| Set {
            fallen: without,
            ..Set::default()
        });
        let before = set.bytes();
        change(set);
        self.bytes = self.bytes - before + set.bytes();
        // One that lost posts has to remember it, unless that is said of all topics without a set.
        if set.keys.is_empty() && set.fallen.is_none_or(|fallen| fallen.best == BEST) {
            self.sets.remove(&group);
        }
    }

    /// What a group without a set lacks.
    fn without(&self, group: ListGroup) -> Option<Fallen> {
        let newest = self.left_out.filter(|_| matches!(group, ListGroup::Topic(_)))?;
        Some(Fallen { best: BEST, newest })
    }

    fn bytes(&self) -> usize {
        tree_bytes::<(ListGroup, Set)>(self.sets.len()) + self.bytes
    }

    /// What a group lacks.
    fn missing(&self, group: ListGroup) -> Option<Fallen> {
        self.sets
            .get(&group)
            .map_or_else(|| self.without(group), |set| set.fallen)
    }
}

impl Set {
    fn bytes(&self) -> usize {
        tree_bytes::<RankKey>(self.keys.len())
    }

    fn push(&mut self, key: RankKey, created_at: UnixMillis, depth: usize) {
        self.newest = self.newest.max(created_at);
        self.keys.insert(key);
        if self.keys.len() > depth
            && let Some(worst) = self.keys.pop_last()
        {
            self.fallen = Some(Fallen {
                best: self.fallen.map_or(worst, |fallen| fallen.best.min(worst)),
                newest: self.newest,
            });
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
    /// Of them all: every write of content asks, and waits for no reader.
    bytes: AtomicU64,
    half_lives: HalfLives,
}

impl Rankings {
    pub(crate) fn new(half_lives: HalfLives) -> Self {
        Rankings {
            rankings: Default::default(),
            bytes: AtomicU64::new(0),
            half_lives,
        }
    }

    /// The sum that a list is ranked by, as it counts at `now`; 0 where there is none.
    pub(crate) fn value(&self, by: RankedBy, heats: &Heats, now: UnixMillis) -> f64 {
        self.sum(by, heats)
            .map_or(0.0, |(heat, half_life)| heat.value(now, half_life))
    }

    /// What the rank of every entry has lost by `now`: the rest of a sum is its logarithm, as other shards give it, too. The kept rank
    /// depends on the half-life besides, and for a while processes may have read different ones from their configuration.
    pub(crate) fn lost_by(&self, by: RankedBy, now: UnixMillis) -> i64 {
        self.sum(by, &Heats::default())
            .map_or(0, |(_, half_life)| halvings(now, half_life))
    }

    /// The sum that a list is ranked by, with its half-life; `None` for one that is ranked by age.
    fn sum(&self, by: RankedBy, heats: &Heats) -> Option<(Heat, u64)> {
        match by {
            RankedBy::Popularity => Some((heats.engagement, self.half_lives.engagement)),
            RankedBy::Newest => None,
            RankedBy::Activity => Some((heats.talk, self.half_lives.talk)),
        }
    }

    /// The entry of a post in a list, if it is in it.
    fn key(&self, by: RankedBy, columns: &PostColumns, ordinal: Ordinal) -> Option<RankKey> {
        // No channel wants any, and where conversations are long they would be most of a list.
        if columns.is_reply {
            return None;
        }
        let rank = match self.sum(by, &columns.heats) {
            Some((heat, half_life)) => heat.rank(half_life)?,
            None => age_rank(columns.created_at),
        };
        Some((Reverse(rank), columns.key.post, ordinal))
    }

    /// One thread writes.
    fn change(&self, by: RankedBy, change: impl FnOnce(&mut Ranking)) {
        let mut ranking = self.rankings[by.index()].write();
        let before = ranking.bytes() as u64;
        change(&mut ranking);
        let bytes = self.bytes.load(Ordering::Relaxed) - before + ranking.bytes() as u64;
        self.bytes.store(bytes, Ordering::Relaxed);
    }

    pub(crate) fn insert(&self, columns: &PostColumns, ordinal: Ordinal) {
        for by in RankedBy::ALL {
            if let Some(key) = self.key(by, columns, ordinal) {
                self.change(by, |ranking| ranking.insert(columns, key));
            }
        }
    }

    pub(crate) fn remove(&self, columns: &PostColumns, ordinal: Ordinal) {
        for by in RankedBy::ALL {
            if let Some(key) = self.key(by, columns, ordinal) {
                self.change(by, |ranking| ranking.remove(columns, &key));
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
                self.change(by, |ranking| {
                    old.inspect(|key| ranking.remove(before, key));
                    new.inspect(|key| ranking.insert(after, *key));
                });
            }
        }
    }

    /// Bytes, at most.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Up to `limit` entries of a group behind `after`; `None` starts at the top.
    pub(crate) fn page(&self, by: RankedBy, group: ListGroup, after: Option<RankKey>, limit: usize) -> Page {
        let ranking = self.rankings[by.index()].read();
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let keys = ranking.sets.get(&group).map_or(Vec::new(), |set| {
            let behind = set.keys.range((from, Bound::Unbounded));
            behind.take(limit).copied().collect()
        });
        Page {
            keys,
            missing: ranking.missing(group),
        }
    }
}

/// The rank of a post in a list that is ranked by age.
pub(crate) fn age_rank(created_at: UnixMillis) -> i64 {
    i64::try_from(created_at.0).unwrap_or(i64::MAX)
}

#[cfg(test)]
#[path = "rankings_test.rs"]
mod tests;
