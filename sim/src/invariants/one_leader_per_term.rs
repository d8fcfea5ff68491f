//! A term of a shard has at most one leader.

use covey_shared::ids::{NodeId, ShardId, Term};

use crate::history::History;

/// Checks one claim of leadership against earlier ones.
pub(crate) fn one_leader_per_term(history: &mut History, shard: ShardId, term: Term, node: NodeId) {
    let leader = *history.leaders.entry((shard, term)).or_insert(node);
    if leader != node {
        history
            .violations
            .push(format!("{shard:?} term {term}: both {leader:?} and {node:?} lead"));
    }
}
