//! What a replica keeps in memory, all of it derived from the key-value store: one thread changes it, any number read.

mod columns;
mod ids;
mod labelled;
mod outbox;
mod rankings;
pub(crate) mod sizes;
mod timelines;

use std::sync::atomic::{AtomicU64, Ordering};

use covey_shared::ids::{PostKey, UserId};
use covey_shared::wire::Counters;

pub(crate) use columns::{Columns, Ordinal, PostColumns, Table};
pub(crate) use ids::{Ids, Known};
use labelled::Labelled;
use outbox::OutboxCounts;
pub(crate) use rankings::{RankKey, Rankings, age_rank};
pub(crate) use timelines::{Entry, Timelines, Which};

use crate::heat::{HalfLives, Heats};

pub(crate) struct Memory {
    pub(crate) columns: Columns,
    pub(crate) ids: Ids,
    pub(crate) timelines: Timelines,
    pub(crate) rankings: Rankings,
    labelled: Labelled,
    /// Known users.
    pub(crate) users: AtomicU64,
    pub(crate) outbox: OutboxCounts,
}

impl Memory {
    pub(crate) fn new(half_lives: HalfLives) -> Self {
        Memory {
            columns: Columns::new(),
            ids: Ids::new(),
            timelines: Timelines::new(),
            rankings: Rankings::new(half_lives),
            labelled: Labelled::new(),
            users: AtomicU64::new(0),
            outbox: OutboxCounts::default(),
        }
    }

    /// Puts a post in, or a newer version of it in place of the old one.
    pub(crate) fn put(&self, columns: &PostColumns) {
        if columns.labels != 0 {
            self.labelled.add(columns.key.post);
        }
        let ordinal = self.columns.append(columns);
        let before = self.ids.set(columns.key, Known::Live(ordinal));
        // The new row first: a reader may meet both for a moment, never neither.
        self.timelines.insert(columns, ordinal);
        self.rankings.insert(columns, ordinal);
        if let Some(Known::Live(old)) = before {
            self.forget(old);
        }
    }

    /// The post is deleted; its tombstone is remembered.
    pub(crate) fn delete(&self, key: PostKey) {
        if let Some(Known::Live(old)) = self.ids.set(key, Known::Deleted) {
            self.forget(old);
        }
    }

    /// The post and its tombstone have expired.
    pub(crate) fn expire(&self, key: PostKey) {
        if let Some(Known::Live(old)) = self.ids.remove(key) {
            self.forget(old);
        }
    }

    fn forget(&self, ordinal: Ordinal) {
        let table = self.columns.table();
        if let Some(row) = table.live(ordinal) {
            let columns = row.load();
            self.columns.kill(ordinal);
            self.timelines.remove(&columns, ordinal);
            self.rankings.remove(&columns, ordinal);
        }
    }

    /// The columns of a live post, found by its key. An edit that comes in between moves it: looked for again.
    pub(crate) fn latest(&self, key: PostKey) -> Option<PostColumns> {
        const TRIES: usize = 4;
        let look = || {
            let ordinal = self.ids.live(key)?;
            self.columns.table().live(ordinal).map(|row| row.load())
        };
        (0..TRIES).find_map(|_| look())
    }

    pub(crate) fn set_counts(&self, key: PostKey, counters: &Counters, heats: Heats) {
        let Some(ordinal) = self.ids.live(key) else { return };
        let table = self.columns.table();
        let Some(row) = table.live(ordinal) else { return };
        let before = row.load();
        self.columns.set_counts(ordinal, counters, heats);
        let after = PostColumns {
            heats,
            ..before.clone()
        };
        self.rankings.reheat(&before, &after, ordinal);
    }

    pub(crate) fn set_labels(&self, key: PostKey, labels: u32) {
        if labels != 0 {
            self.labelled.add(key.post);
        }
        if let Some(ordinal) = self.ids.live(key) {
            self.columns.set_labels(ordinal, labels);
        }
    }

    /// Labels of a live post, 0 for others. Nearly free for posts that never had a label.
    pub(crate) fn labels(&self, key: PostKey) -> u32 {
        if !self.labelled.may_be(key.post) {
            return 0;
        }
        let table = self.columns.table();
        let row = self.ids.live(key).and_then(|ordinal| table.live(ordinal));
        row.map_or(0, |row| row.labels())
    }

    pub(crate) fn set_followers(&self, user: UserId, followers: i64) {
        self.timelines.set_followers(user, followers);
    }

    pub(crate) fn add_user(&self) {
        self.users.fetch_add(1, Ordering::AcqRel);
    }

    /// Bytes, part by part.
    pub(crate) fn parts(&self) -> [(&'static str, u64); 5] {
        [
            ("columns", self.columns.bytes()),
            ("ids", self.ids.bytes()),
            ("timelines", self.timelines.bytes()),
            ("rankings", self.rankings.bytes()),
            ("labels, outbox", self.labelled.bytes() + self.outbox.bytes()),
        ]
    }
}
