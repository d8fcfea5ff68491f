//! The whole configuration.

use std::path::{Path, PathBuf};

use covey_shared::directory::Directory;
use covey_shared::ids::{LogIndex, NodeId};
use covey_shared::layout::Layout;
use covey_shared::metadata::NodePlace;

use crate::input::{Input, Known};
use crate::section::{KeySpec, SectionSpec};
use crate::sections::cluster::{ClusterConfig, CoordinatorConfig, OperationsConfig};
use crate::sections::events::EventLogConfig;
use crate::sections::feed::FeedConfig;
use crate::sections::network::{RpcConfig, TelemetryConfig};
use crate::sections::replication::RaftConfig;
use crate::sections::rules;
use crate::sections::search::{AnnConfig, EmbeddingConfig};
use crate::sections::storage::{LimitsConfig, RetentionConfig, StorageConfig};
use crate::units::Address;
use crate::value::{Range, Setting};

/// Everything in `cluster.toml`, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// `[cluster]`.
    pub cluster: ClusterConfig,
    /// `[[node]]`, in file order; ids and addresses are distinct, at least `cluster.replication` of them.
    pub nodes: Vec<NodeConfig>,
    /// `[operations]`.
    pub operations: OperationsConfig,
    /// `[coordinator]`.
    pub coordinator: CoordinatorConfig,
    /// `[rpc]`.
    pub rpc: RpcConfig,
    /// `[raft]`.
    pub raft: RaftConfig,
    /// `[storage]`.
    pub storage: StorageConfig,
    /// `[retention]`.
    pub retention: RetentionConfig,
    /// `[embedding]`.
    pub embedding: EmbeddingConfig,
    /// `[ann]`.
    pub ann: AnnConfig,
    /// `[limits]`.
    pub limits: LimitsConfig,
    /// `[feed]` and its sub-sections.
    pub feed: FeedConfig,
    /// `[event_log]`.
    pub event_log: EventLogConfig,
    /// `[telemetry]`.
    pub telemetry: TelemetryConfig,
}

/// One `[[node]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeConfig {
    /// 1 to 65535; never given to another machine.
    pub id: NodeId,
    /// Where it takes calls and Raft streams of the cluster, and where others dial it.
    pub listen: Address,
    /// Failure domain: a rack, room or data centre.
    pub zone: String,
    /// It keeps the metadata of the cluster when that is founded.
    pub meta: bool,
    /// It came later: the cluster was not founded with it.
    pub joined: bool,
}

pub(crate) const NODE_DOC: [&str; 5] = [
    " One table per node; at least `cluster.replication` of them.",
    " id: whole number · 1 to 65535; never given to another machine. listen: host:port of calls and Raft streams.",
    " zone: text · failure domain (rack, room or data centre) · default \"\".",
    " joined: true or false · the node came after the cluster was founded; those that it was founded with stay here, even if removed.",
    " meta: true or false · keeps the metadata when the cluster is founded: 1, 3 or 5 nodes · default: the three lowest ids.",
];

impl Config {
    pub(crate) fn read(input: &mut Input) -> Self {
        Self {
            cluster: ClusterConfig::read(input),
            nodes: input
                .node_ids()
                .into_iter()
                .filter_map(|id| NodeConfig::read(id, input))
                .collect(),
            operations: OperationsConfig::read(input),
            coordinator: CoordinatorConfig::read(input),
            rpc: RpcConfig::read(input),
            raft: RaftConfig::read(input),
            storage: StorageConfig::read(input),
            retention: RetentionConfig::read(input),
            embedding: EmbeddingConfig::read(input),
            ann: AnnConfig::read(input),
            limits: LimitsConfig::read(input),
            feed: FeedConfig::read(input),
            event_log: EventLogConfig::read(input),
            telemetry: TelemetryConfig::read(input),
        }
    }

    /// Every section with its keys, in file order, `[[node]]` excepted.
    pub fn sections(&self) -> Vec<SectionSpec> {
        let mut out = Vec::new();
        self.cluster.describe(&mut out);
        self.operations.describe(&mut out);
        self.coordinator.describe(&mut out);
        self.rpc.describe(&mut out);
        self.raft.describe(&mut out);
        self.storage.describe(&mut out);
        self.retention.describe(&mut out);
        self.embedding.describe(&mut out);
        self.ann.describe(&mut out);
        self.limits.describe(&mut out);
        self.feed.describe(&mut out);
        self.event_log.describe(&mut out);
        self.telemetry.describe(&mut out);
        out
    }

    /// Every key, `[[node]]` excepted.
    pub fn keys(&self) -> Vec<KeySpec> {
        self.sections().into_iter().flat_map(|section| section.keys).collect()
    }

    pub(crate) fn known() -> Known {
        let sections = Self::default().sections();
        let all = || sections.iter().flat_map(|section| &section.keys);
        let hot = all().filter(|key| key.hot).map(|key| key.path.clone()).collect();
        let mut keys: Vec<_> = all().map(|key| key.path.clone()).collect();
        keys.extend([
            "node.<id>.listen".to_owned(),
            "node.<id>.zone".to_owned(),
            "node.<id>.meta".to_owned(),
            "node.<id>.joined".to_owned(),
        ]);
        keys.extend(rules::known_keys());
        let mut sections: Vec<_> = sections.iter().map(|section| section.path.to_owned()).collect();
        sections.extend(["node".to_owned(), rules::PATH.to_owned()]);
        Known { sections, keys, hot }
    }

    /// The node with this id.
    pub fn node(&self, id: NodeId) -> Option<&NodeConfig> {
        self.nodes.iter().find(|node| node.id == id)
    }

    /// The nodes that are named here.
    pub fn directory(&self) -> Directory {
        let place = |node: &NodeConfig| NodePlace {
            node: node.id,
            listen: node.listen.as_str().to_owned(),
            zone: node.zone.clone(),
        };
        Directory::new(LogIndex(0), self.nodes.iter().map(place))
    }

    /// Which shards there are and where their replicas are when the cluster is founded.
    pub fn layout(&self) -> Layout {
        let mut nodes: Vec<NodeId> = self.founders().map(|node| node.id).collect();
        nodes.sort_unstable();
        let shards = u16::try_from(self.cluster.shards).expect("at most 1024 shards, by the range of the key");
        let layout = Layout::fixed(shards, self.cluster.replication as usize, &nodes);
        nodes.retain(|id| self.node(*id).is_some_and(|node| node.meta));
        match nodes.is_empty() {
            true => layout,
            false => layout.with_metadata_on(&nodes),
        }
    }

    /// The nodes that the cluster was founded with.
    pub fn founders(&self) -> impl Iterator<Item = &NodeConfig> {
        self.nodes.iter().filter(|node| !node.joined)
    }

    /// Where a node keeps its data: `<data_dir>/node-<id>`.
    pub fn node_dir(&self, id: NodeId) -> PathBuf {
        Path::new(&self.cluster.data_dir).join(format!("node-{id}"))
    }

    /// Where coordinators keep their event log: `event_log.dir`, or `<data_dir>/events`.
    pub fn event_log_dir(&self) -> PathBuf {
        match self.event_log.dir.as_str() {
            "" => Path::new(&self.cluster.data_dir).join("events"),
            dir => PathBuf::from(dir),
        }
    }
}

impl NodeConfig {
    fn read(id: u64, input: &mut Input) -> Option<Self> {
        let any = Range::from(..);
        let listen_path = format!("node.{id}.listen");
        let missing = !input.was_written(&listen_path);
        let listen = input.take_opt(&listen_path, &any);
        let zone = input.take_opt(&format!("node.{id}.zone"), &any).unwrap_or_default();
        let meta = input.take_opt(&format!("node.{id}.meta"), &any).unwrap_or_default();
        let joined = input.take_opt(&format!("node.{id}.joined"), &any).unwrap_or_default();
        if missing {
            input.problem_of(
                &listen_path,
                format!("node {id} has no listen address; add listen = \"host:port\""),
            );
        }
        Some(Self {
            id: NodeId(id),
            listen: listen?,
            zone,
            meta,
            joined,
        })
    }

    pub(crate) fn to_toml(&self) -> String {
        let (listen, zone) = (self.listen.to_toml(), self.zone.to_toml());
        let meta = if self.meta { "meta = true\n" } else { "" };
        let joined = if self.joined { "joined = true\n" } else { "" };
        let id = self.id.0;
        format!("[[node]]\nid = {id}\nlisten = {listen}\nzone = {zone}\n{meta}{joined}")
    }
}

/// The shipped `cluster.toml`: three nodes on loopback.
impl Default for Config {
    fn default() -> Self {
        let node = |id: u64, zone: &str| NodeConfig {
            id: NodeId(id),
            listen: Address::parse(&format!("127.0.0.1:{}", 7100 + id)).expect("a loopback address is valid"),
            zone: zone.to_owned(),
            meta: false,
            joined: false,
        };
        Self {
            nodes: vec![node(1, "a"), node(2, "b"), node(3, "c")],
            ..Self::read(&mut Input::default())
        }
    }
}

#[cfg(test)]
#[path = "config_test.rs"]
mod tests;
