//! What outlives a configuration of the feed: each is made over it, and begins with what the one before has learned.

use std::sync::Arc;

use covey_env::Env;
use covey_pipeline::EffectPool;

use crate::feed::runtime::{EnvTimer, TokioSpawner};
use crate::feed::shards::Shards;
use crate::hydrators::author::KnownAuthors;
use crate::ranking::ranker::Ranker;

/// Side effects under way at a time, of all feeds; those beyond are dropped and counted.
const SIDE_EFFECTS: usize = 256;

/// Shared by all configurations.
#[derive(Clone)]
pub(crate) struct Lasting {
    pub(crate) shards: Arc<dyn Shards>,
    /// The model that orders the feed.
    pub(crate) ranker: Option<Arc<dyn Ranker>>,
    pub(crate) authors: Arc<KnownAuthors>,
    pub(crate) effects: Arc<EffectPool>,
    pub(crate) timer: Arc<EnvTimer>,
}

impl Lasting {
    pub(crate) fn over(shards: Arc<dyn Shards>, env: &Env) -> Lasting {
        Lasting {
            shards,
            ranker: None,
            authors: Arc::default(),
            effects: Arc::new(EffectPool::new(SIDE_EFFECTS, Arc::new(TokioSpawner))),
            timer: Arc::new(EnvTimer(env.clock.clone())),
        }
    }
}
