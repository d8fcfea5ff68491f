//! The API over fake nodes.

use std::sync::Arc;

use covey_config::{ByteSize, Config, Secret};
use covey_env::Env;

use crate::api::service::{Api, ApiDeps};
use crate::cluster::Threads;
use crate::cluster::testing::{World, cluster_of};
use crate::feed::{Deps, FeedService, FeedWorkers};
use crate::ingest::Ingest;
use crate::seal::Sealer;

/// The API with the default configuration, but at most `in_flight` requests at once and bodies of 64 KiB.
pub(crate) fn api(in_flight: usize) -> (Arc<Api>, Arc<World>) {
    let mut config = Config::default();
    config.coordinator.max_in_flight = in_flight;
    config.coordinator.max_body = ByteSize::new(64 << 10);
    let world = Arc::new(World::default());
    let env = Env::production(1).expect("a thread for tests");
    let cluster = cluster_of(&config, &world);
    let ingest = Ingest::start(cluster.clone(), &config, &Threads::Here);
    let sealer = Arc::new(Sealer::new(&Secret::new("test")));
    let config = Arc::new(config);
    let service = Arc::new(FeedService::new(Deps {
        cluster: cluster.clone(),
        ingest: ingest.clone(),
        sealer: sealer.clone(),
        config: config.clone(),
        env: env.clone(),
    }));
    let api = Api::new(ApiDeps {
        feed: FeedWorkers::start(service, &[Threads::Here], config.coordinator.mailbox),
        env,
        config,
        cluster,
        ingest,
        sealer,
    });
    (Arc::new(api), world)
}
