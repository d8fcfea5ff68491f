//! Which replica answers a read: a pure choice by latency, load and health.

use std::collections::BTreeMap;

use covey_shared::ids::NodeId;

use crate::cluster::link::LinkView;

/// Assumed latency in seconds of a node that has not answered yet: it gets its try, but no flood.
const UNKNOWN_LATENCY: f64 = 0.001;

/// The links when a read is planned, with the shards that the plan has given to each node so far.
#[derive(Debug)]
pub(crate) struct Choice {
    links: BTreeMap<NodeId, LinkView>,
    planned: BTreeMap<NodeId, usize>,
    /// Where equally good replicas start, so that not every request goes to the first.
    turn: usize,
}

impl Choice {
    pub(crate) fn new(links: BTreeMap<NodeId, LinkView>, turn: usize) -> Choice {
        Choice {
            links,
            planned: BTreeMap::new(),
            turn,
        }
    }

    /// The best of `replicas` that is not among `avoid`; `None` if that leaves none. Who is `stale` is asked after the others
    /// that are alive. `first` wins if it is available.
    pub(crate) fn pick(
        &mut self,
        replicas: &[NodeId],
        (avoid, stale): (&[NodeId], &[NodeId]),
        first: Option<NodeId>,
    ) -> Option<NodeId> {
        let n = replicas.len();
        let candidates = (0..n)
            .map(|i| replicas[(i + self.turn) % n])
            .filter(|node| !avoid.contains(node) && self.links.contains_key(node));
        let preferred = first.filter(|node| self.available(*node) && replicas.contains(node) && !avoid.contains(node));
        let best = preferred.or_else(|| {
            let cost = |node: &NodeId| self.cost(*node, stale.contains(node));
            candidates.min_by(|a, b| cost(a).total_cmp(&cost(b)))
        })?;
        *self.planned.entry(best).or_default() += 1;
        Some(best)
    }

    fn available(&self, node: NodeId) -> bool {
        self.links.get(&node).is_some_and(|link| link.available)
    }

    /// Expected wait: latency times what is in front. A node that does not answer is a last resort, not forbidden: when
    /// all replicas are down a try is better than none.
    fn cost(&self, node: NodeId, stale: bool) -> f64 {
        let Some(link) = self.links.get(&node) else {
            return f64::INFINITY;
        };
        let latency = if link.latency > 0.0 {
            link.latency
        } else {
            UNKNOWN_LATENCY
        };
        let ahead = 1 + link.in_flight + self.planned.get(&node).copied().unwrap_or(0);
        let penalty = match (link.available, link.alive, stale) {
            (false, ..) => 1e9,
            // An old answer is better than waiting for none.
            (true, false, _) => 1e6,
            (true, true, true) => 1e3,
            (true, true, false) => 1.0,
        };
        latency * ahead as f64 * penalty
    }
}

#[cfg(test)]
#[path = "replica_choice_test.rs"]
mod tests;
