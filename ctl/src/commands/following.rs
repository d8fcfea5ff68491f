//! Which operations a watch is about, what of them is news, and when it is over. Pure; `watch.rs` asks and shows.

use std::collections::{BTreeMap, BTreeSet};

use covey_api::v1::{DescribeClusterReply, OperationState, OperationView};

use crate::render::operations;

/// Shortest time between two lines of which only the figures differ, in milliseconds.
const QUIET_MS: u64 = 5_000;

/// The state of a watch.
#[derive(Debug, Default)]
pub(super) struct Following {
    only: Option<u64>,
    /// Those that ran when they were looked at.
    seen: BTreeSet<u64>,
    told: BTreeMap<u64, Told>,
}

/// What was last said of an operation.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    at_ms: u64,
    state: i32,
    cancelled: bool,
    tenths: u64,
    words: String,
}

impl Following {
    /// One operation, or all that run.
    pub(super) fn of(only: Option<u64>) -> Following {
        Following {
            only,
            ..Following::default()
        }
    }

    /// Leaves what the watch is about in a reply.
    pub(super) fn keep(&mut self, reply: &mut DescribeClusterReply) {
        (reply.nodes, reply.shards, reply.audit) = (Vec::new(), Vec::new(), Vec::new());
        let runs = |one: &&OperationView| one.state() == OperationState::Running;
        self.seen.extend(reply.operations.iter().filter(runs).map(|one| one.id));
        if self.only.is_none() {
            let (seen, about) = (&self.seen, |id: &u64| self.seen.contains(id));
            reply
                .operations
                .retain(|one| seen.contains(&one.id) || about(&one.parent));
        }
    }

    /// Whether all went as wanted, once everything has ended.
    pub(super) fn ended(&self, reply: &DescribeClusterReply) -> Option<bool> {
        let about = |one: &&OperationView| self.only.map_or(one.parent == 0, |only| one.id == only);
        let mut states = reply.operations.iter().filter(about).map(OperationView::state);
        let mut good = true;
        let running = states.any(|state| {
            good &= state == OperationState::Done;
            state == OperationState::Running
        });
        (!running).then_some(good)
    }

    /// A line for each operation of which there is news.
    pub(super) fn news(&mut self, reply: &DescribeClusterReply) -> Vec<String> {
        let mut lines = Vec::new();
        for one in &reply.operations {
            let now = Told::of(one, reply.at_ms);
            let known = self.told.get(&one.id);
            let is_news = known.is_none_or(|before| {
                let waited = reply.at_ms.saturating_sub(before.at_ms) >= QUIET_MS;
                before.differs(&now) || (waited && before.words != now.words)
            });
            if is_news {
                lines.push(operations::line(one, reply.at_ms));
                self.told.insert(one.id, now);
            }
        }
        lines
    }
}

impl Told {
    fn of(one: &OperationView, at_ms: u64) -> Told {
        Told {
            at_ms,
            state: one.state,
            cancelled: one.cancelled,
            tenths: one.done.saturating_mul(10).checked_div(one.total).unwrap_or(0),
            words: format!("{} {}", one.step, one.blocked_by),
        }
    }

    /// In more than figures.
    fn differs(&self, now: &Told) -> bool {
        let plain = |words: &str| -> String { words.chars().filter(|c| !c.is_ascii_digit()).collect() };
        (self.state, self.cancelled, self.tenths) != (now.state, now.cancelled, now.tenths)
            || plain(&self.words) != plain(&now.words)
    }
}

#[cfg(test)]
#[path = "following_test.rs"]
mod tests;
