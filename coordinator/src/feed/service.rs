//! The entry of the pipeline.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use covey_api::v1::GetFeedReply;
use covey_config::Config;
use covey_env::Env;
use covey_pipeline::{Outcome, PipelineError, Request, RequestId};
use covey_shared::ids::{PostId, UnixMillis};
use parking_lot::Mutex;
use thiserror::Error;

use crate::cluster::Cluster;
use crate::feed::candidate::FeedCandidate;
use crate::feed::cursor::Cursor;
use crate::feed::following::{self, Session};
use crate::feed::ledger::Ledger;
use crate::feed::pipeline::{FeedPipeline, RETRY_AFTER, assemble, components};
use crate::feed::query::{FeedQuery, Impressions, KnownIds};
use crate::feed::reply::{Page, reply};
use crate::feed::request::{FeedKind, FeedRequest};
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
    following: FeedPipeline,
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
        let timer = || EnvTimer(env.clock.clone());
        FeedService {
            pipeline: assemble(components(&shards, None, &config), &config, timer()),
            following: assemble(following::components(&shards, &config), &config, timer()),
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
        let components = components(&self.shards, Some(&ranker), &self.config);
        FeedService {
            pipeline: assemble(components, &self.config, EnvTimer(self.env.clock.clone())),
            ranker: Some(ranker),
            ..self
        }
    }

    /// One feed.
    ///
    /// # Errors
    /// See [`FeedError`].
    pub async fn feed(&self, request: FeedRequest, context: &RequestContext) -> Result<GetFeedReply, FeedError> {
        match request.kind {
            FeedKind::ForYou => self.for_you(&request, context).await,
            FeedKind::Following => self.following(&request, context).await,
        }
    }

    /// The part of the list that comes next, or came since. No page is taken from what an earlier one left: that is read again.
    async fn following(&self, request: &FeedRequest, context: &RequestContext) -> Result<GetFeedReply, FeedError> {
        let session = Session::open(&self.sealer, &request.cursor, request.viewer)?;
        let section = following::section(session.as_ref(), request);
        let query = FeedQuery {
            following: Some(section),
            ..self.query(request, BTreeSet::new())
        };
        let run = self.following.run(self.run(query, request, context));
        let outcome = run.await.map_err(unavailable)?;
        let session = following::advance(session, section, &outcome);
        if session.is_none() && !outcome.query.ledger.account().report.is_whole() {
            // Without a cursor it would look like the end of the list.
            return Err(FeedError::Unavailable {
                component: "Following".to_owned(),
                retry_after_ms: RETRY_AFTER.as_millis() as u32,
            });
        }
        let cursor = session.map(|session| session.seal(&self.sealer)).unwrap_or_default();
        Ok(self.reply(request, &outcome, cursor))
    }

    /// 1. Open the cursor: what the session was served.
    /// 2. A next page comes from the session's ranked reserve, if that is still here and fills the page.
    /// 3. Else everything runs: hydrate, find, filter, score, select, judge.
    /// 4. Keep the new reserve, seal the new cursor, say how complete the answer is.
    async fn for_you(&self, request: &FeedRequest, context: &RequestContext) -> Result<GetFeedReply, FeedError> {
        let cursor = Cursor::open(&self.sealer, &request.cursor, request.viewer)?;
        let query = self.query(request, cursor.served.iter().copied().collect());
        let run = self.run(query, request, context);
        let resumed = match self.reserve(request, &cursor) {
            Some(reserve) => {
                let mut run = run.clone();
                run.query.resumed = true;
                run.at_least = request.limit;
                let outcome = self.pipeline.resume(run, reserve.to_vec()).await;
                Some(outcome.map_err(unavailable)?)
            }
            None => None,
        };
        let outcome = match resumed {
            Some(outcome) if outcome.selected.len() >= request.limit => outcome,
            // Too little of it may be shown: start over. A short page, of which nothing was recorded, is still better than none.
            short => match (self.pipeline.run(run).await, short) {
                (Ok(outcome), _) => outcome,
                (Err(_), Some(short)) if !short.selected.is_empty() => short,
                (Err(error), _) => return Err(unavailable(error)),
            },
        };
        let cursor = self.next_cursor(request, &cursor, &outcome);
        let cursor = cursor.map(|cursor| cursor.seal(&self.sealer)).unwrap_or_default();
        Ok(self.reply(request, &outcome, cursor))
    }

    fn run(&self, query: FeedQuery, request: &FeedRequest, context: &RequestContext) -> Request<FeedQuery, PostId> {
        let id = RequestId(self.env.entropy.next_u64() | 1);
        let deadline = context.deadline.0.saturating_sub(REPLY_MARGIN);
        Request {
            result_size: Some(request.limit),
            ..Request::new(query, id, deadline)
        }
    }

    fn reply(&self, request: &FeedRequest, outcome: &FeedOutcome, cursor: String) -> GetFeedReply {
        let ranked = request.kind == FeedKind::ForYou;
        reply(&Page {
            request,
            outcome,
            account: outcome.query.ledger.account(),
            cursor,
            ranker: self.ranker.as_deref().filter(|_| ranked),
            rules: if ranked { &self.config.feed.rules.0 } else { &[] },
            sealer: &self.sealer,
            map_version: self.shards.map_version(),
        })
    }

    /// `cursor`: what the session was served.
    fn query(&self, request: &FeedRequest, cursor: BTreeSet<PostId>) -> FeedQuery {
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
                cursor,
            },
            client_blooms: request.blooms.clone(),
            record: !request.dry_run,
            following: None,
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
#[path = "resume_test.rs"]
mod resume;
#[cfg(test)]
#[path = "service_test.rs"]
mod tests;
