//! The entry of the pipeline.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use covey_api::v1::GetFeedReply;
use covey_config::Config;
use covey_env::Env;
use covey_pipeline::{Outcome, PipelineError, Request, RequestId};
use covey_shared::ids::UnixMillis;
use parking_lot::Mutex;
use thiserror::Error;

use crate::cluster::Cluster;
use crate::feed::candidate::FeedCandidate;
use crate::feed::cursor::Cursor;
use crate::feed::ledger::Ledger;
use crate::feed::pipeline::{FeedPipeline, pipeline};
use crate::feed::query::{FeedQuery, Impressions, KnownIds};
use crate::feed::reply::{Page, reply};
use crate::feed::request::FeedRequest;
use crate::feed::reserve::{Asked, Reserves};
use crate::feed::runtime::EnvTimer;
use crate::feed::shards::{Live, Shards};
use crate::hydrators::viewer::before;
use crate::ingest::Ingest;
use crate::ranking::ranker::Ranker;
use crate::request::RequestContext;
use crate::seal::{SealError, Sealer};
use crate::side_effects::served_history::served_ids;

/// Time kept back for the reply itself.
const REPLY_MARGIN: Duration = Duration::from_millis(5);

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
    shards: Arc<dyn Shards>,
    pipeline: FeedPipeline,
    ranker: Option<Arc<dyn Ranker>>,
    reserves: Mutex<Reserves>,
    sealer: Arc<Sealer>,
    config: Arc<Config>,
    env: Env,
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
        FeedService {
            pipeline: pipeline(&shards, None, &config, EnvTimer(env.clock.clone())),
            ranker: None,
            reserves: Mutex::new(Reserves::new(coordinator.reserve_sessions, coordinator.reserve_ttl)),
            shards,
            sealer,
            config,
            env,
        }
    }

    /// The same, with a model that orders the feed.
    #[must_use]
    pub fn ranked_by(self, ranker: Arc<dyn Ranker>) -> FeedService {
        let timer = EnvTimer(self.env.clock.clone());
        FeedService {
            pipeline: pipeline(&self.shards, Some(&ranker), &self.config, timer),
            ranker: Some(ranker),
            ..self
        }
    }

    /// One feed.
    ///
    /// 1. Open the cursor: what the session was served.
    /// 2. A next page comes from the session's ranked reserve, if that is still here and fills the page.
    /// 3. Else everything runs: hydrate, find, filter, score, select, judge.
    /// 4. Keep the new reserve, seal the new cursor, say how complete the answer is.
    ///
    /// # Errors
    /// See [`FeedError`].
    pub async fn feed(&self, request: FeedRequest, context: &RequestContext) -> Result<GetFeedReply, FeedError> {
        let cursor = Cursor::open(&self.sealer, &request.cursor, request.viewer)?;
        let id = RequestId(self.env.entropy.next_u64() | 1);
        let deadline = context.deadline.0.saturating_sub(REPLY_MARGIN);
        let query = self.query(&request, &cursor);
        let run = |query: FeedQuery| Request {
            result_size: Some(request.limit),
            ..Request::new(query, id, deadline)
        };
        let resumed = match self.reserve(&request, &cursor) {
            Some(reserve) => {
                let query = FeedQuery {
                    resumed: true,
                    ..query.clone()
                };
                let outcome = self.pipeline.resume(run(query), reserve.to_vec()).await;
                // Nothing of it may be shown any more: start over.
                Some(outcome.map_err(unavailable)?).filter(|outcome| !outcome.selected.is_empty())
            }
            None => None,
        };
        let outcome = match resumed {
            Some(outcome) => outcome,
            None => self.pipeline.run(run(query)).await.map_err(unavailable)?,
        };
        let cursor = self.next_cursor(&request, &cursor, &outcome);
        let page = Page {
            request: &request,
            outcome: &outcome,
            account: outcome.query.ledger.account(),
            cursor,
            ranker: self.ranker.as_deref(),
            rules: &self.config.feed.rules.0,
            sealer: &self.sealer,
            map_version: self.shards.map_version(),
        };
        Ok(reply(&page))
    }

    fn query(&self, request: &FeedRequest, cursor: &Cursor) -> FeedQuery {
        let now = UnixMillis(self.env.clock.unix_ms());
        FeedQuery {
            viewer: request.viewer,
            now,
            oldest: self.config.feed.max_post_age.map(|age| before(now, age)),
            in_network_only: request.in_network_only,
            video_only: request.video_only,
            seen_ids: request.seen.clone(),
            served_ids: request.served.clone(),
            known: KnownIds {
                seen: request.seen.iter().copied().collect(),
                served: request.served.iter().copied().collect(),
                cursor: cursor.served.iter().copied().collect(),
            },
            client_blooms: request.blooms.clone(),
            record: !request.dry_run,
            first_page: request.cursor.is_empty(),
            resumed: false,
            token: request.token.clone(),
            ledger: Arc::new(Ledger::default()),
            state: None,
            features: None,
            sequence: Vec::new(),
            affinity: BTreeMap::new(),
            impressions: Impressions::default(),
            liked: Arc::default(),
        }
    }

    /// The reserve for this page, if it can fill it.
    fn reserve(&self, request: &FeedRequest, cursor: &Cursor) -> Option<Arc<Vec<FeedCandidate>>> {
        if !request.is_bottom_request || cursor.reserve == 0 {
            return None;
        }
        let now = self.env.clock.monotonic().0;
        let reserve = self.reserves.lock().get(cursor.reserve, asked(request), now)?;
        (reserve.len() >= request.limit).then_some(reserve)
    }

    /// The cursor of the next page; `None` = there is none.
    fn next_cursor(&self, request: &FeedRequest, cursor: &Cursor, outcome: &FeedOutcome) -> Option<Cursor> {
        if outcome.selected.is_empty() {
            return None;
        }
        let mut key = 0;
        if !request.dry_run && !outcome.reserve.is_empty() {
            key = self.env.entropy.next_u64() | 1;
            let now = self.env.clock.monotonic().0;
            self.reserves.lock().put(key, asked(request), &outcome.reserve, now);
        }
        Some(cursor.next(key, served_ids(&outcome.selected), self.config.feed.cursor_ids))
    }
}

fn asked(request: &FeedRequest) -> Asked {
    Asked {
        viewer: request.viewer,
        in_network_only: request.in_network_only,
        video_only: request.video_only,
    }
}

fn unavailable(error: PipelineError) -> FeedError {
    match error {
        PipelineError::Unavailable {
            component,
            retry_after,
            source,
            ..
        } => {
            tracing::warn!(
                component,
                error = &source as &dyn std::error::Error,
                "no feed without it"
            );
            FeedError::Unavailable {
                component: component.to_owned(),
                retry_after_ms: u32::try_from(retry_after.as_millis()).unwrap_or(u32::MAX),
            }
        }
        PipelineError::DeadlineExceeded => FeedError::DeadlineExceeded,
    }
}

#[cfg(test)]
#[path = "failures_test.rs"]
mod failures;
#[cfg(test)]
#[path = "ranked_test.rs"]
mod ranked;
#[cfg(test)]
#[path = "service_test.rs"]
mod tests;
