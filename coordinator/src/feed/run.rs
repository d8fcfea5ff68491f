//! One request for a feed on its way: from the cursor through the pipeline to the reply.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use covey_api::v1::GetFeedReply;
use covey_pipeline::{PipelineError, Request, RequestId};
use covey_shared::ids::{PostId, UnixMillis};

use crate::feed::candidate::FeedCandidate;
use crate::feed::cursor::Cursor;
use crate::feed::following::{self, Session};
use crate::feed::ledger::Ledger;
use crate::feed::pipeline::RETRY_AFTER;
use crate::feed::probe::{self, Probes};
use crate::feed::query::{FeedQuery, Impressions, KnownIds};
use crate::feed::reply::{Page, reply};
use crate::feed::request::{FeedKind, FeedRequest};
use crate::feed::reserve::Asked;
use crate::feed::service::{FeedError, FeedOutcome, FeedService};
use crate::feed::serving::Serving;
use crate::hydrators::viewer::before;
use crate::request::RequestContext;
use crate::side_effects::served_history::served_ids;

/// Time kept back for the reply itself.
const REPLY_MARGIN: Duration = Duration::from_millis(5);

/// A request, and what it began with.
pub(crate) struct Run<'a> {
    pub(crate) service: &'a FeedService,
    pub(crate) serving: Arc<Serving>,
    pub(crate) request: &'a FeedRequest,
    pub(crate) context: &'a RequestContext,
}

impl Run<'_> {
    /// The part of the list that comes next, or came since. No page is taken from what an earlier one left: that is read again.
    pub(crate) async fn following(&self) -> Result<GetFeedReply, FeedError> {
        let (request, sealer) = (self.request, &self.service.sealer);
        let session = Session::open(sealer, &request.cursor, request.viewer)?;
        let section = following::section(session.as_ref(), request);
        let query = FeedQuery {
            following: Some(section),
            ..self.query(BTreeSet::new())
        };
        let run = self.serving.following.run(self.asked_of_pipeline(query));
        let mut outcome = run.await.map_err(unavailable)?;
        let session = following::advance(session, section, &outcome);
        if session.is_none() && !outcome.query.ledger.account().report.is_whole() {
            // Without a cursor it would look like the end of the list.
            return Err(FeedError::Unavailable {
                component: "Following".to_owned(),
                retry_after_ms: RETRY_AFTER.as_millis() as u32,
            });
        }
        let cursor = session.map(|session| session.seal(sealer)).unwrap_or_default();
        self.serving.following.start_side_effects(&mut outcome);
        Ok(self.reply(&outcome, &Probes::default(), cursor))
    }

    /// 1. Open the cursor: what the session was served.
    /// 2. A next page comes from the session's ranked reserve, if that is still here and fills the page.
    /// 3. Else everything runs: hydrate, find, filter, score, select, judge.
    /// 4. Keep the new reserve, seal the new cursor, say how complete the answer is.
    pub(crate) async fn for_you(&self) -> Result<GetFeedReply, FeedError> {
        let (request, sealer) = (self.request, &self.service.sealer);
        let pipeline = &self.serving.pipeline;
        let cursor = Cursor::open(sealer, &request.cursor, request.viewer)?;
        let query = self.query(cursor.served.iter().copied().collect());
        let run = self.asked_of_pipeline(query);
        let resumed = match self.reserve(&cursor) {
            Some(reserve) => {
                let mut run = run.clone();
                run.query.resumed = true;
                let outcome = pipeline.resume(run, reserve.to_vec()).await;
                Some(outcome.map_err(unavailable)?)
            }
            None => None,
        };
        let mut outcome = match resumed {
            Some(outcome) if outcome.selected.len() >= request.limit => outcome,
            // Too little of it may be shown: start over. A short page is still better than none.
            short => match (pipeline.run(run).await, short) {
                (Ok(outcome), _) => outcome,
                (Err(_), Some(short)) if !short.selected.is_empty() => short,
                (Err(error), _) => return Err(unavailable(error)),
            },
        };
        pipeline.start_side_effects(&mut outcome);
        let cursor = self.next_cursor(&cursor, &outcome);
        let cursor = cursor.map(|cursor| cursor.seal(sealer)).unwrap_or_default();
        let probes = self.probes(&outcome).await;
        Ok(self.reply(&outcome, &probes, cursor))
    }

    fn asked_of_pipeline(&self, query: FeedQuery) -> Request<FeedQuery, PostId> {
        let id = RequestId(self.service.env.entropy.next_u64() | 1);
        let deadline = self.context.deadline.0.saturating_sub(REPLY_MARGIN);
        Request {
            result_size: Some(self.request.limit),
            ..Request::new(query, id, deadline)
        }
    }

    /// Looks at what is to be explained and was not found.
    async fn probes(&self, outcome: &FeedOutcome) -> Probes {
        let asked = if self.request.explain {
            &*self.request.explain_posts
        } else {
            &[]
        };
        let Some(query) = probe::query(outcome, asked) else {
            return Probes::default();
        };
        let mut run = self.asked_of_pipeline(query);
        run.result_size = Some(probe::MOST);
        // The feed is there, and has been recorded: no look at other posts may cost it.
        let now = self.service.env.clock.monotonic().0;
        run.deadline = now + run.deadline.saturating_sub(now) / 2;
        Probes::of(self.serving.probing.run(run).await)
    }

    fn reply(&self, outcome: &FeedOutcome, probes: &Probes, cursor: String) -> GetFeedReply {
        let (service, serving, request) = (self.service, &self.serving, self.request);
        let ranked = request.kind == FeedKind::ForYou;
        reply(&Page {
            request,
            outcome,
            account: outcome.query.ledger.account(),
            cursor,
            ranker: service.lasting.ranker.as_deref().filter(|_| ranked),
            probes,
            config: &serving.config.feed,
            rules: if ranked { &serving.config.feed.rules.0 } else { &[] },
            sealer: &service.sealer,
            map_version: service.lasting.shards.map_version(),
            config_version: serving.settings.version,
        })
    }

    /// `cursor`: what the session was served.
    fn query(&self, cursor: BTreeSet<PostId>) -> FeedQuery {
        let request = self.request;
        let now = UnixMillis(self.service.env.clock.unix_ms());
        FeedQuery {
            viewer: request.viewer,
            asked: Vec::new(),
            config: self.serving.settings.version,
            now,
            oldest: self.serving.config.feed.max_post_age.map(|age| before(now, age)),
            client_language: request.language,
            client_country: request.country,
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
            lists: Arc::default(),
        }
    }

    /// The reserve for this page, if it can fill it.
    fn reserve(&self, cursor: &Cursor) -> Option<Arc<Vec<FeedCandidate>>> {
        if !self.request.is_bottom_request || cursor.reserve == 0 {
            return None;
        }
        let now = self.service.env.clock.monotonic().0;
        let reserve = self.service.reserves.lock().get(cursor.reserve, self.asked(), now)?;
        (reserve.len() >= self.request.limit).then_some(reserve)
    }

    /// The cursor of the next page; `None` = there is none.
    fn next_cursor(&self, cursor: &Cursor, outcome: &FeedOutcome) -> Option<Cursor> {
        let service = self.service;
        if outcome.selected.is_empty() {
            return None;
        }
        let mut key = 0;
        if !self.request.dry_run && !outcome.reserve.is_empty() {
            key = service.env.entropy.next_u64() | 1;
            let now = service.env.clock.monotonic().0;
            let mut reserves = service.reserves.lock();
            reserves.put(key, self.asked(), &outcome.reserve, now);
        }
        Some(cursor.next(key, served_ids(&outcome.selected), self.serving.config.feed.cursor_ids))
    }

    fn asked(&self) -> Asked {
        Asked {
            viewer: self.request.viewer,
            in_network_only: self.request.in_network_only,
            video_only: self.request.video_only,
            language: self.request.language,
            country: self.request.country,
            config: self.serving.settings.version,
        }
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
