//! What an entry causes on other posts and users: here at once, elsewhere through the outbox.
//!
//! An effect whose owner lies in this shard is applied in the same batch. Whether it does is decided by the range at
//! this entry, which is the same on all replicas and at a replay.

use covey_shared::command::{Effect, ItemResult, OutboxItem, OutboxMark};
use covey_shared::ids::{PostKey, UnixMillis, UserId};
use covey_shared::slots::Slot;

use super::{Change, Group, ItemOutcome};
use crate::error::ShardStoreError;
use crate::keys::Kind;

/// Keys read at a time while an outbox is trimmed.
const TRIM_PAGE: usize = 1024;

impl Group<'_> {
    /// Has an effect of an entry of `source` happen.
    pub(crate) fn emit(&mut self, source: UserId, effect: Effect) -> Result<(), ShardStoreError> {
        if self.owns(effect.owner()) {
            return self.effect(&effect, source == effect.owner());
        }
        let slot = Slot::of(source);
        let counter = self.keys.of_slot(slot, Kind::OutboxNext);
        let sequence: u64 = self.txn.read(&counter)?.unwrap_or(1);
        self.txn.write(counter, &(sequence + 1))?;
        self.txn.write(self.keys.outbox(slot, sequence), &effect)?;
        self.changes.push(Change::Emitted(slot));
        Ok(())
    }

    /// Applies an effect from another shard, unless it has been seen.
    pub(crate) fn apply_effect(&mut self, item: &OutboxItem) -> ItemOutcome {
        if let Some(refused) = self.refused(&[item.effect.owner().0, item.sequence], item.effect.owner()) {
            return Ok(refused);
        }
        let key = self.keys.outbox_seen(item.source);
        let seen: u64 = self.txn.read(&key)?.unwrap_or(0);
        if item.sequence > seen {
            self.txn.write(key, &item.sequence)?;
            // What a user does to itself never leaves the shard.
            self.effect(&item.effect, false)?;
        }
        Ok(ItemResult::Ok)
    }

    /// `own`: of the user who has it happen.
    fn effect(&mut self, effect: &Effect, own: bool) -> Result<(), ShardStoreError> {
        match effect {
            Effect::CountAction { key, kind, at } => self.count_action(*key, usize::from(*kind), own, *at),
            Effect::CountFollower { user, delta } => self.count_follower(*user, *delta),
        }
    }

    /// A post that is not here yet is counted too: loaders bring replies before their parents. It is not if deleted.
    fn count_action(&mut self, key: PostKey, kind: usize, own: bool, at: UnixMillis) -> Result<(), ShardStoreError> {
        let mut state = self.post_state(key)?;
        let Some(count) = state.counters.by_kind.get_mut(kind) else {
            return Ok(());
        };
        if state.deleted.is_some() {
            return Ok(());
        }
        *count = count.saturating_add(1);
        state.heats.add(kind, own, self.past(at), self.options.half_lives());
        if state.version.is_some() {
            self.changes
                .push(Change::Counts(key, Box::new(state.counters), state.heats));
        } else {
            state.touched = self.applied.log_time;
            self.expiry.push(state.touched, key);
        }
        self.write_post_state(key, &state)
    }

    fn count_follower(&mut self, user: UserId, delta: i32) -> Result<(), ShardStoreError> {
        let mut state = self.user_state(user)?;
        state.followers = state.followers.saturating_add(i64::from(delta));
        self.changes.push(Change::Followers(user, state.followers));
        self.write_user_state(user, &state)
    }

    /// Forgets what was delivered.
    pub(crate) fn trim_outbox(&mut self, mark: &OutboxMark) -> ItemOutcome {
        if !self.applied.slots.contains(mark.source) {
            return Ok(ItemResult::StaleEpoch);
        }
        let start = self.keys.outbox(mark.source, 0);
        let end = self.keys.outbox(mark.source, mark.sequence.saturating_add(1));
        loop {
            let keys = self.txn.first_keys(&start, &end, TRIM_PAGE)?;
            let done = keys.len() < TRIM_PAGE;
            self.changes.push(Change::Delivered(mark.source, keys.len() as u64));
            keys.into_iter().for_each(|key| self.txn.delete(key));
            if done {
                return Ok(ItemResult::Ok);
            }
        }
    }
}
