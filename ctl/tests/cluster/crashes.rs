//! `kill -9` of each process in turn, under load: nothing acknowledged is lost or doubled, and feeds go on.

use std::time::{Duration, Instant, SystemTime};

use covey_rpc::NodeClient;
use covey_shared::wire::{ReplicaRole, ReplicaStatus};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::calls::http;
use crate::load::Load;
use crate::process::SOON;
use crate::replicas::assert_same_everywhere;
use crate::world::{Cluster, GROUPS, NODES, status};

/// In each round every process is killed once. `COVEY_TEST_ROUNDS` says otherwise.
const ROUNDS: usize = 10;
/// At least so many posts are acknowledged.
const POSTS: usize = 20_000;

/// Frequent checkpoints and small files: kills meet all stages of both. Members that are down keep the log long.
const BUSY_DISK: &str =
    "[ann]\nseal_rows = 512\nmin_train_rows = 512\nmerge_factor = 3\nmaintenance_interval = \"200ms\"\n
[raft]\nwal_segment = \"4MiB\"\nkeep_entries = 50\n
[storage]\ncheckpoint_interval = \"500ms\"\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_posts_survive_kills_of_every_process_and_feeds_go_on() {
    let seed = seed();
    println!("crashes: seed {seed}");
    let mut run = Run::start(seed).await;
    let since = Instant::now();
    let rounds = from_env("COVEY_TEST_ROUNDS").unwrap_or(ROUNDS);
    for _ in 0..rounds {
        for node in 0..NODES {
            run.kill_node(node).await;
        }
        run.kill_coordinator().await;
    }
    run.load.until_acknowledged(POSTS).await;
    let faults = since.elapsed();
    let history = run.load.finish().await;
    println!(
        "crashes: {} kills in {faults:.0?}; {}",
        rounds * (NODES + 1),
        history.summary()
    );
    println!(
        "crashes: time without an acknowledged write after a leader was killed: {}",
        spread(&mut run.failovers)
    );
    for (trace, what) in history.broken_feeds() {
        println!("crashes: {what}\n{}", run.failed_calls(&trace));
    }
    assert_eq!(history.broken_feeds(), [], "feeds while a majority lived");
    assert!(history.complete() >= rounds, "feeds were asked for all the time");
    assert!(!run.failovers.is_empty(), "no leader was killed");
    let written = history.posts();
    assert!(written.len() >= POSTS);
    assert_same_everywhere(&run.nodes, &written).await;
    run.cluster.assert_no_panic();
}

fn from_env<T: std::str::FromStr>(name: &str) -> Option<T> {
    std::env::var(name).ok()?.parse().ok()
}

/// `COVEY_TEST_SEED`, or one that changes from run to run: kills shall meet ever new moments.
fn seed() -> u64 {
    from_env("COVEY_TEST_SEED").unwrap_or_else(|| {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        now.expect("the clock is past 1970").as_nanos() as u64
    })
}

/// Middle and worst.
fn spread(times: &mut [Duration]) -> String {
    times.sort_unstable();
    match times {
        [] => "no leader was killed".to_owned(),
        times => format!(
            "p50 {:.2?}, worst {:.2?}, of {} shards that lost their leader",
            times[times.len() / 2],
            times[times.len() - 1],
            times.len()
        ),
    }
}

struct Run {
    cluster: Cluster,
    nodes: Vec<NodeClient>,
    load: Load,
    dice: StdRng,
    failovers: Vec<Duration>,
}

impl Run {
    async fn start(seed: u64) -> Run {
        let cluster = tokio::task::block_in_place(|| Cluster::start("crashes", BUSY_DISK));
        let load = Load::start(cluster.grpc).await;
        Run {
            nodes: cluster.node_clients(),
            cluster,
            load,
            dice: StdRng::seed_from_u64(seed),
            failovers: Vec::new(),
        }
    }

    /// What the calls of a trace say of their failures.
    fn failed_calls(&self, trace: &str) -> String {
        let id = u128::from_str_radix(trace, 16).unwrap_or_default().to_be_bytes();
        let spans = self.cluster.receiver.trace(id);
        let called = spans.iter().filter(|span| span.name == "node.call");
        let line = |span: &covey_telemetry::receiver::ReceivedSpan| {
            let took = Duration::from_nanos(span.end_unix_ns - span.start_unix_ns);
            let at = span.start_unix_ns / 1_000_000 % 100_000;
            format!("  at {at} ms, took {took:.1?}: {:?}", span.attributes)
        };
        called.map(line).collect::<Vec<_>>().join("\n")
    }

    async fn pause(&mut self, most_ms: u64) {
        let pause = Duration::from_millis(self.dice.random_range(0..most_ms));
        tokio::time::sleep(pause).await;
    }

    /// Kills a node; starts it again either at once or when others lead its shards.
    async fn kill_node(&mut self, node: usize) {
        self.pause(400).await;
        let led = self.led_by(node).await;
        let at = Instant::now();
        self.cluster.nodes[node].kill();
        if self.dice.random_bool(0.6) {
            self.pause(300).await;
        } else {
            for shard in led {
                let silence = self.load.history.silence_from(shard, at).await;
                self.failovers.push(silence);
            }
        }
        self.cluster.nodes[node].start();
        self.until_back(node).await;
    }

    /// Shards, from 0, that a node leads, the metadata not counted.
    async fn led_by(&self, node: usize) -> Vec<usize> {
        let replicas = status(&self.nodes[node]).await.replicas;
        let led = replicas.iter().filter(|replica| replica.role == ReplicaRole::Leader);
        led.filter_map(|replica| (replica.shard.0 as usize).checked_sub(1))
            .collect()
    }

    /// Until a node that was started takes part again: with the next one down there is still a majority.
    async fn until_back(&mut self, node: usize) {
        let since = Instant::now();
        loop {
            let replicas = status(&self.nodes[node]).await.replicas;
            let takes_part = |replica: &ReplicaStatus| replica.leader.is_some() && replica.staleness_ms < 1_000;
            if replicas.len() == GROUPS && replicas.iter().all(takes_part) {
                return;
            }
            self.cluster
                .nodes
                .iter_mut()
                .for_each(crate::process::Process::assert_alive);
            assert!(
                since.elapsed() < SOON,
                "node {} does not take part again: {replicas:?}",
                node + 1
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn kill_coordinator(&mut self) {
        self.pause(400).await;
        let at = Instant::now();
        self.cluster.coordinator.kill();
        self.pause(300).await;
        self.cluster.coordinator.start();
        let port = self.cluster.http;
        while !matches!(http(port, "GET", "/readyz", &[], b""), Ok((200, _))) {
            self.cluster.coordinator.assert_alive();
            assert!(at.elapsed() < SOON, "the coordinator does not become ready");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        self.load.history.no_coordinator(at, Instant::now());
    }
}
