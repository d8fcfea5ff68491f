//! Viewer actions: a set by action id, the bounded sequence of a viewer, the impression bloom.
//!
//! A recorded follow, block or mute is history for the ranking model; edges change through `PutUsers` alone. A recorded
//! reply, repost or quote enters the sequence, but the counter of the post is moved by the put of the reply itself, so
//! that a client that does both counts once. An impression does not enter it: that a post was on the screen is for the bloom.

use std::collections::BTreeMap;

use covey_shared::command::{Effect, ItemResult};
use covey_shared::ids::UserId;
use covey_shared::model::{Action, ActionKind};
use covey_shared::slots::Slot;
use covey_shared::wire::ViewerAction;

use super::{Group, ItemOutcome};
use crate::bloom;
use crate::error::ShardStoreError;
use crate::keys::{Kind, prefix_end};

/// Part of `limits.actions` by which a viewer may have more of them, until the oldest are looked for.
const SLACK: u64 = 16;

impl Group<'_> {
    pub(crate) fn record_actions(&mut self, actions: &[Action]) -> Result<Vec<ItemResult>, ShardStoreError> {
        let mut slots = BTreeMap::<Slot, usize>::new();
        let mut results = Vec::with_capacity(actions.len());
        for action in actions {
            let result = self.record_action(action)?;
            if result == ItemResult::Ok {
                *slots.entry(Slot::of(action.viewer)).or_default() += 1;
            }
            results.push(result);
        }
        for (slot, actions) in slots {
            self.forget_action_ids(slot, 4 * actions)?;
        }
        Ok(results)
    }

    fn record_action(&mut self, action: &Action) -> ItemOutcome {
        let ids = [action.viewer.0, action.post.author.0, action.post.post.0];
        if let Some(refused) = self.refused(&ids, action.viewer) {
            return Ok(refused);
        }
        let period = self.action_period();
        let id = |period: u32| self.keys.action_id(period, action.viewer, action.id);
        if self.txn.exists(&id(period))? || (period > 0 && self.txn.exists(&id(period - 1))?) {
            return Ok(ItemResult::Ok);
        }
        let id = id(period);
        self.txn.write(id, &())?;
        self.append_action(action)?;
        if action.kind.is_impression() {
            let options = &self.options.impressions;
            bloom::insert(&mut self.txn, &self.keys, options, action.viewer, action.post.post)?;
        }
        if !matches!(action.kind, ActionKind::Reply | ActionKind::Repost | ActionKind::Quote) {
            let (kind, at) = (action.kind.index() as u8, self.past(action.at));
            self.emit(
                action.viewer,
                Effect::CountAction {
                    key: action.post,
                    kind,
                    at,
                },
            )?;
        }
        Ok(ItemResult::Ok)
    }

    fn append_action(&mut self, action: &Action) -> Result<(), ShardStoreError> {
        let mut state = self.user_state(action.viewer)?;
        let was_known = state.known;
        self.know(&mut state);
        if action.kind == ActionKind::Impression {
            if was_known {
                return Ok(());
            }
            return self.write_user_state(action.viewer, &state);
        }
        let number = state.next_action;
        state.next_action += 1;
        self.write_user_state(action.viewer, &state)?;
        let kept = ViewerAction {
            kind: action.kind,
            post: action.post,
            at: self.past(action.at),
            dwell_ms: action.dwell_ms,
            surface: action.surface,
        };
        let key = self.keys.of_user_number(Kind::Action, action.viewer, number);
        self.txn.write(key, &kept)?;
        let most = u64::from(self.options.limits.actions);
        // They come in any order, so all have to be looked at: now and then.
        let beyond = state.next_action.saturating_sub(most);
        if beyond > 0 && beyond.is_multiple_of((most / SLACK).max(1)) {
            self.forget_actions(action.viewer, most as usize)?;
        }
        Ok(())
    }

    /// Keeps the newest `most` actions of a viewer; of those of one moment the last to come in.
    fn forget_actions(&mut self, viewer: UserId, most: usize) -> Result<(), ShardStoreError> {
        let prefix = self.keys.of_user(Kind::Action, viewer);
        let mut actions: Vec<(Vec<u8>, ViewerAction)> = self.txn.records(&prefix, &prefix_end(&prefix))?;
        actions.sort_by_key(|(_, action)| action.at);
        let oldest = actions.len().saturating_sub(most);
        actions.drain(..oldest).for_each(|(key, _)| self.txn.delete(key));
        Ok(())
    }

    fn action_period(&self) -> u32 {
        let memory = (self.options.action_memory.as_millis() as u64).max(1);
        u32::try_from(self.applied.log_time.0 / memory).unwrap_or(u32::MAX)
    }

    /// Removes ids of the slot that are older than the last period, at most `limit` and a few.
    fn forget_action_ids(&mut self, slot: Slot, limit: usize) -> Result<(), ShardStoreError> {
        let start = self.keys.of_slot(slot, Kind::ActionId);
        let mut end = start.clone();
        end.extend_from_slice(&self.action_period().saturating_sub(1).to_be_bytes());
        for key in self.txn.first_keys(&start, &end, limit)? {
            self.txn.delete(key);
        }
        Ok(())
    }
}
