//! The metadata and its audit log: kept, copied, compared; and nowhere else.

use std::sync::Arc;

use covey_env::Env;
use covey_metadata::Metadata;
use covey_shared::command::{ItemResult, Proposal, ShardCommand};
use covey_shared::ids::*;
use covey_shared::layout::FIRST_EPOCH;
use covey_shared::members::{Members, ShardDescriptor};
use covey_shared::metadata::{MetadataChange, NodePlace, Operation, Start};
use covey_shared::slots::SlotRange;
use covey_store::kv::{JournalKv, KvStore};
use covey_store::test_disk::TestDisk;

use crate::apply::AUDIT_LINES;
use crate::fixture::options;
use crate::{EntryToApply, Incarnation, Payload, ShardOptions, ShardStore, StagedSnapshot, replica_dir};

const NODES: [NodeId; 4] = [NodeId(1), NodeId(2), NodeId(3), NodeId(4)];

fn of_metadata(generation: u32) -> ShardOptions {
    let mut options = options(generation, SlotRange::NONE);
    options.descriptor = ShardDescriptor {
        shard: ShardId::METADATA,
        slots: SlotRange::NONE,
        epoch: FIRST_EPOCH,
        members: Members::of(NODES.map(|node| ReplicaId::new(0, ShardId::METADATA, node))),
    };
    options
}

/// Two nodes on one disk.
struct Keeper {
    env: Env,
    kv: Arc<dyn KvStore>,
}

impl Keeper {
    fn new() -> Keeper {
        let env = Env {
            disk: TestDisk::new().shared(),
            ..Env::production(1).expect("a thread can be started")
        };
        Keeper::on(env, "/kv")
    }

    fn on(env: Env, kv: &str) -> Keeper {
        let kv = Arc::new(JournalKv::open(env.disk.clone(), kv.as_ref()).unwrap());
        Keeper { env, kv }
    }

    fn open(&self, generation: u32) -> ShardStore {
        let options = of_metadata(generation);
        let dir = replica_dir("/node".as_ref(), ShardId::METADATA, options.generation);
        ShardStore::open(&self.env, self.kv.clone(), &dir, options).unwrap().0
    }
}

fn entry(index: u64, change: MetadataChange) -> EntryToApply {
    EntryToApply {
        index: LogIndex(index),
        term: Term(1),
        payload: Payload::Command(Proposal {
            epoch: FIRST_EPOCH,
            log_time: UnixMillis(1000 * index),
            body: ShardCommand::Metadata(change),
        }),
    }
}

fn register() -> MetadataChange {
    let place = |node| NodePlace {
        node,
        listen: format!("127.0.0.1:{node}"),
        zone: String::new(),
    };
    MetadataChange::Register(NODES.map(place).to_vec())
}

fn start(what: Operation) -> MetadataChange {
    MetadataChange::Start(Start {
        what,
        by: "somebody".to_owned(),
        parent: None,
        limit_ms: 60_000,
    })
}

#[test]
fn metadata_and_audit_log_outlive_a_restart_and_travel_by_snapshot() {
    let keeper = Keeper::new();
    let mut store = keeper.open(1);
    let until = UnixMillis(60_000);
    let of = |node| {
        start(Operation::Maintenance {
            node: NodeId(node),
            until,
        })
    };
    let (known, unknown) = (of(2), of(9));
    let entries = [entry(1, register()), entry(2, known), entry(3, unknown)];
    let results = store.apply(&entries).unwrap();
    assert_eq!(results[1], [ItemResult::Operation(Ok(OperationId(2)))]);
    let (state, audit) = (store.view().metadata(), store.view().audit(10).unwrap());
    assert_eq!((state.nodes.len(), audit.len()), (4, 2));
    store.checkpoint().unwrap();

    let export = store.view().export(&keeper.env, "/out".as_ref(), &|| false).unwrap();
    let other = Keeper::on(keeper.env.clone(), "/other-kv");
    let generation = Incarnation::begin(&*other.kv, ShardId::METADATA).unwrap();
    let dir = replica_dir("/other".as_ref(), ShardId::METADATA, generation);
    let staged = StagedSnapshot {
        manifest: &export.manifest,
        path_of: &|name| {
            let at = export.manifest.files.iter().position(|file| file.name == name).unwrap();
            export.paths[at].clone()
        },
        stop: &|| false,
    };
    let (copy, _) =
        ShardStore::install(&other.env, other.kv.clone(), &dir, of_metadata(generation.0), &staged).unwrap();
    assert_eq!(*copy.view().metadata(), *state);
    assert_eq!(copy.view().audit(10).unwrap(), audit);
    let never = || false;
    let hash = |store: &ShardStore| store.view().logical_hash(&never).unwrap();
    assert_eq!(hash(&copy), hash(&store));

    drop(store);
    let store = keeper.open(1);
    assert_eq!(*store.view().metadata(), *state);
    assert_eq!(store.view().audit(1).unwrap(), audit[1..]);
}

#[test]
fn the_audit_log_forgets_its_oldest_lines() {
    let keeper = Keeper::new();
    let mut store = keeper.open(1);
    let undrain = || MetadataChange::Undrain {
        node: NodeId(1),
        by: "somebody".to_owned(),
    };
    let lines = AUDIT_LINES + 5;
    let entries: Vec<EntryToApply> = (1..=lines).map(|index| entry(index, undrain())).collect();
    store.apply(&entries).unwrap();
    let audit = store.view().audit(u32::MAX).unwrap();
    assert_eq!(audit.len() as u64, AUDIT_LINES);
    assert_eq!(audit.last().unwrap().number, lines - 1);
    assert_eq!(store.view().audit(3).unwrap().len(), 3);
}

#[test]
fn no_other_shard_takes_metadata() {
    let mut replica = crate::fixture::Replica::new();
    let results = replica.store.apply(&[entry(1, register())]).unwrap();
    assert_eq!(results, [[ItemResult::StaleEpoch]]);
    assert_eq!(*replica.store.view().metadata(), Metadata::default());
}
