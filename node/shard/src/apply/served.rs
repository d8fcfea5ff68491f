//! What a feed showed a viewer: one delta per reply, appended, the newest ones kept.

use std::collections::BTreeSet;

use covey_shared::command::{ItemResult, RejectReason, Served};
use covey_shared::ids::PostId;

use super::{Group, ItemOutcome};
use crate::keys::{Kind, prefix_end};

/// Ids in one delta.
pub(crate) const MAX_SERVED: usize = 1000;
/// Old deltas that a new one removes at most: more than it adds.
const FORGET: usize = 4;

impl Group<'_> {
    pub(crate) fn record_served(&mut self, served: &Served) -> ItemOutcome {
        let viewer = served.viewer;
        if let Some(refused) = self.refused(&[viewer.0], viewer) {
            return Ok(refused);
        }
        if served.posts.len() > MAX_SERVED {
            return Ok(ItemResult::Rejected(RejectReason::TooLarge));
        }
        let at = self.past(served.at);
        let key = self.keys.of_user_number(Kind::Served, viewer, at.0);
        let there: Option<Vec<PostId>> = self.txn.read(&key)?;
        let mut state = self.user_state(viewer)?;
        state.served += u32::from(there.is_none());
        let mut posts: BTreeSet<PostId> = there.into_iter().flatten().collect();
        posts.extend(&served.posts);
        self.txn
            .write(key, &posts.into_iter().take(MAX_SERVED).collect::<Vec<_>>())?;
        let prefix = self.keys.of_user(Kind::Served, viewer);
        let memory = self.options.served_memory.as_millis() as u64;
        let expired = self
            .keys
            .of_user_number(Kind::Served, viewer, self.applied.log_time.0.saturating_sub(memory));
        for key in self.txn.first_keys(&prefix, &prefix_end(&prefix), FORGET)? {
            if key < expired || state.served > self.options.limits.served_deltas {
                self.txn.delete(key);
                state.served = state.served.saturating_sub(1);
            }
        }
        self.write_user_state(viewer, &state)?;
        Ok(ItemResult::Ok)
    }
}
