//! The listening side of a node: one port for calls and Raft streams.

mod accept;
mod calls;
mod raft;

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use covey_env::{Env, Monotonic, Task};
use covey_shared::codec;
use covey_shared::ids::{ClusterId, NodeId};
use covey_shared::wire::{Class, NodeReply, NodeRequest, RaftFrame};
use futures::FutureExt;
use futures::future::BoxFuture;
use thiserror::Error;
use tokio::sync::{Semaphore, watch};

use crate::log_limit::LogLimit;

/// Carries out a call. The future is dropped when the caller gives up or the deadline passes: what it started must stop then.
pub type CallHandler = Arc<dyn Fn(NodeRequest, CallContext) -> BoxFuture<'static, NodeReply> + Send + Sync>;

/// Takes the messages of a node, frame by frame in their order. The next frame is read when the future is done, which is how
/// a full mailbox slows the sender down. The future is dropped when a newer connection of the same node takes over.
pub type RaftHandler = Arc<dyn Fn(NodeId, RaftFrame) -> BoxFuture<'static, ()> + Send + Sync>;

/// What a process does with what arrives.
#[derive(Clone)]
pub struct Handlers {
    /// Calls.
    pub calls: CallHandler,
    /// Raft streams; `None` refuses them.
    pub raft: Option<RaftHandler>,
}

/// About one call.
#[derive(Clone, Debug)]
pub struct CallContext {
    /// Who asks; 0 = a coordinator or a tool.
    pub peer: NodeId,
    /// The caller's address.
    pub address: Arc<str>,
    /// When the caller stops waiting, on this process's monotonic clock.
    pub deadline: Monotonic,
}

/// How many calls of each class a node works on at once, over all connections.
#[derive(Clone, Copy, Debug)]
pub struct ClassPermits {
    /// Searches, feeds, hydration.
    pub query: usize,
    /// Client writes.
    pub write: usize,
    /// Outbox, loaders, repair.
    pub bulk: usize,
    /// Status and administration.
    pub admin: usize,
}

/// How a node listens.
#[derive(Clone, Debug)]
pub struct ServeOptions {
    /// Its cluster.
    pub cluster: ClusterId,
    /// Its id.
    pub node: NodeId,
    /// Largest message in bytes; a longer announced length closes the connection.
    pub max_frame: usize,
    /// Connections at once; more are closed without an answer.
    pub max_connections: usize,
    /// Calls in flight on one connection; one more is answered "busy".
    pub calls_per_connection: usize,
    /// Calls at work per class; one more is answered "overloaded".
    pub permits: ClassPermits,
    /// Time that a new connection has to introduce itself.
    pub handshake_timeout: Duration,
    /// Time without traffic after which a connection is closed.
    pub idle_timeout: Duration,
}

impl ServeOptions {
    /// The defaults of `[rpc]` in `cluster.toml`.
    pub fn new(cluster: ClusterId, node: NodeId) -> ServeOptions {
        ServeOptions {
            cluster,
            node,
            max_frame: codec::MAX_MESSAGE,
            max_connections: 1024,
            calls_per_connection: 256,
            permits: ClassPermits {
                query: 256,
                write: 256,
                bulk: 16,
                admin: 16,
            },
            handshake_timeout: Duration::from_secs(2),
            idle_timeout: Duration::from_secs(300),
        }
    }
}

/// Why a node does not listen.
#[derive(Debug, Error)]
pub enum ServeError {
    /// Another process has the port.
    #[error("address {address} is in use by another process; see which: ss -ltnp 'sport = :{port}'")]
    AddressInUse {
        /// As given.
        address: String,
        /// Its port.
        port: String,
    },
    /// Anything else.
    #[error("cannot listen on {address}")]
    Listen {
        /// As given.
        address: String,
        /// What the network says.
        source: io::Error,
    },
}

/// Counters since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ServerStats {
    /// Open connections, those in their handshake included.
    pub connections: usize,
    /// Connections closed because there were too many.
    pub connections_over_limit: u64,
    /// Handshakes that were refused, garbled, or too slow.
    pub bad_handshakes: u64,
    /// Calls at work.
    pub in_flight: usize,
    /// Calls that arrived and were well-formed.
    pub calls: u64,
    /// Calls that were given up by the caller, or cut off by a shutdown.
    pub cancelled: u64,
    /// Calls whose deadline passed here.
    pub expired: u64,
    /// Calls refused because the permits of their class were used up.
    pub overloaded: u64,
    /// Messages that did not decode, or contradicted their connection.
    pub malformed: u64,
    /// Raft frames handed over.
    pub raft_frames: u64,
}

#[derive(Debug, Default)]
struct Counters {
    connections: AtomicUsize,
    connections_over_limit: AtomicU64,
    bad_handshakes: AtomicU64,
    in_flight: AtomicUsize,
    calls: AtomicU64,
    cancelled: AtomicU64,
    expired: AtomicU64,
    overloaded: AtomicU64,
    malformed: AtomicU64,
    raft_frames: AtomicU64,
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// What all connections share.
struct Shared {
    env: Env,
    options: ServeOptions,
    handlers: Handlers,
    permits: [Semaphore; 4],
    counters: Counters,
    /// Raft streams by sending node.
    streams: Mutex<BTreeMap<NodeId, raft::Turn>>,
    /// Complaints about strangers.
    complaints: LogLimit,
    /// True once a shutdown has begun.
    closing: watch::Receiver<bool>,
}

/// A listening node. Dropping it closes everything at once.
pub struct Server {
    address: String,
    shared: Arc<Shared>,
    closing: watch::Sender<bool>,
    task: Task,
}

impl Server {
    /// Listens on `listen` (`host:port`; port 0 picks one). Runs as tasks of the current runtime.
    ///
    /// # Errors
    /// See [`ServeError`].
    pub async fn serve(
        env: Env,
        listen: &str,
        options: ServeOptions,
        handlers: Handlers,
    ) -> Result<Server, ServeError> {
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::AddrInUse => ServeError::AddressInUse {
                address: listen.to_owned(),
                port: listen.rsplit(':').next().unwrap_or(listen).to_owned(),
            },
            _ => ServeError::Listen {
                address: listen.to_owned(),
                source: error,
            },
        };
        let listener = env.net.bind(listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let (closing, closed) = watch::channel(false);
        let ClassPermits {
            query,
            write,
            bulk,
            admin,
        } = options.permits;
        let shared = Arc::new(Shared {
            env,
            options,
            handlers,
            permits: [query, write, bulk, admin].map(Semaphore::new),
            counters: Counters::default(),
            streams: Mutex::new(BTreeMap::new()),
            complaints: LogLimit::default(),
            closing: closed,
        });
        let task = shared.env.spawn.task(accept::run(shared.clone(), listener).boxed());
        Ok(Server {
            address,
            shared,
            closing,
            task,
        })
    }

    /// The bound address as `ip:port`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Counters for metrics.
    pub fn stats(&self) -> ServerStats {
        let counters = &self.shared.counters;
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        ServerStats {
            connections: counters.connections.load(Ordering::Relaxed),
            connections_over_limit: read(&counters.connections_over_limit),
            bad_handshakes: read(&counters.bad_handshakes),
            in_flight: counters.in_flight.load(Ordering::Relaxed),
            calls: read(&counters.calls),
            cancelled: read(&counters.cancelled),
            expired: read(&counters.expired),
            overloaded: read(&counters.overloaded),
            malformed: read(&counters.malformed),
            raft_frames: read(&counters.raft_frames),
        }
    }

    /// Stops listening, answers new calls with "shutting down", lets the calls at work finish until `deadline`, then closes
    /// everything. Returns how many calls were cut off.
    pub async fn shutdown(mut self, deadline: Duration) -> usize {
        _ = self.closing.send(true);
        let finished = tokio::time::timeout(deadline, &mut self.task).await.is_ok();
        if finished {
            0
        } else {
            self.shared.counters.in_flight.load(Ordering::Relaxed)
        }
    }
}

impl Shared {
    fn permits_of(&self, class: Class) -> Option<&Semaphore> {
        let [query, write, bulk, admin] = &self.permits;
        match class {
            Class::Raft => None,
            Class::Query => Some(query),
            Class::Write => Some(write),
            Class::Bulk => Some(bulk),
            Class::Admin => Some(admin),
        }
    }

    /// Logs what a peer did wrong, at most once per second over all peers.
    fn complain(&self, address: &str, what: &str, error: Option<&(dyn std::error::Error + 'static)>) {
        if let Some(suppressed) = self.complaints.allow(self.env.clock.monotonic()) {
            tracing::warn!(peer = address, suppressed, error, "{what}");
        }
    }
}

/// Waits for the beginning of the shutdown.
async fn shutdown_begins(closing: &mut watch::Receiver<bool>) {
    // It fails when the server was dropped, and then this task goes with it.
    _ = closing.wait_for(|closing| *closing).await;
}

#[cfg(test)]
#[path = "server_test.rs"]
mod tests;

#[cfg(test)]
#[path = "hostile_test.rs"]
mod hostile_tests;
