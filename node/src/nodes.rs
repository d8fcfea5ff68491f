//! Which nodes belong to the cluster, as this one knows it, and the ways to them.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use bincode::{Decode, Encode};
use covey_env::Env;
use covey_rpc::{ClientOptions, NodeClient, Peer};
use covey_shared::directory::Directory;
use covey_shared::ids::{LogIndex, NodeId};
use covey_shared::metadata::NodePlace;
use parking_lot::Mutex;
use tokio::sync::watch;

use crate::kept::{Form, Kept};

/// The file that keeps the directory over a restart: at most 4096 nodes with names of 512 bytes.
const FORM: Form = Form {
    name: "nodes",
    version: 1,
    max: 4 << 20,
};

/// What the process keeps over a restart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
struct Known {
    /// As the cluster says.
    cluster: Directory,
    /// What the configuration said then.
    configured: Directory,
    /// Nodes that the configuration has moved since the cluster said where they are: they are looked for there until it says something newer.
    moved: Vec<NodePlace>,
}

impl Known {
    /// With the configuration as it is now.
    fn under(mut self, configured: &Directory) -> Known {
        let changed = |place: &&NodePlace| self.configured.get(place.node).is_some_and(|before| before != *place);
        let moved: Vec<NodePlace> = configured.nodes.iter().filter(changed).cloned().collect();
        self.moved.retain(|old| moved.iter().all(|new| new.node != old.node));
        self.moved.extend(moved);
        self.configured = configured.clone();
        self
    }

    /// The cluster says something newer: that counts where it has changed.
    fn learn(&mut self, newer: Directory) {
        let before = std::mem::replace(&mut self.cluster, newer);
        let cluster = &self.cluster;
        self.moved
            .retain(|place| cluster.get(place.node) == before.get(place.node));
    }

    /// Where to look for whom. Of nodes that only the configuration has, one that was there before was removed since, and another has yet to
    /// join.
    fn directory(&self) -> Directory {
        if self.cluster.version == LogIndex(0) {
            return self.configured.clone();
        }
        let moved = |node| self.moved.iter().find(|place| place.node == node);
        let place = |known: &NodePlace| moved(known.node).unwrap_or(known).clone();
        Directory::new(self.cluster.version, self.cluster.nodes.iter().map(place))
    }
}

/// The nodes of the cluster. The list changes while this one runs; the newest counts.
pub(crate) struct Nodes {
    env: Env,
    kept: Arc<Kept<Known>>,
    now: watch::Sender<Arc<Directory>>,
}

impl Nodes {
    /// As known when the process ended, else as configured.
    pub(crate) fn open(env: &Env, dir: &Path, configured: &Directory) -> Arc<Nodes> {
        let kept: Arc<Kept<Known>> = Kept::open(env, dir, FORM);
        kept.change(|known| {
            *known = std::mem::take(known).under(configured);
            // It is said again with the next start.
            false
        });
        Arc::new(Nodes {
            env: env.clone(),
            now: watch::Sender::new(Arc::new(kept.look(Known::directory))),
            kept,
        })
    }

    pub(crate) fn now(&self) -> Arc<Directory> {
        self.now.borrow().clone()
    }

    pub(crate) fn version(&self) -> LogIndex {
        self.now.borrow().version
    }

    /// What it is now, and each change.
    pub(crate) fn watch(&self) -> watch::Receiver<Arc<Directory>> {
        self.now.subscribe()
    }

    /// Takes it in if it is newer.
    pub(crate) fn learn(&self, directory: Directory) {
        // It came over the network.
        let directory = Directory::new(directory.version, directory.nodes);
        self.kept.change(|known| {
            let newer = directory.version > known.cluster.version;
            if newer {
                let (version, nodes) = (directory.version.0, directory.nodes.len());
                tracing::info!(version, nodes, "the nodes of the cluster have changed");
                known.learn(directory);
                self.now.send_replace(Arc::new(known.directory()));
            }
            newer
        });
    }
}

/// The way that a node is dialled.
pub(crate) fn peer(place: &NodePlace) -> Peer {
    Peer {
        node: place.node,
        address: place.listen.clone(),
    }
}

/// The ways to all nodes, this one included: the leader of a shard may be anywhere. Connections run on the runtime of whoever calls, so
/// each worker with a runtime of its own has its own.
pub(crate) struct Clients {
    nodes: Arc<Nodes>,
    options: ClientOptions,
    made: Mutex<Made>,
}

/// Clients of nodes that are in this list.
#[derive(Default)]
struct Made {
    known: Arc<Directory>,
    clients: BTreeMap<NodeId, NodeClient>,
}

impl Clients {
    pub(crate) fn new(nodes: Arc<Nodes>, options: ClientOptions) -> Clients {
        Clients {
            nodes,
            options,
            made: Mutex::default(),
        }
    }

    /// The nodes that there are, ascending.
    pub(crate) fn ids(&self) -> Vec<NodeId> {
        self.nodes.now().nodes.iter().map(|place| place.node).collect()
    }

    /// The way to a node of the cluster; it connects with the first call.
    pub(crate) fn get(&self, node: NodeId) -> Option<NodeClient> {
        let mut made = self.made.lock();
        let Made { known, clients } = &mut *made;
        let now = self.nodes.now();
        if !Arc::ptr_eq(known, &now) {
            clients.retain(|node, client| now.get(*node).is_some_and(|place| peer(place) == *client.peer()));
            *known = now;
        }
        let place = known.get(node)?;
        let client = clients
            .entry(node)
            .or_insert_with(|| NodeClient::new(self.nodes.env.clone(), peer(place), self.options.clone()));
        Some(client.clone())
    }
}

#[cfg(test)]
#[path = "nodes_test.rs"]
mod tests;
