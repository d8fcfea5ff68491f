//! Which nodes belong to the cluster: those of its configuration, those that joined since, and not those that were removed.

use std::ops::Range;

use covey_shared::directory::Directory;
use covey_shared::ids::{LogIndex, NodeId};
use covey_shared::metadata::{NodePlace, NodeRecord, Operation, OperationFault};

use crate::admission::named;
use crate::moving::Move;
use crate::state::Metadata;

/// Nodes that are kept.
const MAX_NODES: usize = 4096;
/// Longest address, or name of a zone, in bytes.
const MAX_TEXT: usize = 256;
/// Numbers of nodes, as a [`ReplicaId`](covey_shared::ids::ReplicaId) has room for them.
pub(crate) const NODES: Range<u64> = 1..1 << 16;

impl Metadata {
    /// The nodes of the cluster, for whoever has to reach them.
    pub(crate) fn directory(&self) -> Directory {
        Directory::new(self.directory, self.nodes.values().map(|known| known.place.clone()))
    }

    /// The same once every node that is configured is in it: a node takes what is not in the list for gone, and if one joined before the
    /// others were registered nobody would find these any more.
    pub fn whole_directory(&self, configured: &[NodePlace]) -> Option<Directory> {
        let whole = !configured.iter().any(|place| self.lacks_place(place));
        whole.then(|| self.directory())
    }

    /// Whether a node as it is configured is new to it, and can be taken in.
    pub fn lacks_place(&self, place: &NodePlace) -> bool {
        !self.nodes.contains_key(&place.node) && self.fits(place).is_ok()
    }

    pub(crate) fn register(&mut self, index: LogIndex, places: &[NodePlace]) {
        for place in places {
            if self.lacks_place(place) {
                self.take_in(index, place);
            }
        }
    }

    /// A node says where it is, or somebody says so of it.
    pub(crate) fn join(&mut self, index: LogIndex, place: &NodePlace, by: &str) -> Result<(), OperationFault> {
        named(by)?;
        self.fits(place)?;
        let at_same = |known: &&NodeRecord| known.place.listen == place.listen && known.place.node != place.node;
        if let Some(other) = self.nodes.values().find(at_same) {
            let (other, listen) = (other.place.node, &place.listen);
            return Err(OperationFault::Invalid(format!(
                "node {other} has the address {listen} already"
            )));
        }
        self.take_in(index, place);
        Ok(())
    }

    /// A node that has nothing, and gets nothing, leaves for good.
    pub(crate) fn remove(&mut self, index: LogIndex, node: NodeId, by: &str) -> Result<(), OperationFault> {
        named(by)?;
        self.known(node)?;
        if !self.knows_all_shards() {
            return Err(OperationFault::NotYetKnown);
        }
        let has = self
            .shards
            .values()
            .filter(|known| known.members.on(node).is_some())
            .count();
        if has > 0 {
            let replicas = has as u64;
            return Err(OperationFault::NotEmpty { node, replicas });
        }
        let comes = |what: Operation| Move::of(&what).is_some_and(|what| what.to == node);
        if let Some(other) = self
            .running()
            .find(|record| record.what.node() == Some(node) || comes(record.what))
        {
            return Err(OperationFault::Conflict(other.id));
        }
        self.nodes.remove(&node);
        self.removed.insert(node);
        self.directory = index;
        Ok(())
    }

    /// Whether that may be a node of the cluster.
    fn fits(&self, place: &NodePlace) -> Result<(), OperationFault> {
        let node = place.node;
        if self.removed.contains(&node) {
            return Err(OperationFault::Removed(node));
        }
        let invalid = |words: String| Err(OperationFault::Invalid(words));
        match self.nodes.len() {
            _ if !NODES.contains(&node.0) => invalid(format!("nodes have ids from 1 to 65535, not {node}")),
            _ if place.listen.is_empty() || place.listen.len().max(place.zone.len()) > MAX_TEXT => invalid(format!(
                "a node has an address, and address and zone have at most {MAX_TEXT} bytes"
            )),
            // It is shown on terminals.
            _ if [&place.listen, &place.zone]
                .iter()
                .any(|text| text.contains(char::is_control)) =>
            {
                invalid("address and zone have no characters that cannot be printed".to_owned())
            }
            MAX_NODES.. if !self.nodes.contains_key(&node) => invalid(format!("there are {MAX_NODES} nodes already")),
            _ => Ok(()),
        }
    }

    fn take_in(&mut self, index: LogIndex, place: &NodePlace) {
        let known = self.nodes.entry(place.node).or_insert_with(|| NodeRecord {
            place: place.clone(),
            drained: false,
            away_since: None,
        });
        known.place.clone_from(place);
        self.directory = index;
    }
}

#[cfg(test)]
#[path = "roster_test.rs"]
mod tests;
