//! The nodes of the cluster and the ways to them. It begins with those of the configuration; nodes tell what has changed since.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

use arc_swap::ArcSwap;
use covey_env::Clock;
use covey_shared::directory::Directory;
use covey_shared::ids::{LogIndex, NodeId};
use covey_shared::metadata::NodePlace;
use parking_lot::Mutex;

use crate::cluster::Threads;
use crate::cluster::link::{LinkLimits, LinkState};
use crate::cluster::node_link_actor::{NodeLink, NodeLinkActor};
use crate::cluster::port::NodePort;
use crate::cluster::settings::SettingsCell;
use crate::cluster::shard_map::{Leaders, MapCell};

/// Makes the way to a node.
pub(crate) type MakePort = Box<dyn Fn(&NodePlace) -> Arc<dyn NodePort> + Send + Sync>;

/// What every link is made from.
pub(crate) struct LinkParts {
    pub(crate) port: MakePort,
    pub(crate) limits: LinkLimits,
    pub(crate) leaders: Arc<Leaders>,
    pub(crate) map: Arc<MapCell>,
    pub(crate) settings: Arc<SettingsCell>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) threads: Threads,
    /// Room in the mailbox of each.
    pub(crate) mailbox: usize,
}

/// The nodes at one moment.
#[derive(Default)]
pub(crate) struct Links {
    pub(crate) directory: Directory,
    by_node: BTreeMap<NodeId, NodeLink>,
}

impl Links {
    /// The way to a node.
    pub(crate) fn get(&self, node: NodeId) -> Option<&NodeLink> {
        self.by_node.get(&node)
    }

    /// All nodes, ascending.
    pub(crate) fn all(&self) -> impl Iterator<Item = (NodeId, &NodeLink)> {
        self.by_node.iter().map(|(node, link)| (*node, link))
    }
}

/// The newest that is known.
pub(crate) struct Roster {
    now: ArcSwap<Links>,
    parts: LinkParts,
    me: Weak<Roster>,
    /// One change at a time.
    change: Mutex<()>,
}

impl Roster {
    pub(crate) fn start(directory: Directory, parts: LinkParts) -> Arc<Roster> {
        let roster = Arc::new_cyclic(|me| Roster {
            now: ArcSwap::default(),
            parts,
            me: me.clone(),
            change: Mutex::default(),
        });
        roster.replace(directory);
        roster
    }

    /// As of now; whoever looks twice takes it once.
    pub(crate) fn load(&self) -> Arc<Links> {
        self.now.load_full()
    }

    pub(crate) fn version(&self) -> LogIndex {
        self.now.load().directory.version
    }

    /// Takes in what is newer.
    pub(crate) fn learn(&self, directory: Directory) {
        let _one = self.change.lock();
        if directory.version > self.version() {
            tracing::info!(nodes = directory.nodes.len(), "the nodes of the cluster have changed");
            self.replace(Directory::new(directory.version, directory.nodes));
        }
    }

    /// Whether a link is still the way to its node; its actor ends if not.
    pub(crate) fn has(&self, place: &NodePlace) -> bool {
        self.now
            .load()
            .directory
            .get(place.node)
            .is_some_and(|known| known.listen == place.listen)
    }

    fn replace(&self, directory: Directory) {
        let before = self.now.load();
        let link = |place: &NodePlace| {
            let at_same = before
                .directory
                .get(place.node)
                .is_some_and(|known| known.listen == place.listen);
            let known = before.get(place.node).filter(|_| at_same);
            (place.node, known.cloned().unwrap_or_else(|| self.open(place)))
        };
        let by_node = directory.nodes.iter().map(link).collect();
        self.now.store(Arc::new(Links { directory, by_node }));
    }

    fn open(&self, place: &NodePlace) -> NodeLink {
        let parts = &self.parts;
        let link = Arc::new(Mutex::new(LinkState::new(parts.limits)));
        let actor = NodeLinkActor {
            place: place.clone(),
            port: (parts.port)(place),
            link: link.clone(),
            leaders: parts.leaders.clone(),
            map: parts.map.clone(),
            settings: parts.settings.clone(),
            roster: self.me.clone(),
            clock: parts.clock.clone(),
        };
        let addr = parts.threads.start(actor, parts.mailbox);
        NodeLink { addr, link }
    }
}

#[cfg(test)]
#[path = "roster_test.rs"]
mod tests;
