//! A lean cluster for one measurement: as few nodes and shards as wanted, settings of its own.

use std::fmt::Write as _;
use std::io;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::place::{Place, Ports, quoted};
use super::processes::{Processes, sibling};
use crate::client::Client;
use crate::commands::fetch_status;
use crate::progress::Spinner;

/// Time for the processes to answer; a large store is read back first.
const READY: Duration = Duration::from_secs(600);
/// Nothing is built for so long after a load: merges are over.
const CALM: Duration = Duration::from_secs(5);
/// For the indexes after a load.
const INDEXED: Duration = Duration::from_secs(1200);
/// Time between two looks.
const AGAIN: Duration = Duration::from_millis(100);

/// What the process of a node is called.
pub(super) fn node_name(id: u64) -> String {
    format!("node {id}")
}

/// How large a cluster is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    /// At most 26: each has a zone of its own.
    pub(super) nodes: usize,
    pub(super) shards: u16,
    /// Replicas of each shard.
    pub(super) replication: usize,
}

/// Nodes and a coordinator.
pub(super) struct Rig {
    pub(super) place: Place,
    ports: Ports,
    nodes: usize,
}

impl Rig {
    /// One shard, replicated to every node.
    pub(super) fn prepare(place: Place, nodes: usize, settings: &str) -> Result<Rig> {
        let shape = Shape {
            nodes,
            shards: 1,
            replication: nodes,
        };
        Rig::shaped(place, shape, settings)
    }

    /// Writes the configuration; `settings` is what it says besides cluster and addresses, as TOML.
    pub(super) fn shaped(place: Place, shape: Shape, settings: &str) -> Result<Rig> {
        let ports = Ports::free()?;
        let Shape {
            nodes,
            shards,
            replication,
        } = shape;
        let mut text = format!(
            "# Written by `covey bench`. `cluster.toml` at the root of the project has every key.\n\
             [cluster]\nname = \"bench\"\nshards = {shards}\nreplication = {replication}\ninsecure_loopback = true\ndata_dir = {}\n",
            quoted(&place.data().display().to_string())
        );
        for (at, port) in node_ports(&ports, nodes)?.into_iter().enumerate() {
            let zone = char::from(b'a' + at as u8);
            write!(
                text,
                "\n[[node]]\nid = {}\nlisten = \"127.0.0.1:{port}\"\nzone = \"{zone}\"\n",
                at + 1
            )
            .expect("writing to a string");
        }
        write!(
            text,
            "\n[coordinator]\nhttp_listen = \"127.0.0.1:{}\"\ngrpc_listen = \"127.0.0.1:{}\"\n\n{settings}",
            ports.http, ports.grpc
        )
        .expect("writing to a string");
        let path = place.config();
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Rig { place, ports, nodes })
    }

    /// Starts everything and waits until the cluster is healthy.
    pub(super) async fn up(&self, processes: &mut Processes) -> Result<Client> {
        for id in 1..=self.nodes as u64 {
            self.start_node(id, processes)?;
        }
        let config = self.place.config().display().to_string();
        let log = self.place.logs().join("coordinator.log");
        let args = ["--config".to_owned(), config];
        processes.start("coordinator", &sibling("covey-coordinator")?, &args, &log)?;
        self.healthy(processes).await
    }

    /// Starts one more coordinator, on ports that are free now, and waits until it sees a healthy cluster.
    pub(super) async fn another_coordinator(&self, processes: &mut Processes) -> Result<Client> {
        // Bound together, so that they differ.
        let bound = [TcpListener::bind("127.0.0.1:0"), TcpListener::bind("127.0.0.1:0")];
        let address = |bound: io::Result<TcpListener>| Ok(bound?.local_addr()?.to_string());
        let addresses: io::Result<Vec<String>> = bound.into_iter().map(address).collect();
        let addresses = addresses.context("cannot listen on a port of 127.0.0.1")?;
        let config = self.place.config().display().to_string();
        let args = ["--config", &config, "--http", &addresses[0], "--grpc", &addresses[1]].map(str::to_owned);
        let log = self.place.logs().join("coordinator-2.log");
        processes.start("coordinator 2", &sibling("covey-coordinator")?, &args, &log)?;
        with_a_spinner(&format!("http://{}", addresses[1]), processes).await
    }

    pub(super) fn start_node(&self, id: u64, processes: &mut Processes) -> Result<()> {
        let config = self.place.config().display().to_string();
        let args = ["--config".to_owned(), config, "--node".to_owned(), id.to_string()];
        let log = self.place.logs().join(format!("node-{id}.log"));
        processes.start(&node_name(id), &sibling("covey-node")?, &args, &log)
    }

    /// Waits until every shard has a leader and all its replicas.
    pub(super) async fn healthy(&self, processes: &mut Processes) -> Result<Client> {
        with_a_spinner(&self.server(), processes).await
    }

    /// The same without a word: for those who say themselves what they are at.
    pub(super) async fn quietly_healthy(&self, processes: &mut Processes) -> Result<Client> {
        ready(&self.server(), processes).await
    }

    fn server(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports.grpc)
    }
}

async fn with_a_spinner(server: &str, processes: &mut Processes) -> Result<Client> {
    let (spinner, started) = (Spinner::start("waiting for the cluster"), Instant::now());
    let client = ready(server, processes).await?;
    spinner.done(started.elapsed());
    Ok(client)
}

/// Waits until a coordinator sees a healthy cluster.
async fn ready(server: &str, processes: &mut Processes) -> Result<Client> {
    let started = Instant::now();
    loop {
        processes.all_alive()?;
        let looked = match Client::connect(server).await {
            Ok(client) => fetch_status(&client).await.map(|status| (client, status)),
            Err(error) => Err(error),
        };
        let last = match looked {
            Ok((client, status)) if status.healthy => return Ok(client),
            Ok((_, status)) => status.problems.first().cloned().unwrap_or_default(),
            Err(error) => error.to_string(),
        };
        if started.elapsed() > READY {
            bail!("the cluster is not ready after {} s: {last}", READY.as_secs());
        }
        tokio::time::sleep(AGAIN).await;
    }
}

/// A port for each node: those of a demo, and what the system chooses besides.
fn node_ports(ports: &Ports, nodes: usize) -> Result<Vec<u16>> {
    let taken = [&ports.nodes[..], &[ports.http, ports.grpc]].concat();
    let mut found = ports.nodes[..nodes.min(ports.nodes.len())].to_vec();
    // Held until all are known, so that no port is given twice.
    let mut held = Vec::new();
    while found.len() < nodes {
        let bound = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| {
            let port = listener.local_addr()?.port();
            held.push(listener);
            io::Result::Ok(port)
        });
        let port = bound.context("cannot listen on a port of 127.0.0.1")?;
        if !taken.contains(&port) {
            found.push(port);
        }
    }
    Ok(found)
}

/// Waits until no index is being built and no effect is on its way, for [`CALM`] in a row; an error after [`INDEXED`], or
/// when a process ends.
pub(super) async fn settled(client: &Client, processes: &mut Processes) -> Result<()> {
    let spinner = Spinner::start("waiting for the indexes");
    let (started, mut last_busy) = (Instant::now(), Instant::now());
    loop {
        processes.all_alive()?;
        let state = fetch_status(client).await?;
        let outbox = state.nodes.iter().flat_map(|node| &node.replicas).any(|r| r.outbox > 0);
        if crate::render::status::building(&state) || outbox {
            last_busy = Instant::now();
        }
        if last_busy.elapsed() >= CALM {
            spinner.done(started.elapsed());
            return Ok(());
        }
        if started.elapsed() > INDEXED {
            bail!(
                "indexes are still being built, or effects still on their way, after {} s",
                INDEXED.as_secs()
            );
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}
