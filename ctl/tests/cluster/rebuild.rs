//! Replicas that are built anew from snapshots while writes and feeds go on: after a lost disk, a long absence, and damage.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use covey_rpc::NodeClient;
use covey_shared::ids::{LogIndex, ShardId};
use covey_shared::wire::{NodeStatus, RebuildPhase};

use crate::load::Load;
use crate::place::children;
use crate::process::{SOON, eventually, until};
use crate::replicas::assert_same_everywhere;
use crate::world::{Cluster, GROUPS, SHARDS, status};

/// Little log for members that are away, sealed segments in the snapshots, and transfers that take a while.
const SETTINGS: &str =
    "[ann]\nseal_rows = 512\nmin_train_rows = 512\nmerge_factor = 3\nmaintenance_interval = \"200ms\"\n
[raft]\nwal_segment = \"4MiB\"\nkeep_entries = 50\nmax_lag = \"1MiB\"\nsnapshot_rate = \"1MiB\"\n
[storage]\ncheckpoint_interval = \"500ms\"\n";
/// Posts before the first fault.
const POSTS: usize = 6_000;
/// More than a node that dies may have in its log and is not committed then.
const OPEN: u64 = 100;
/// Times a transfer is cut off by killing the node that fetches.
const KILLS: usize = 3;

struct Run {
    cluster: Cluster,
    nodes: Vec<NodeClient>,
    load: Load,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_disk_a_long_absence_and_damage_are_made_good_by_snapshots_under_load() {
    let cluster = tokio::task::block_in_place(|| Cluster::start("rebuild", SETTINGS));
    let mut run = Run {
        nodes: cluster.node_clients(),
        load: Load::start(cluster.grpc).await,
        cluster,
    };
    run.load.until_acknowledged(POSTS).await;
    run.lose_disk(1).await;
    run.stay_away(2).await;
    run.damage(0, "its vectors are damaged", rot_vectors);
    run.damage(1, "its key-value store is damaged", rot_journal);
    let history = run.load.finish().await;
    println!("rebuild: {}", history.summary());
    assert_eq!(history.broken_feeds(), [], "feeds while a majority lived");
    assert_same_everywhere(&run.nodes, &history.posts()).await;
    run.cluster.assert_no_panic();
}

impl Run {
    /// The node comes back with nothing, is killed while it fetches, and goes on each time.
    async fn lose_disk(&mut self, node: usize) {
        let before = self.snapshots(node);
        self.cluster.nodes[node].kill();
        let dir = self.cluster.dir.join(format!("data/node-{}", node + 1));
        std::fs::remove_dir_all(&dir).expect("the disk is lost");
        self.cluster.nodes[node].start();
        for _ in 0..KILLS {
            self.fetching(node).await;
            self.cluster.nodes[node].kill();
            self.cluster.nodes[node].start();
        }
        self.until_back(node, "a lost disk");
        let snapshots = self.snapshots(node) - before;
        // Who lags meanwhile fetches once more.
        let (least, most) = (GROUPS, 2 * GROUPS + KILLS);
        assert!(snapshots >= least, "{snapshots} snapshots: every replica was lost");
        assert!(
            snapshots <= most,
            "{snapshots} snapshots: what was taken in is not fetched again"
        );
    }

    /// The node misses more than the others keep of their logs.
    async fn stay_away(&mut self, node: usize) {
        self.cluster.nodes[node].kill();
        let others = [(node + 1) % 3, (node + 2) % 3];
        let mut had: BTreeMap<ShardId, LogIndex> = BTreeMap::new();
        for other in others {
            for replica in self.status(other).await.replicas {
                let at = had.entry(replica.shard).or_default();
                *at = replica.committed.max(*at);
            }
        }
        // Nothing is written to the metadata.
        had.remove(&ShardId::METADATA);
        let since = Instant::now();
        loop {
            // Either may lead, and the one that lags in its compaction would still send entries.
            let said = [self.status(others[0]).await, self.status(others[1]).await];
            let replicas = said.iter().flat_map(|status| &status.replicas);
            if replicas
                .filter_map(|replica| Some((replica, had.get(&replica.shard)?)))
                .all(|(replica, had)| replica.first_index.0 > had.0 + OPEN)
            {
                break;
            }
            assert!(
                since.elapsed() < SOON,
                "logs let go of what only a member that is away needs"
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let (before, back) = (self.snapshots(node), Instant::now());
        self.cluster.nodes[node].start();
        self.until_back(node, "a long absence");
        // It answers at once, with what it had.
        while self.snapshots(node) - before < usize::from(SHARDS) {
            let snapshots = self.snapshots(node) - before;
            assert!(back.elapsed() < SOON, "{snapshots} replicas came back by snapshot");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        println!(
            "rebuild: and had all replicas from snapshots after {:.1?}",
            back.elapsed()
        );
    }

    /// Something rots while the node is down; it keeps its log, and so its votes and what it acknowledged.
    fn damage(&mut self, node: usize, what: &str, rot: fn(&Path)) {
        let before = self.snapshots(node);
        self.cluster.nodes[node].kill();
        rot(&self.cluster.dir.join(format!("data/node-{}", node + 1)));
        self.cluster.nodes[node].start();
        self.until_back(node, what);
        // It answers before it has seen what is wrong with each.
        until(what, || match self.snapshots(node) - before {
            all if all >= usize::from(SHARDS) => Ok(()),
            some => Err(format!("{some} replicas came by snapshot")),
        });
    }

    async fn status(&self, node: usize) -> NodeStatus {
        status(&self.nodes[node]).await
    }

    fn snapshots(&self, node: usize) -> usize {
        let log = self.cluster.nodes[node].log();
        log.matches("goes on from a snapshot").count()
    }

    /// Waits until the node is in the middle of a transfer.
    async fn fetching(&self, node: usize) {
        eventually("a transfer", async || {
            let NodeStatus { rebuilds, replicas, .. } = self.status(node).await;
            let mut under_way = rebuilds.iter();
            let fetches = under_way.any(|r| r.phase == RebuildPhase::Fetching && r.bytes > 0);
            // All may have come between two looks.
            let back = replicas.len() == GROUPS && rebuilds.is_empty();
            if fetches || back {
                Ok(())
            } else {
                Err(format!("{rebuilds:?}"))
            }
        })
        .await;
    }

    fn until_back(&mut self, node: usize, after: &str) {
        let since = Instant::now();
        let cluster = &mut self.cluster;
        tokio::task::block_in_place(|| cluster.wait_until_healthy());
        println!(
            "rebuild: node {} was back {:.1?} after {after}",
            node + 1,
            since.elapsed()
        );
    }
}

/// Damages the list of folders of every replica.
fn rot_vectors(dir: &Path) {
    let mut rotten = 0;
    for replica in children(dir).into_iter().filter(|path| path.join("MANIFEST").exists()) {
        flip(&replica.join("MANIFEST"), 20);
        rotten += 1;
    }
    assert!(rotten >= usize::from(SHARDS), "each replica had vectors");
}

/// Damages what was synced into the oldest journal of the key-value store.
fn rot_journal(dir: &Path) {
    let journals = children(&dir.join("kv")).into_iter();
    let oldest = journals
        .filter(|path| path.extension().is_some_and(|e| e == "jnl"))
        .min();
    flip(&oldest.expect("there is a journal"), 100);
}

fn flip(path: &Path, at: usize) {
    let mut content = std::fs::read(path).expect("it can be read");
    content[at] ^= 0x10;
    std::fs::write(path, content).expect("it can be written");
}
