//! A node on a real machine: its telemetry, stores, threads and signals.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use covey_ann::Backend;
use covey_config::Config;
use covey_env::Env;
use covey_shared::ids::NodeId;
use covey_store::kv::{FjallKv, FjallOptions, KeyRange, KvError, KvRead, KvStore};
use covey_store::log::{Wal, WalOptions};
use covey_telemetry::{Telemetry, TelemetryOptions};

use crate::set_aside::{DamageWatch, KV, WAL, is_marked, set_aside, unmark};
use crate::startup::{Node, NodeParts, StartError, StartReport, Threads};

/// Time for the last spans to be sent.
const FLUSH: Duration = Duration::from_secs(2);

/// Runs node `id` until SIGINT or SIGTERM, or until it is removed from the cluster. `data` overrides where its files lie.
pub async fn serve(config: Config, id: NodeId, data: Option<PathBuf>) -> anyhow::Result<()> {
    let telemetry = Telemetry::start(telemetry_options(&config, id))?;
    telemetry.install_panic_hook("covey-node");
    let env = Env::production(config.ann.search_threads).context("cannot start the search pool")?;
    if let Err(error) = covey_env::raise_open_files() {
        tracing::warn!(%error, "the limit of open files stays as it is");
    }
    let dir = data.unwrap_or_else(|| config.node_dir(id));
    env.disk
        .create_dir_all(&dir)
        .with_context(|| format!("cannot create the data directory {}", dir.display()))?;
    let _lock = env.disk.lock_exclusive(&dir).with_context(|| {
        format!(
            "cannot lock {}: does another covey-node use it? Stop that one, or give --data",
            dir.display()
        )
    })?;
    let options = WalOptions {
        segment_bytes: config.raft.wal_segment.as_usize(),
        ..WalOptions::new(config.cluster.id(), id)
    };
    let mut start = StartReport::default();
    let begun = env.clock.monotonic();
    let (wal, recovered) = Wal::open(env.disk.clone(), &dir.join(WAL), options)?;
    let log_read = env.clock.monotonic();
    let entries = recovered.groups.values().map(|group| group.entries.len() as u64).sum();
    start.add("log", log_read.since(begun), entries);
    // Others have it all: each of this node's groups goes on, and fetches what the store held.
    let has_peers = config.cluster.replication > 1 && !recovered.groups.is_empty();
    let kv: Arc<dyn KvStore> = Arc::new(open_kv(&env, &config, &dir, has_peers)?);
    start.add("key-value store", env.clock.monotonic().since(log_read), 0);
    let parts = NodeParts {
        env,
        config,
        id,
        dir,
        log: Box::new(wal),
        recovered,
        kv,
        threads: Threads::production(),
        backend: Backend::Faiss,
        observer: None,
        start,
    };
    let damage = DamageWatch::new(parts.env.disk.clone(), &parts.dir);
    let node = Node::start(parts).await.inspect_err(|error| match error {
        StartError::Shard { source, .. } if has_peers => _ = damage.note(source),
        _ => {}
    })?;
    tracing::info!(node = id.0, address = %node.address(), "ready");
    tokio::select! {
        signal = wait_for_signal() => signal?,
        () = node.removed() => {}
    }
    tracing::info!("stopping");
    node.stop().await;
    // All that it has is safe; a collector that is slow or away is no reason to call this a failure.
    if let Err(error) = telemetry.shutdown(FLUSH) {
        tracing::warn!(%error, "stopped without sending the last spans");
    }
    Ok(())
}

/// With `has_peers`, a damaged store is moved aside and begun anew.
fn open_kv(env: &Env, config: &Config, dir: &Path, has_peers: bool) -> anyhow::Result<FjallKv> {
    let (disk, options) = (&env.disk, fjall_options(config));
    let open = || FjallKv::open(disk.clone(), &dir.join(KV), &options);
    let marked = is_marked(&**disk, dir)?;
    // What could not be read while the node ran may have been the way to the disk: one look at everything says.
    let opened = open().and_then(|kv| if marked { read_all(&kv).map(|()| kv) } else { Ok(kv) });
    let why = match opened {
        Err(error) if has_peers && error.is_damage() => anyhow::Error::new(error),
        opened => {
            let kv = opened?;
            if marked {
                unmark(&**disk, dir)?;
            }
            return Ok(kv);
        }
    };
    let aside = set_aside(&**disk, dir).context("the key-value store is damaged, and cannot be moved aside")?;
    tracing::error!(
        error = format!("{why:#}"),
        aside = %aside.display(),
        "the key-value store is damaged: it was moved aside, and all replicas are fetched from the other nodes"
    );
    Ok(open()?)
}

fn read_all(kv: &FjallKv) -> Result<(), KvError> {
    tracing::warn!("damage of the key-value store was noted: all of it is read once");
    kv.scan(&KeyRange::all(), &mut |_, _| ControlFlow::Continue(()))
}

fn telemetry_options(config: &Config, id: NodeId) -> TelemetryOptions {
    let telemetry = &config.telemetry;
    TelemetryOptions {
        otlp_endpoint: Some(telemetry.otlp_endpoint.clone()).filter(|endpoint| !endpoint.is_empty()),
        sample_ratio: telemetry.sample_ratio,
        span_queue: telemetry.span_queue,
        export_timeout: telemetry.export_timeout,
        log_filter: telemetry.log.clone(),
        log_format: match telemetry.log_format {
            covey_config::LogFormat::Human => covey_telemetry::LogFormat::Human,
            covey_config::LogFormat::Json => covey_telemetry::LogFormat::Json,
        },
        ..TelemetryOptions::new("covey-node", format!("node-{id}"))
    }
}

fn fjall_options(config: &Config) -> FjallOptions {
    FjallOptions {
        cache_bytes: config.storage.kv_cache.as_u64(),
        memtable_bytes: config.storage.kv_memtable.as_u64(),
        journal_bytes: config.storage.kv_journal.as_u64(),
        ..FjallOptions::default()
    }
}

async fn wait_for_signal() -> anyhow::Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        result = tokio::signal::ctrl_c() => result.context("cannot listen for Ctrl-C"),
        _ = terminate.recv() => Ok(()),
    }
}
