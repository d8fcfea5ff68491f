//! What the tests of starting and of applying share: the disk of a node.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use covey_ann::Backend;
use covey_config::{Address, Config, NodeConfig};
use covey_embeddings::{Builds, MaintenanceWorker};
use covey_env::Env;
use covey_shard::{ShardStore, replica_dir};
use covey_shared::ids::{Generation, NodeId, ReplicaId};
use covey_shared::members::ShardDescriptor;
use covey_store::kv::{JournalKv, KvStore};
use covey_store::log::{GroupId, MemoryImage, MemoryLog, RecoveredGroup};

use super::open::Opening;
use super::replicas::Replicas;
use super::{StartError, StartReport, settings};

/// The node.
pub(crate) const ME: NodeId = NodeId(1);
/// Its founding replica.
pub(crate) const FOUNDING: ReplicaId = ReplicaId(1 << 16 | 1);

/// One shard on so many nodes.
pub(crate) fn config(nodes: u64) -> Config {
    let mut config = Config::default();
    config.cluster.shards = 1;
    config.embedding.dim = 8;
    config.nodes = (1..=nodes)
        .map(|id| NodeConfig {
            id: NodeId(id),
            listen: Address::parse(&format!("127.0.0.1:{}", 7000 + id)).expect("an address"),
            zone: String::new(),
            // Not this one, if there are others.
            meta: id == nodes,
            joined: false,
        })
        .collect();
    config
}

/// What outlives a process.
pub(crate) struct Disk {
    dir: tempfile::TempDir,
    pub(crate) env: Env,
    pub(crate) kv: Arc<dyn KvStore>,
    maintenance: MaintenanceWorker,
}

impl Disk {
    pub(crate) fn new() -> Disk {
        let dir = tempfile::tempdir().expect("a directory");
        let env = Env::production(1).expect("threads");
        let kv = JournalKv::open(env.disk.clone(), &dir.path().join("kv")).expect("a store");
        let builds = Arc::new(Builds::new(env.clock.clone(), 1 << 20));
        let pause = Duration::from_secs(60);
        let maintenance = MaintenanceWorker::start(&env, pause, builds).expect("a thread");
        let kv = Arc::new(kv);
        Disk {
            dir,
            env,
            kv,
            maintenance,
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// A store that begins with this, as generation 1.
    pub(crate) fn store(&self, config: &Config, descriptor: &ShardDescriptor) -> ShardStore {
        self.store_of(config, descriptor, Generation(1))
    }

    pub(crate) fn store_of(&self, config: &Config, descriptor: &ShardDescriptor, generation: Generation) -> ShardStore {
        let options = settings::shard(config, descriptor.clone(), generation, Backend::ExactScan).expect("an index");
        let dir = replica_dir(self.path(), descriptor.shard, generation);
        let (store, _) = ShardStore::open(&self.env, self.kv.clone(), &dir, options).expect("a store");
        store
    }

    pub(super) fn open(&self, config: &Config, groups: &[(ReplicaId, RecoveredGroup)]) -> Result<Replicas, StartError> {
        let layout = config.layout();
        let opening = Opening {
            env: &self.env,
            config,
            layout: &layout,
            node: ME,
            dir: self.path(),
            kv: self.kv.clone(),
            backend: Backend::ExactScan,
            maintenance: &self.maintenance,
        };
        let (log, mut recovered) = MemoryLog::open(&MemoryImage::default());
        recovered.groups = groups
            .iter()
            .map(|(id, group)| (GroupId(id.0), group.clone()))
            .collect();
        Replicas::open(&opening, Box::new(log), recovered, &mut StartReport::default())
    }
}

/// The shard as it was founded.
pub(crate) fn founding(config: &Config) -> ShardDescriptor {
    ShardDescriptor::founding(&config.layout().shards[0])
}
