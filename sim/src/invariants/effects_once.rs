//! An effect on another shard happens there exactly once: a user has as many followers as edges are on.

use std::collections::BTreeMap;

use covey_shared::ids::{NodeId, UserId};

use crate::history::History;

/// Compares the counts of users that one node returned with the edges, once none is on its way.
pub(crate) fn effects_once(history: &mut History, node: NodeId, found: &BTreeMap<UserId, u32>) {
    let mut broken = Vec::new();
    for (user, count) in found {
        let on = |(edge, on): &(&(UserId, UserId), &bool)| edge.1 == *user && **on;
        let edges = history.follows.iter().filter(on).count();
        if edges as u64 != u64::from(*count) {
            broken.push(format!(
                "{node:?} {user:?}: {count} followers are counted, {edges} follow"
            ));
        }
    }
    history.violations.extend(broken);
}
