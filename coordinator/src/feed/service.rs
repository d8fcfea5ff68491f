//! The entry of the pipeline.

use std::sync::Arc;

use arc_swap::ArcSwap;
use covey_api::v1::GetFeedReply;
use covey_config::Config;
use covey_env::Env;
use covey_pipeline::Outcome;
use covey_shared::settings::Settings;
use parking_lot::Mutex;
use thiserror::Error;

use crate::cluster::Cluster;
use crate::feed::candidate::FeedCandidate;
use crate::feed::lasting::Lasting;
use crate::feed::query::FeedQuery;
use crate::feed::request::{FeedKind, FeedRequest};
use crate::feed::reserve::Reserves;
use crate::feed::run::Run;
use crate::feed::serving::{InService, Serving};
use crate::feed::shards::{Live, Shards};
use crate::ingest::Ingest;
use crate::ranking::ranker::Ranker;
use crate::request::RequestContext;
use crate::seal::{SealError, Sealer};

/// What the pipeline is made of.
#[derive(Clone)]
pub struct Deps {
    /// Reads.
    pub cluster: Arc<Cluster>,
    /// Writes of what was served.
    pub ingest: Ingest,
    /// Signs cursors.
    pub sealer: Arc<Sealer>,
    /// `[feed]`, `[limits]`, `[embedding]`.
    pub config: Arc<Config>,
    /// Clock, randomness, compute pool.
    pub env: Env,
}

/// Why there is no feed.
#[derive(Debug, Error)]
pub enum FeedError {
    /// The cursor is not one that was handed out to this viewer.
    #[error("the cursor is not valid")]
    Cursor(#[from] SealError),
    /// A required component failed on all replicas.
    #[error("{component} is not available")]
    Unavailable {
        /// Which.
        component: String,
        /// Milliseconds to wait before a retry.
        retry_after_ms: u32,
    },
    /// The time was used up before there was anything to show.
    #[error("the deadline passed before there was a feed")]
    DeadlineExceeded,
}

pub(crate) type FeedOutcome = Outcome<FeedQuery, FeedCandidate>;

/// Serves feeds. One per process, shared by all feed actors.
pub struct FeedService {
    pub(crate) lasting: Lasting,
    /// A request takes it once.
    now: ArcSwap<InService>,
    /// One change of it at a time.
    change: Mutex<()>,
    pub(crate) reserves: Mutex<Reserves>,
    pub(crate) sealer: Arc<Sealer>,
    /// Without settings.
    config: Arc<Config>,
    pub(crate) env: Env,
}

impl FeedService {
    /// Builds the pipeline.
    pub fn new(deps: Deps) -> FeedService {
        let Deps {
            cluster,
            ingest,
            sealer,
            config,
            env,
        } = deps;
        FeedService::over(Arc::new(Live { cluster, ingest }), sealer, config, env)
    }

    pub(crate) fn over(shards: Arc<dyn Shards>, sealer: Arc<Sealer>, config: Arc<Config>, env: Env) -> FeedService {
        let coordinator = &config.coordinator;
        let lasting = Lasting::over(shards, &env);
        let first = Serving::new(Arc::default(), Config::clone(&config), &lasting);
        FeedService {
            now: ArcSwap::from_pointee(InService {
                newest: first.settings.clone(),
                serving: first,
                problem: None,
            }),
            change: Mutex::default(),
            reserves: Mutex::new(Reserves::new(coordinator.reserve_sessions, coordinator.reserve_ttl)),
            lasting,
            sealer,
            config,
            env,
        }
    }

    /// The same, with a model that orders the feed.
    #[must_use]
    pub fn ranked_by(mut self, ranker: Arc<dyn Ranker>) -> FeedService {
        self.lasting.ranker = Some(ranker);
        let now = self.serving();
        self.replace(Serving::new(now.settings.clone(), now.config.clone(), &self.lasting));
        self
    }

    /// Takes settings into service if they are newer; requests under way end with those that they began with. Settings that do not fit this
    /// coordinator's file, or its release, leave everything as it is.
    pub fn learn(&self, settings: &Arc<Settings>) {
        let _one = self.change.lock();
        let (now, version) = (self.now.load_full(), settings.version);
        if version <= now.newest.version {
            return;
        }
        match self.config.with(settings) {
            Ok(config) => {
                tracing::info!(version = version.0, set = ?settings.values, "settings are in service");
                self.replace(Serving::new(settings.clone(), config, &self.lasting));
            }
            Err(error) => {
                tracing::error!(version = version.0, %error, "settings cannot be used; those before stay in service");
                self.now.store(Arc::new(InService {
                    serving: now.serving.clone(),
                    newest: settings.clone(),
                    problem: Some(error.to_string()),
                }));
            }
        }
    }

    /// What is in service, and why newer settings are not.
    pub(crate) fn in_service(&self) -> Arc<InService> {
        self.now.load_full()
    }

    fn serving(&self) -> Arc<Serving> {
        self.now.load().serving.clone()
    }

    fn replace(&self, serving: Arc<Serving>) {
        self.now.store(Arc::new(InService {
            newest: serving.settings.clone(),
            serving,
            problem: None,
        }));
    }

    /// Has For You go through another list.
    #[cfg(test)]
    pub(crate) fn run_through(&self, pipeline: crate::feed::pipeline::FeedPipeline) {
        let now = self.serving();
        let fresh = Serving::new(now.settings.clone(), now.config.clone(), &self.lasting);
        let fresh = Arc::into_inner(fresh).map(|fresh| Serving { pipeline, ..fresh });
        self.replace(Arc::new(fresh.expect("nobody else has it")));
    }

    /// One feed.
    ///
    /// # Errors
    /// See [`FeedError`].
    pub async fn feed(&self, request: FeedRequest, context: &RequestContext) -> Result<GetFeedReply, FeedError> {
        let run = Run {
            service: self,
            serving: self.serving(),
            request: &request,
            context,
        };
        match request.kind {
            FeedKind::ForYou => run.for_you().await,
            FeedKind::Following => run.following().await,
        }
    }
}

#[cfg(test)]
#[path = "failures_test.rs"]
mod failures;
#[cfg(test)]
#[path = "history_test.rs"]
mod history;
#[cfg(test)]
#[path = "ranked_test.rs"]
mod ranked;
#[cfg(test)]
#[path = "resume_test.rs"]
mod resume;
#[cfg(test)]
#[path = "serving_test.rs"]
mod serving;
#[cfg(test)]
#[path = "service_test.rs"]
mod tests;
