//! Power is lost, or an operation of the disk fails, anywhere in an install, the switch and the sweep.

use std::path::Path;

use covey_shared::slots::SlotRange;
use covey_shared::wire::SnapshotManifest;
use covey_store::test_disk::{Fault, TestDisk};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use crate::answers::{answers, assert_same};
use crate::fixture::HALF;
use crate::random_log::random_log;
use crate::snapshot::ShardExport;
use crate::snapshot::fixture::*;
use crate::{Incarnation, ShardStoreError};

/// Places at which something goes wrong, per kind of fault.
const PLACES: u64 = 100;

fn start(disk: &TestDisk) -> Node {
    Node::at(in_memory(disk), Path::new("/node"))
}

/// All that a node does with a staged snapshot, until something fails.
fn take_over(node: &Node, manifest: &SnapshotManifest) -> Result<(), ShardStoreError> {
    let generation = Incarnation::begin(&*node.kv, SHARD)?;
    let installed = node.install(manifest, generation, &|| false)?;
    Incarnation::switch(&*node.kv, SHARD, generation)?;
    Incarnation::log_reset(&*node.kv, SHARD)?;
    drop(installed);
    node.sweep(manifest.descriptor.slots)
}

/// A node with a replica of its own and a staged snapshot, all of it synced.
fn prepared(source: &Source, export: &ShardExport) -> TestDisk {
    let disk = TestDisk::new();
    let node = start(&disk);
    let (mut old, _) = node.open(HALF);
    old.apply(&random_log(2, 100)).unwrap();
    old.checkpoint().unwrap();
    node.kv.persist().unwrap();
    drop(old);
    node.stage(&source.replica.env, export);
    disk.copy()
}

#[test]
fn a_node_that_ends_anywhere_in_an_install_has_its_old_replica_or_the_new_one_and_can_install_again() {
    let (source, export, _files) = Source::exported();
    let disk = prepared(&source, &export);
    let before = answers(&start(&disk).open(HALF).0);
    let after = answers(&source.replica.store);
    let whole = disk.copy();
    let node = start(&whole);
    whole.plan([]);
    take_over(&node, &export.manifest).unwrap();
    let operations = whole.operations();
    let (mut old, mut new) = (0, 0);
    for (seed, fault) in [(1, Fault::PowerLoss), (2, Fault::Error)] {
        let mut rng = SmallRng::seed_from_u64(seed);
        for place in 1..=PLACES {
            let at = place * operations / PLACES;
            let what = format!("{fault:?} at operation {at} of {operations}, seed {seed}");
            let disk = disk.copy();
            let node = start(&disk);
            disk.plan([(at, fault)]);
            let done = take_over(&node, &export.manifest);
            let share = [0.0, 0.5, 1.0][rng.random_range(0..3)];
            let survivor = disk.after_power_loss(|| rng.random_bool(share));
            let node = start(&survivor);
            let known = Incarnation::load(&*node.kv, SHARD).unwrap();
            let (store, _) = node.open(HALF);
            if known.generation.0 == 1 {
                assert!(done.is_err(), "{what}: the switch was lost");
                assert_same(&answers(&store), &before, &what);
                old += 1;
            } else {
                assert_same(&answers(&store), &after, &what);
                new += 1;
            }
            drop(store);
            installs_again(&node, &source, &export, &what);
        }
    }
    assert!(
        old > 50 && new > 20,
        "{old} with the old replica, {new} with the new one"
    );
}

fn installs_again(node: &Node, source: &Source, export: &ShardExport, what: &str) {
    drop(node.take_over(&source.replica.env, export));
    node.sweep(SlotRange::ALL).unwrap();
    let (store, report) = node.open(HALF);
    let answers = (answers(&store), answers(&source.replica.store));
    assert_same(&answers.0, &answers.1, &format!("{what}, then installed again"));
    assert_eq!(report.pending_rows, 0, "{what}");
    let known = Incarnation::load(&*node.kv, SHARD).unwrap();
    let folders = node.env.disk.list(&node.root).unwrap();
    let folders = folders
        .iter()
        .filter(|entry| entry.path.to_str().unwrap().contains("shard-"));
    assert_eq!((known.retired.len(), folders.count()), (0, 1), "{what}");
}
