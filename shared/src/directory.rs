//! The nodes of a cluster, as everyone who has to reach them knows them.
//!
//! The metadata decides who belongs to it. Its leader tells every node, nodes tell coordinators and one another, and the newest list wins: no
//! call depends on the metadata being there.

use std::collections::BTreeMap;

use bincode::{Decode, Encode};

use crate::ids::{LogIndex, NodeId};
use crate::metadata::NodePlace;

/// Nodes of the cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Directory {
    /// Entry of the metadata's log that changed it last; 0 for what only a configuration says.
    pub version: LogIndex,
    /// Nodes, ascending, each once.
    pub nodes: Vec<NodePlace>,
}

impl Directory {
    /// Of these nodes, in any order.
    pub fn new(version: LogIndex, nodes: impl IntoIterator<Item = NodePlace>) -> Directory {
        let nodes: BTreeMap<NodeId, NodePlace> = nodes.into_iter().map(|place| (place.node, place)).collect();
        Directory {
            version,
            nodes: nodes.into_values().collect(),
        }
    }

    /// The node with this id.
    pub fn get(&self, node: NodeId) -> Option<&NodePlace> {
        let at = self.nodes.binary_search_by_key(&node, |place| place.node).ok()?;
        self.nodes.get(at)
    }

    /// What to begin with: the nodes of what was known when the process ended, at the addresses that the configuration gives them, since it
    /// was written later. Of nodes that only the configuration has, one that was there before was removed since, and another has yet to join.
    #[must_use]
    pub fn at(self, configured: &Directory) -> Directory {
        if self.version == LogIndex(0) {
            return configured.clone();
        }
        let place = |known: NodePlace| configured.get(known.node).cloned().unwrap_or(known);
        Directory {
            version: self.version,
            nodes: self.nodes.into_iter().map(place).collect(),
        }
    }
}

#[cfg(test)]
#[path = "directory_test.rs"]
mod tests;
