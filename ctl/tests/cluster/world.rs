//! Whole clusters: the one that tests share, and others that a test may break.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use covey_ctl::client::Client;
use covey_env::Env;
use covey_rpc::{ClientOptions, NodeClient, Peer};
use covey_shared::ids::{ClusterId, ModelEpoch, NodeId, UserId};
use covey_shared::layout::Layout;
use covey_shared::slots::Slot;
use covey_shared::wire::{Class, NodeStatus, ReplyBody, RequestBody};
use covey_telemetry::receiver::OtlpReceiver;

use crate::calls::http;
use crate::place::{Settings, config, directory, free_ports, write_config};
use crate::process::{Process, SOON, binary, run_to_end, until};

pub(crate) const NODES: usize = 3;
pub(crate) const SHARDS: u16 = 8;
/// Raft groups: the shards and the metadata.
pub(crate) const GROUPS: usize = SHARDS as usize + 1;

/// Three nodes and a coordinator.
pub(crate) struct Cluster {
    name: String,
    node_ports: Vec<u16>,
    pub(crate) http: u16,
    pub(crate) grpc: u16,
    /// From node 1 on.
    pub(crate) nodes: Vec<Process>,
    pub(crate) coordinator: Process,
    pub(crate) receiver: OtlpReceiver,
    /// Where its configuration, logs and data lie.
    pub(crate) dir: PathBuf,
}

/// Small segments, so that a few thousand posts have indexes, and these merge.
const SMALL: &str = "[ann]\nseal_rows = 1024\nmin_train_rows = 1024\nmerge_factor = 3\n\
maintenance_interval = \"100ms\"\n[raft]\nwal_segment = \"16MiB\"\n";

/// The cluster for all tests that break nothing; started once, ended with the process.
pub(crate) fn shared() -> &'static Cluster {
    static SHARED: OnceLock<Cluster> = OnceLock::new();
    SHARED.get_or_init(|| Cluster::start("shared", SMALL))
}

/// Whether a coordinator sees every shard with a leader and all its replicas; else what it says.
fn healthy(port: u16) -> Result<(), String> {
    match http(port, "GET", "/v1/status", &[], b"") {
        Ok((200, body)) if body.contains("\"healthy\":true") => Ok(()),
        Ok((code, body)) => Err(format!("{code} {body}")),
        Err(error) => Err(error.to_string()),
    }
}

impl Cluster {
    /// Starts all processes, with a replica of every shard on every node, and waits until all is well.
    pub(crate) fn start(name: &str, more: &str) -> Cluster {
        Cluster::with(NODES, name, more)
    }

    /// The same with so many nodes, of which three have a replica of each shard.
    pub(crate) fn with(count: usize, name: &str, more: &str) -> Cluster {
        let dir = directory(name);
        let [http, grpc, spare @ ..] = free_ports::<8>();
        let node_ports = spare[..count].to_vec();
        let (receiver, address) = OtlpReceiver::bind("127.0.0.1:0").expect("a port is free");
        let more = format!("{more}\n[telemetry]\notlp_endpoint = \"http://{address}\"\n");
        let settings = Settings {
            name,
            shards: SHARDS,
            replication: NODES,
            nodes: &node_ports,
            coordinator: [http, grpc],
            more: &more,
        };
        let path = write_config(&dir, &config(&dir, &settings)).display().to_string();
        let logs = dir.clone();
        let log = |name: &str| -> PathBuf { logs.join(format!("{name}.log")) };
        let node = |id: usize| {
            let args = ["--config", &path, "--node", &id.to_string()]
                .map(str::to_owned)
                .to_vec();
            Process::new(&format!("node {id}"), "covey-node", args, log(&format!("node-{id}")))
        };
        let args = vec!["--config".to_owned(), path.clone()];
        let mut cluster = Cluster {
            name: name.to_owned(),
            node_ports,
            http,
            grpc,
            nodes: (1..=count).map(node).collect(),
            coordinator: Process::new("coordinator", "covey-coordinator", args, log("coordinator")),
            receiver,
            dir,
        };
        cluster.nodes.iter_mut().for_each(Process::start);
        cluster.coordinator.start();
        cluster.wait_until_healthy();
        cluster
    }

    /// Starts one more node, which `cluster.toml` does not name.
    pub(crate) fn join(&mut self, id: usize, zone: &str) {
        let [port] = free_ports::<1>();
        let config = self.config().display().to_string();
        let words = format!("--config {config} --node {id} --join --listen 127.0.0.1:{port} --zone {zone}");
        let args = words.split(' ').map(str::to_owned).collect();
        let log = self.dir.join(format!("node-{id}.log"));
        let mut process = Process::new(&format!("node {id}"), "covey-node", args, log);
        process.start();
        self.nodes.push(process);
        self.node_ports.push(port);
    }

    /// Until every shard has a leader and all replicas, as the coordinator sees it.
    pub(crate) fn wait_until_healthy(&mut self) {
        self.wait_until_settled(0);
    }

    /// The same without the first nodes, which need not run.
    pub(crate) fn wait_until_settled(&mut self, without: usize) {
        let (http_port, nodes) = (self.http, &mut self.nodes[without..]);
        let coordinator = &mut self.coordinator;
        until("a healthy cluster", || {
            nodes.iter_mut().for_each(Process::assert_alive);
            coordinator.assert_alive();
            healthy(http_port)
        });
    }

    /// No process logged a panic, in any of its lives.
    pub(crate) fn assert_no_panic(&self) {
        for process in self.nodes.iter().chain([&self.coordinator]) {
            let log = process.log();
            let panic = log.lines().find(|line| line.contains("panic"));
            assert_eq!(panic, None, "{}", process.name());
        }
    }

    /// Its cluster.toml.
    pub(crate) fn config(&self) -> PathBuf {
        self.dir.join("cluster.toml")
    }

    /// A connection to the coordinator, on the runtime of the caller.
    pub(crate) async fn client(&self) -> Client {
        let server = format!("http://127.0.0.1:{}", self.grpc);
        Client::connect(&server).await.expect("the coordinator listens")
    }

    /// Its coordinator and one more, which ends when it is dropped.
    pub(crate) async fn two_coordinators(&self) -> (Process, [Client; 2]) {
        let [http, grpc] = free_ports::<2>();
        let config = self.config().display().to_string();
        let words = format!("--config {config} --http 127.0.0.1:{http} --grpc 127.0.0.1:{grpc}");
        let args = words.split(' ').map(str::to_owned).collect();
        let log = self.dir.join(format!("coordinator-{grpc}.log"));
        let mut other = Process::new("another coordinator", "covey-coordinator", args, log);
        other.start();
        until("a healthy cluster, as another coordinator sees it", || {
            other.assert_alive();
            healthy(http)
        });
        let server = format!("http://127.0.0.1:{grpc}");
        let client = Client::connect(&server).await.expect("the coordinator listens");
        (other, [self.client().await, client])
    }

    /// A command line of `covey` for this cluster.
    pub(crate) fn words(&self, words: &str) -> Vec<String> {
        let server = format!("http://127.0.0.1:{}", self.grpc);
        let args = ["--server", &server].into_iter().chain(words.split(' '));
        args.map(str::to_owned).collect()
    }

    /// Runs `covey` to its end: its exit code, and what it said on stderr. Where nobody could be asked it asks again.
    pub(crate) fn covey(&self, words: &str) -> (Option<i32>, String) {
        tokio::task::block_in_place(|| patiently(&self.words(words)))
    }

    /// The same, once.
    pub(crate) fn covey_once(&self, words: &str) -> (Option<i32>, String) {
        let run = || run_to_end(&binary("covey"), &self.words(words), &[]);
        let (status, said) = tokio::task::block_in_place(run);
        (status.code(), said)
    }

    /// Ports of everything that listens.
    pub(crate) fn ports(&self) -> Vec<u16> {
        self.node_ports.iter().copied().chain([self.http, self.grpc]).collect()
    }

    /// A direct way to each node.
    pub(crate) fn node_clients(&self) -> Vec<NodeClient> {
        let env = Env::production(1).expect("threads can be started");
        let options = ClientOptions::new(ClusterId::from_name(&self.name), NodeId(0));
        let peer = |(id, port): (u64, &u16)| Peer {
            node: NodeId(id),
            address: format!("127.0.0.1:{port}"),
        };
        (1..)
            .zip(&self.node_ports)
            .map(|at| NodeClient::new(env.clone(), peer(at), options.clone()))
            .collect()
    }
}

/// What passes on a busy machine: an election of the metadata, a disk that takes long, a start.
const PASSES: [&str; 4] = [
    "has no leader that answers",
    "did not say in time whether it was done",
    "has only just begun",
    "no coordinator answers",
];

/// Runs `covey` with these arguments, again while nobody could be asked, as it says itself: its exit code and last words.
pub(crate) fn patiently(args: &[String]) -> (Option<i32>, String) {
    let since = Instant::now();
    loop {
        let (status, said) = run_to_end(&binary("covey"), args, &[]);
        let passes = !status.success() && PASSES.iter().any(|words| said.contains(words));
        if !passes || since.elapsed() > SOON {
            return (status.code(), said);
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// Where the shards of these clusters lie.
pub(crate) fn layout() -> Layout {
    let nodes: Vec<NodeId> = (1..=NODES as u64).map(NodeId).collect();
    Layout::fixed(SHARDS, NODES, &nodes)
}

/// The first `count` users from `from` on who live on the shard of this number, from 0.
pub(crate) fn users_of_shard(shard: usize, from: u64, count: usize) -> Vec<u64> {
    let slots = layout().shards[shard].slots;
    let lives_there = |user: &u64| slots.contains(Slot::of(UserId(*user)));
    (from..).filter(lives_there).take(count).collect()
}

/// Asks a node until it answers; panics with its last error after a long time.
pub(crate) async fn ask(node: &NodeClient, class: Class, body: RequestBody) -> ReplyBody {
    let pause = Duration::from_millis(50);
    let mut last = String::new();
    for _ in 0..SOON.as_millis() / pause.as_millis() {
        match node.call(class, SOON, body.clone(), ModelEpoch(0)).await {
            Ok(reply) => return reply,
            Err(error) => last = error.to_string(),
        }
        tokio::time::sleep(pause).await;
    }
    panic!("{last}");
}

/// What a node says of itself.
pub(crate) async fn status(node: &NodeClient) -> NodeStatus {
    match ask(node, Class::Admin, RequestBody::Status).await {
        ReplyBody::Status(status) => *status,
        other => panic!("not a status: {other:?}"),
    }
}
