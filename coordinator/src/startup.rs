//! Builds a coordinator in a visible order and stops it in reverse.

use std::sync::{Arc, Weak};
use std::time::Duration;

use covey_config::{Config, ConfigError};
use covey_env::Env;
use covey_eventlog::{EventLog, EventLogThread, Settings};
use covey_rpc::{ClientOptions, NodeClient, Peer};
use covey_shared::ids::NodeId;
use covey_shared::metadata::NodePlace;
use thiserror::Error;

use crate::api::{Api, ApiDeps, GrpcError, GrpcServer, HttpError, HttpOptions, HttpServer, log_statistics};
use crate::cluster::{Cluster, NodePort, SettingsWatch, Threads};
use crate::feed::{Deps, FeedService, FeedWorkers};
use crate::ingest::Ingest;
use crate::seal::Sealer;

/// Who starts waits so long for a node that says what operators have set.
const SETTINGS_WAIT: Duration = Duration::from_secs(3);

/// The event log leaves so much more of the disk free than `storage.min_free_disk_ratio`, at which a node on that disk takes in nothing
/// more until a fifth more is free: the log gives way before.
const LOG_GIVES_WAY: f64 = 1.5;

/// What a coordinator is made of.
pub struct CoordinatorParts {
    /// The world.
    pub env: Env,
    /// The cluster.
    pub config: Config,
    /// Where to listen for HTTP; `host:port`.
    pub http: String,
    /// Where to listen for gRPC; `host:port`.
    pub grpc: String,
}

/// Why a coordinator did not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// The secret that signs tokens cannot be read.
    #[error(transparent)]
    Secret(#[from] ConfigError),
    /// HTTP.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// gRPC.
    #[error(transparent)]
    Grpc(#[from] GrpcError),
    /// The operating system refused a thread.
    #[error("the thread of the event log cannot be started")]
    EventLog(#[source] std::io::Error),
}

/// A running coordinator.
pub struct Coordinator {
    http: HttpServer,
    grpc: GrpcServer,
    threads: Vec<Threads>,
    event_log: Option<EventLogThread>,
    grace: Duration,
}

/// Makes the way to a node of a real cluster.
pub fn node_ports(env: &Env, config: &Config) -> impl Fn(&NodePlace) -> Arc<dyn NodePort> + use<> {
    let rpc = &config.rpc;
    let options = ClientOptions {
        max_frame: rpc.max_frame.as_usize(),
        connections: rpc.connections,
        connect_timeout: rpc.connect_timeout,
        in_flight: rpc.in_flight_per_node,
        backoff_min: rpc.backoff_min,
        backoff_max: rpc.backoff_max,
        ..ClientOptions::new(config.cluster.id(), NodeId(0))
    };
    let env = env.clone();
    move |place| {
        let peer = Peer {
            node: place.node,
            address: place.listen.clone(),
        };
        Arc::new(NodeClient::new(env.clone(), peer, options.clone()))
    }
}

impl Coordinator {
    /// Starts everything; requests are answered when this returns. Runs inside an actix system.
    ///
    /// # Errors
    /// See [`StartError`]; nothing runs then.
    pub async fn start(parts: CoordinatorParts) -> Result<Coordinator, StartError> {
        let CoordinatorParts {
            env,
            config,
            http,
            grpc,
        } = parts;
        let config = Arc::new(config);
        let sealer = Arc::new(Sealer::new(&config.cursor_secret()?));

        // 1. The ways to the nodes, and writes. One thread carries all links: they only pass messages on.
        let links = Threads::own();
        let cluster = Cluster::start(env.clone(), &config, &links, node_ports(&env, &config));
        let (events, event_log) = event_log(&env, &config).map_err(StartError::EventLog)?;
        let ingest = Ingest::start(cluster.clone(), &config, &links);
        let ingest = match events {
            Some(log) => ingest.logging_to(log, env.clock.clone()),
            None => ingest,
        };

        // 2. The feed, on threads of its own.
        let workers: Vec<Threads> = (0..config.coordinator.workers).map(|_| Threads::own()).collect();
        let service = Arc::new(FeedService::new(Deps {
            cluster: cluster.clone(),
            ingest: ingest.clone(),
            sealer: sealer.clone(),
            config: config.clone(),
            env: env.clone(),
        }));
        let mut settings = cluster.settings();
        service.learn(&settings.hear(SETTINGS_WAIT).await);
        actix_rt::spawn(follow(settings, Arc::downgrade(&service)));
        let feed = FeedWorkers::start(service, &workers, config.coordinator.mailbox);

        // 3. The doors, last: who knocks is served.
        let api = Arc::new(Api::new(ApiDeps {
            env: env.clone(),
            config: config.clone(),
            cluster,
            ingest,
            feed,
            sealer,
        }));
        if let Some(interval) = config.telemetry.stats_interval {
            actix_rt::spawn(log_statistics(api.clone(), interval));
        }
        let grace = config.coordinator.shutdown_grace;
        let grpc = GrpcServer::start(api.clone(), &env, &grpc).await?;
        let options = HttpOptions {
            address: http,
            workers: config.coordinator.workers,
            grace,
        };
        let http = HttpServer::start(api, options)?;
        let threads = workers.into_iter().chain([links]).collect();
        Ok(Coordinator {
            http,
            grpc,
            threads,
            event_log,
            grace,
        })
    }

    /// Where it listens for HTTP.
    pub fn http_address(&self) -> String {
        self.http.address()
    }

    /// Where it listens for gRPC.
    pub fn grpc_address(&self) -> &str {
        self.grpc.address()
    }

    /// Stops in reverse order: no new requests, those in work finish, then the actors, and the event log is sealed.
    pub async fn stop(self) {
        self.http.stop().await;
        self.grpc.stop(self.grace).await;
        self.threads.iter().for_each(Threads::stop);
        if let Some(thread) = self.event_log
            && let Err(error) = thread.stop(self.grace).await
        {
            tracing::warn!(%error, "the event log is sealed at the next start");
        }
    }
}

/// Takes what operators set into service.
async fn follow(mut settings: SettingsWatch, service: Weak<FeedService>) {
    while let Some(newest) = settings.next().await {
        let Some(service) = service.upgrade() else { return };
        service.learn(&newest);
    }
}

/// Starts the event log, if there shall be one.
fn event_log(env: &Env, config: &Config) -> std::io::Result<(Option<EventLog>, Option<EventLogThread>)> {
    let event_log = &config.event_log;
    if !event_log.enabled {
        return Ok((None, None));
    }
    let settings = Settings {
        dir: config.event_log_dir(),
        budget: event_log.budget.as_u64(),
        min_free: config.storage.min_free_disk_ratio * LOG_GIVES_WAY,
        rotate: event_log.rotate,
        queue: event_log.queue,
    };
    let (log, thread) = EventLog::start(env, settings)?;
    Ok((Some(log), Some(thread)))
}
