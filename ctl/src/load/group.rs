//! Groups: rows that are sent together. Within a group users and posts go before actions, which is always right because
//! neither depends on an action; posts that refer to posts of their own group go after them, in waves.

use std::collections::HashMap;

use covey_api::v1::{Action, Post, UserUpdate};

use super::source::{Content, Row};
use crate::record::Record;

/// Most bytes of one request: the entry of a Raft log that carries it has a limit too.
const MAX_BYTES: usize = 512 << 10;

/// A record and the line it came from.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Numbered<T> {
    pub(crate) line: u64,
    pub(crate) item: T,
}

/// Rows `first .. end` of the input (counted from 0, bad ones too).
#[derive(Debug, Default)]
pub(crate) struct Group {
    /// Position in the sequence of groups, from 0.
    pub(crate) number: u64,
    pub(crate) first: u64,
    pub(crate) end: u64,
    pub(crate) users: Vec<Numbered<UserUpdate>>,
    pub(crate) posts: Vec<Numbered<Post>>,
    pub(crate) actions: Vec<Numbered<Action>>,
    pub(crate) bad: Vec<(u64, String)>,
    bytes: usize,
}

impl Group {
    pub(crate) fn is_empty(&self) -> bool {
        self.end == self.first
    }

    /// Posts that its posts refer to.
    pub(crate) fn references(&self) -> impl Iterator<Item = u64> + '_ {
        self.posts.iter().flat_map(|post| references(&post.item))
    }

    /// Its posts in waves: each refers only to posts of earlier waves, or of other groups.
    pub(crate) fn waves(posts: Vec<Numbered<Post>>) -> Vec<Vec<Numbered<Post>>> {
        let mut wave_of: HashMap<u64, usize> = HashMap::new();
        let mut waves: Vec<Vec<Numbered<Post>>> = Vec::new();
        for post in posts {
            let after = references(&post.item).filter_map(|other| wave_of.get(&other)).max();
            let wave = after.map_or(0, |wave| wave + 1);
            wave_of.insert(post.item.post_id, wave);
            if waves.len() <= wave {
                waves.push(Vec::new());
            }
            waves[wave].push(post);
        }
        waves
    }

    fn largest(&self) -> usize {
        self.users
            .len()
            .max(self.posts.len())
            .max(self.actions.len())
            .max(self.bad.len())
    }
}

pub(crate) fn references(post: &Post) -> impl Iterator<Item = u64> + use<> {
    let keys = [post.reply_to, post.repost_of, post.quote_of];
    keys.into_iter().flatten().map(|key| key.post_id)
}

/// Cuts rows into groups. The cuts depend on the rows and on where it starts only: a resumed load makes the same groups
/// from a cut on, so that the same actions are sent under the same identity.
pub(crate) struct Groups<I> {
    rows: I,
    batch: usize,
    shift_ms: i64,
    number: u64,
    position: u64,
}

impl<I: Iterator<Item = Row>> Groups<I> {
    /// Skips the first `from` rows; at most `batch` items of a kind per group; times are moved by `shift_ms`.
    pub(crate) fn new(mut rows: I, from: u64, batch: usize, shift_ms: i64) -> Groups<I> {
        // Not `skip`, which would hide how far a shorter input goes.
        let skipped = rows.by_ref().take(from as usize).count();
        Groups {
            rows,
            batch,
            shift_ms,
            number: 0,
            position: skipped as u64,
        }
    }

    fn add(&mut self, group: &mut Group, row: Row) {
        let line = row.line;
        match row.content {
            Content::Bad(why) => group.bad.push((line, why)),
            Content::Record(mut record) => {
                record.shift(self.shift_ms);
                match *record {
                    Record::User(item) => {
                        group.bytes += 64 + item.edges.len() * 8;
                        group.users.push(Numbered { line, item });
                    }
                    Record::Post(item) => {
                        group.bytes += 128 + item.text.len() + item.vector.len() * 4;
                        group.posts.push(Numbered { line, item });
                    }
                    Record::Action(item) => {
                        group.bytes += 48;
                        group.actions.push(Numbered { line, item });
                    }
                }
            }
        }
        self.position += 1;
    }
}

impl<I: Iterator<Item = Row>> Iterator for Groups<I> {
    type Item = Group;

    fn next(&mut self) -> Option<Group> {
        let mut group = Group {
            number: self.number,
            first: self.position,
            ..Group::default()
        };
        while group.largest() < self.batch && group.bytes < MAX_BYTES {
            let Some(row) = self.rows.next() else { break };
            self.add(&mut group, row);
        }
        group.end = self.position;
        self.number += 1;
        (!group.is_empty()).then_some(group)
    }
}

#[cfg(test)]
#[path = "group_test.rs"]
mod tests;
