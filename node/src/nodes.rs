//! Which nodes belong to the cluster, as this one knows it, and the ways to them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use covey_env::Env;
use covey_rpc::{ClientOptions, NodeClient, Peer};
use covey_shared::directory::Directory;
use covey_shared::ids::{LogIndex, NodeId};
use covey_shared::metadata::NodePlace;
use parking_lot::Mutex;
use tokio::sync::watch;

use crate::checked_file;

/// Name of the file that keeps the directory over a restart.
const FILE: &str = "nodes";
/// Its format.
const VERSION: u16 = 1;
/// Its longest: 4096 nodes with names of 512 bytes.
const MAX_FILE: u64 = 4 << 20;

/// The nodes of the cluster. The list changes while this one runs; the newest counts.
pub(crate) struct Nodes {
    env: Env,
    path: PathBuf,
    known: watch::Sender<Arc<Directory>>,
    /// One is written at a time.
    write: Mutex<()>,
}

impl Nodes {
    /// As known when the process ended, else as configured.
    pub(crate) fn open(env: &Env, dir: &Path, configured: &Directory) -> Arc<Nodes> {
        let path = dir.join(FILE);
        let stored = match env.disk.exists(&path) {
            Ok(true) => env.disk.read_file(&path, MAX_FILE).ok(),
            _ => None,
        };
        let known = stored.map(|bytes| checked_file::from_bytes::<Directory>(VERSION, &bytes));
        if known == Some(None) {
            tracing::warn!(path = %path.display(), "the list of nodes cannot be read: cluster.toml counts until the cluster tells it again");
        }
        let known = known.flatten().unwrap_or_default().at(configured);
        Arc::new(Nodes {
            env: env.clone(),
            path,
            known: watch::Sender::new(Arc::new(known)),
            write: Mutex::default(),
        })
    }

    pub(crate) fn now(&self) -> Arc<Directory> {
        self.known.borrow().clone()
    }

    pub(crate) fn version(&self) -> LogIndex {
        self.known.borrow().version
    }

    /// What it is now, and each change.
    pub(crate) fn watch(&self) -> watch::Receiver<Arc<Directory>> {
        self.known.subscribe()
    }

    /// Takes it in if it is newer. One that does not come to the disk counts all the same: it is told again after a restart.
    pub(crate) fn learn(self: &Arc<Self>, directory: Directory) {
        // It came over the network.
        let directory = Directory::new(directory.version, directory.nodes);
        let newer = self.known.send_if_modified(|known| {
            let newer = directory.version > known.version;
            if newer {
                *known = Arc::new(directory);
            }
            newer
        });
        if newer {
            let known = self.now();
            let (version, nodes) = (known.version.0, known.nodes.len());
            tracing::info!(version, nodes, "the nodes of the cluster have changed");
            let nodes = self.clone();
            self.env.spawn.compute(Box::new(move || nodes.store()));
        }
    }

    /// Puts on the disk what is known now: whichever job comes last stores the newest.
    fn store(&self) {
        let _one = self.write.lock();
        let stored = match checked_file::to_bytes(VERSION, &*self.now()) {
            Ok(bytes) => self
                .env
                .disk
                .replace_file(&self.path, &bytes)
                .map_err(anyhow::Error::new),
            Err(error) => Err(anyhow::Error::new(error)),
        };
        if let Err(error) = stored {
            tracing::warn!(path = %self.path.display(), error = format!("{error:#}"), "the list of nodes is not on the disk");
        }
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
    made: Mutex<BTreeMap<NodeId, NodeClient>>,
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
        let known = self.nodes.now();
        let mut made = self.made.lock();
        made.retain(|node, client| known.get(*node).is_some_and(|place| peer(place) == *client.peer()));
        let place = known.get(node)?;
        let client = made
            .entry(node)
            .or_insert_with(|| NodeClient::new(self.nodes.env.clone(), peer(place), self.options.clone()));
        Some(client.clone())
    }
}

#[cfg(test)]
#[path = "nodes_test.rs"]
mod tests;
