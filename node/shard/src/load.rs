//! Reads and decodes what memory needs of a few slots. Changes nothing: any number of threads may.

use std::collections::VecDeque;

use covey_shared::ids::{PostId, PostKey, UnixMillis, UserId};
use covey_shared::model::Post;
use covey_shared::slots::{Slot, SlotRange};

use crate::db::Db;
use crate::error::ShardStoreError;
use crate::keys::{Kind, kind_of, number, slot_of};
use crate::memory::PostColumns;
use crate::records::{PendingRow, PostState, UserState};

/// Slots of a part: some thousand records where there are a million posts, so that the threads seldom meet.
const PART: u16 = 16;

/// What the records of some slots say.
#[derive(Default)]
pub(crate) struct Part {
    /// The slot behind the last one.
    pub(crate) end: u16,
    /// Records that were read.
    pub(crate) records: u64,
    /// When which post runs out.
    pub(crate) expiry: Vec<(UnixMillis, PostKey)>,
    /// Tombstones; a later version of the post may live.
    pub(crate) deleted: Vec<PostKey>,
    pub(crate) posts: Vec<PostColumns>,
    pub(crate) users: Vec<(UserId, UserState)>,
    pub(crate) pending: Vec<(PostKey, PendingRow)>,
    /// One for each effect on its way.
    pub(crate) outbox: Vec<Slot>,
    /// Of the slot that is read, those whose post was not yet met. States and posts lie in the same order.
    states: VecDeque<(PostKey, PostState)>,
}

/// The parts of a shard.
pub(crate) fn parts(slots: SlotRange) -> Vec<SlotRange> {
    let starts = (slots.start..slots.end).step_by(usize::from(PART));
    let end = |start: u16| start.saturating_add(PART).min(slots.end);
    starts.map(|start| SlotRange { start, end: end(start) }).collect()
}

impl Part {
    /// Reads the kinds that memory needs, slot by slot, jumping over the other kinds and over empty slots.
    pub(crate) fn read(db: &Db, slots: SlotRange) -> Result<Part, ShardStoreError> {
        let (keys, end) = (db.keys, db.keys.slot_start(slots.end));
        let mut part = Part {
            end: slots.end,
            ..Part::default()
        };
        let mut next = Some(slots.start);
        while let Some(from) = next.take().filter(|slot| *slot < slots.end) {
            let mut current = from;
            part.states.clear();
            db.scan(&keys.slot_start(from), &end, |key, value| {
                let slot = slot_of(key).expect("a key of this shard has a slot");
                if slot != current {
                    current = slot;
                    part.states.clear();
                }
                if kind_of(key).is_some_and(|kind| kind > Kind::LAST_IN_MEMORY) {
                    next = Some(slot + 1);
                    return Ok(false);
                }
                part.record(db, key, value)?;
                Ok(true)
            })?;
        }
        part.states = VecDeque::new();
        Ok(part)
    }

    fn record(&mut self, db: &Db, key: &[u8], value: &[u8]) -> Result<(), ShardStoreError> {
        self.records += 1;
        let user = UserId(number(key, 0));
        let post = PostKey {
            author: user,
            post: PostId(number(key, 8)),
        };
        match kind_of(key) {
            Some(kind) if kind == Kind::PostState as u8 => {
                let state = db.decode::<PostState>(key, value)?;
                self.expiry.push((state.expires_by(), post));
                if state.deleted.is_some() {
                    self.deleted.push(post);
                }
                if state.version.is_some() {
                    self.states.push_back((post, state));
                }
            }
            Some(kind) if kind == Kind::Post as u8 => {
                let body = db.decode::<Post>(key, value)?;
                if let Some(state) = self.state_of(post) {
                    self.posts.push(PostColumns::new(&body, &state));
                }
            }
            Some(kind) if kind == Kind::User as u8 => self.users.push((user, db.decode(key, value)?)),
            Some(kind) if kind == Kind::PendingRow as u8 => self.pending.push((post, db.decode(key, value)?)),
            Some(kind) if kind == Kind::Outbox as u8 => self.outbox.push(Slot(slot_of(key).unwrap_or(0))),
            _ => {}
        }
        Ok(())
    }

    fn state_of(&mut self, post: PostKey) -> Option<PostState> {
        while self.states.pop_front_if(|(key, _)| *key < post).is_some() {}
        let (_, state) = self.states.pop_front_if(|(key, _)| *key == post)?;
        Some(state)
    }
}

#[cfg(test)]
#[path = "load_test.rs"]
mod tests;
