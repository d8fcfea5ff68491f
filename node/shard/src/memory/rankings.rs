//! The best posts of a shard by engagement, by talk and by age, over all and per language: bounded ordered sets, kept as posts and
//! actions come in.
//!
//! A set forgets what falls off its end. If many of the kept ones are then deleted or sink, it holds fewer or other
//! posts than the true top until the replica starts again: its depth is a multiple of what is asked.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use covey_shared::ids::{PostId, UnixMillis};
use covey_shared::model::Language;
use covey_shared::wire::RankedBy;
use parking_lot::RwLock;

use crate::heat::{HalfLives, halvings};
use crate::memory::columns::{Ordinal, PostColumns};
use crate::memory::sizes::tree_bytes;

/// Entries of the set over all languages: eight times the largest query.
const DEPTH: usize = 8192;
/// Entries of the set of one language.
const LANGUAGE_DEPTH: usize = 2048;

/// Best first: higher rank, then lower post id.
pub(crate) type RankKey = (Reverse<i64>, PostId, Ordinal);

#[derive(Default)]
struct Ranking {
    all: BTreeSet<RankKey>,
    by_language: BTreeMap<Language, BTreeSet<RankKey>>,
}

impl Ranking {
    fn insert(&mut self, language: Language, key: RankKey) {
        push(&mut self.all, key, DEPTH);
        push(self.by_language.entry(language).or_default(), key, LANGUAGE_DEPTH);
    }

    fn bytes(&self) -> usize {
        let sets = self.by_language.values().chain([&self.all]);
        let languages = tree_bytes::<(Language, BTreeSet<RankKey>)>(self.by_language.len());
        languages + sets.map(|set| tree_bytes::<RankKey>(set.len())).sum::<usize>()
    }

    fn remove(&mut self, language: Language, key: &RankKey) {
        self.all.remove(key);
        if let Some(set) = self.by_language.get_mut(&language) {
            set.remove(key);
            if set.is_empty() {
                self.by_language.remove(&language);
            }
        }
    }
}

fn push(set: &mut BTreeSet<RankKey>, key: RankKey, depth: usize) {
    if set.len() < depth {
        set.insert(key);
    } else if set.last().is_some_and(|last| key < *last) && set.insert(key) {
        set.pop_last();
    }
}

pub(crate) struct Rankings {
    popular: RwLock<Ranking>,
    newest: RwLock<Ranking>,
    active: RwLock<Ranking>,
    half_lives: HalfLives,
}

impl Rankings {
    pub(crate) fn new(half_lives: HalfLives) -> Self {
        Rankings {
            popular: RwLock::default(),
            newest: RwLock::default(),
            active: RwLock::default(),
            half_lives,
        }
    }

    /// The sum that a list is ranked by, as it counts at `now`; 0 where there is none.
    pub(crate) fn value(&self, by: RankedBy, columns: &PostColumns, now: UnixMillis) -> f64 {
        let heats = &columns.heats;
        match by {
            RankedBy::Popularity => heats.engagement.value(now, self.half_lives.engagement),
            RankedBy::Newest => 0.0,
            RankedBy::Activity => heats.talk.value(now, self.half_lives.talk),
        }
    }

    /// What the rank of an entry is at `now`: for a sum its logarithm, as other shards give it, too. The kept rank depends on the
    /// half-life besides, and for a while processes may have read different ones from their configuration.
    pub(crate) fn rank_at(&self, by: RankedBy, rank: i64, now: UnixMillis) -> i64 {
        match by {
            RankedBy::Popularity => rank - halvings(now, self.half_lives.engagement),
            RankedBy::Newest => rank,
            RankedBy::Activity => rank - halvings(now, self.half_lives.talk),
        }
    }

    fn keys(&self, columns: &PostColumns, ordinal: Ordinal) -> [(RankedBy, Option<RankKey>); 3] {
        let key = |rank: i64| (Reverse(rank), columns.key.post, ordinal);
        let (heats, half_lives) = (&columns.heats, &self.half_lives);
        let created = i64::try_from(columns.created_at.0).unwrap_or(i64::MAX);
        [
            (
                RankedBy::Popularity,
                heats.engagement.rank(half_lives.engagement).map(key),
            ),
            (RankedBy::Newest, Some(key(created))),
            (RankedBy::Activity, heats.talk.rank(half_lives.talk).map(key)),
        ]
    }

    fn ranking(&self, by: RankedBy) -> &RwLock<Ranking> {
        match by {
            RankedBy::Popularity => &self.popular,
            RankedBy::Newest => &self.newest,
            RankedBy::Activity => &self.active,
        }
    }

    pub(crate) fn insert(&self, columns: &PostColumns, ordinal: Ordinal) {
        for (by, key) in self.keys(columns, ordinal) {
            if let Some(key) = key {
                self.ranking(by).write().insert(columns.language, key);
            }
        }
    }

    pub(crate) fn remove(&self, columns: &PostColumns, ordinal: Ordinal) {
        for (by, key) in self.keys(columns, ordinal) {
            if let Some(key) = key {
                self.ranking(by).write().remove(columns.language, &key);
            }
        }
    }

    /// Moves a post to its new places.
    pub(crate) fn reheat(&self, before: &PostColumns, after: &PostColumns, ordinal: Ordinal) {
        let moves = self.keys(before, ordinal).into_iter().zip(self.keys(after, ordinal));
        for ((by, old), (_, new)) in moves.filter(|(old, new)| old != new) {
            let mut ranking = self.ranking(by).write();
            old.inspect(|key| ranking.remove(before.language, key));
            new.inspect(|key| ranking.insert(after.language, *key));
        }
    }

    /// Bytes, at most.
    pub(crate) fn bytes(&self) -> u64 {
        let rankings = [&self.popular, &self.newest, &self.active];
        rankings.map(|ranking| ranking.read().bytes() as u64).iter().sum()
    }

    /// Up to `limit` entries behind `after`, best first; `None` starts at the top.
    pub(crate) fn page(
        &self,
        by: RankedBy,
        language: Option<Language>,
        after: Option<RankKey>,
        limit: usize,
    ) -> Vec<RankKey> {
        let ranking = self.ranking(by).read();
        let set = match language {
            None => Some(&ranking.all),
            Some(language) => ranking.by_language.get(&language),
        };
        let from = after.map_or(std::ops::Bound::Unbounded, std::ops::Bound::Excluded);
        set.map_or(Vec::new(), |set| {
            set.range((from, std::ops::Bound::Unbounded))
                .take(limit)
                .copied()
                .collect()
        })
    }
}
