//! One configuration of the feed in service. Settings that change take the next one into service as a whole: a request ends with what it began
//! with.

use std::sync::Arc;

use covey_config::Config;
use covey_env::Env;
use covey_shared::settings::Settings;

use crate::feed::pipeline::{FeedPipeline, assemble, components};
use crate::feed::runtime::EnvTimer;
use crate::feed::shards::Shards;
use crate::feed::{following, probe};
use crate::ranking::l1::L1;
use crate::ranking::ranker::Ranker;

/// What is served by, and why it is nothing newer.
pub(crate) struct InService {
    pub(crate) serving: Arc<Serving>,
    /// What operators have set, as far as it is known here.
    pub(crate) newest: Arc<Settings>,
    /// Why that is not in service.
    pub(crate) problem: Option<String>,
}

/// What a request runs through.
pub(crate) struct Serving {
    /// What operators have set.
    pub(crate) settings: Arc<Settings>,
    /// The file with that over it.
    pub(crate) config: Config,
    pub(crate) ranker: Option<Arc<dyn Ranker>>,
    pub(crate) pipeline: FeedPipeline,
    pub(crate) following: FeedPipeline,
    /// For explanations.
    pub(crate) probing: FeedPipeline,
    pub(crate) l1: L1,
}

impl Serving {
    pub(crate) fn new(
        settings: Arc<Settings>,
        config: Config,
        shards: &Arc<dyn Shards>,
        ranker: Option<Arc<dyn Ranker>>,
        env: &Env,
    ) -> Arc<Serving> {
        let timer = || EnvTimer(env.clock.clone());
        Arc::new(Serving {
            pipeline: assemble(components(shards, ranker.as_ref(), &config), &config, timer()),
            following: assemble(following::components(shards, &config), &config, timer()),
            probing: assemble(probe::components(shards, &config), &config, timer()),
            l1: L1 {
                weights: config.feed.l1.clone(),
                metric: config.embedding.metric,
            },
            settings,
            config,
            ranker,
        })
    }
}
