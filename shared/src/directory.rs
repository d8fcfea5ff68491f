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
}

#[cfg(test)]
#[path = "directory_test.rs"]
mod tests;
