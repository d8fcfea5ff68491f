//! Retention. What is older than the trim is hidden at once; its records go in bounded steps.

use covey_shared::command::ItemResult;
use covey_shared::ids::{PostKey, UnixMillis};

use super::{Change, Group, ItemOutcome};
use crate::error::ShardStoreError;
use crate::expiry::minute;
use crate::keys::Kind;
use crate::records::PostState;

impl Group<'_> {
    /// Moves the trim forward, never back, and removes the oldest records behind it, at most `limits.trim_records`.
    pub(crate) fn trim_before(&mut self, before: UnixMillis) -> ItemOutcome {
        let before = self.past(before).max(self.applied.trimmed_before);
        self.applied.trimmed_before = before;
        let mut left = self.options.limits.trim_records;
        let mut later = Vec::new();
        while left > 0 {
            let Some((popped, keys)) = self.expiry.pop_before(before) else {
                break;
            };
            let mut keys = keys.into_iter();
            while left > 0
                && let Some(key) = keys.next()
            {
                match self.due(key)? {
                    None => {}
                    Some(due) if due >= before => later.push((due, key)),
                    // Touched since it was entered: its turn comes in the order of what is true now, as it would after
                    // a restart.
                    Some(due) if minute(due) > popped => self.expiry.push(due, key),
                    Some(_) => {
                        left -= 1;
                        self.expire(key);
                    }
                }
            }
            // Not looked at: a minute may have many times more records than a trim takes.
            self.expiry.put_back(popped, keys.collect());
        }
        later.into_iter().for_each(|(due, key)| self.expiry.push(due, key));
        self.expiry.behind = left == 0;
        Ok(ItemResult::Ok)
    }

    fn due(&self, key: PostKey) -> Result<Option<UnixMillis>, ShardStoreError> {
        let state: Option<PostState> = self.txn.read(&self.keys.of_post(Kind::PostState, key))?;
        Ok(state.map(|state| state.expires_by()))
    }

    fn expire(&mut self, key: PostKey) {
        for kind in [Kind::PostState, Kind::Post, Kind::PendingRow] {
            self.txn.delete(self.keys.of_post(kind, key));
        }
        self.changes.push(Change::Expired(key));
    }
}
