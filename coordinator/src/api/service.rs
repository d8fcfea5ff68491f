//! The handlers of reads: the one place where a call is carried out, whichever way it came. Writes are in `writes.rs`.

use std::sync::Arc;
use std::time::Duration;

use covey_api::v1;
use covey_config::Config;
use covey_env::{Env, Monotonic};
use covey_shared::ids::{PostKey, ShardId, UnixMillis, UserId};
use covey_shared::session::SessionToken;
use covey_shared::slots::Slot;
use covey_shared::wire::PostView;
use tokio::sync::oneshot;

use crate::api::admission::{Admission, Admitted, Deadlines};
use crate::api::convert::{
    Facts, ItemFault, Limits, SearchFor, answer, counter_name, feed_request, post_message, read_key, search, status,
    within,
};
use crate::api::errors::ApiError;
use crate::api::statistics::Tally;
use crate::cluster::{Cluster, Gathered, ReadContext, ReadReport};
use crate::feed::{FeedWorkers, MOST_EXPLAINED};
use crate::ingest::Ingest;
use crate::request::RequestContext;
use crate::seal::Sealer;

/// What the API is made of.
pub(crate) struct ApiDeps {
    pub(crate) env: Env,
    pub(crate) config: Arc<Config>,
    pub(crate) cluster: Arc<Cluster>,
    pub(crate) ingest: Ingest,
    pub(crate) feed: FeedWorkers,
    pub(crate) sealer: Arc<Sealer>,
}

/// The API of one coordinator.
pub(crate) struct Api {
    pub(super) deps: ApiDeps,
    pub(super) limits: Limits,
    admission: Admission,
    deadlines: Deadlines,
    started: Monotonic,
    tally: Tally,
}

impl Api {
    pub(crate) fn new(deps: ApiDeps) -> Api {
        let coordinator = &deps.config.coordinator;
        Api {
            limits: Limits::new(&deps.config),
            admission: Admission::new(coordinator.max_in_flight),
            deadlines: Deadlines {
                default: coordinator.request_deadline,
                longest: coordinator.max_request_deadline,
            },
            started: deps.env.clock.monotonic(),
            tally: Tally::default(),
            deps,
        }
    }

    pub(crate) fn now(&self) -> Monotonic {
        self.deps.env.clock.monotonic()
    }

    pub(super) fn unix_now(&self) -> UnixMillis {
        UnixMillis(self.deps.env.clock.unix_ms())
    }

    pub(super) fn env(&self) -> &Env {
        &self.deps.env
    }

    pub(super) fn admit(&self) -> Option<Admitted> {
        self.admission.enter()
    }

    pub(super) fn in_flight(&self) -> usize {
        self.admission.in_flight()
    }

    pub(super) fn tally(&self) -> &Tally {
        &self.tally
    }

    pub(super) fn logged(&self) -> covey_eventlog::Totals {
        self.deps.ingest.logged()
    }

    pub(super) fn deadlines(&self) -> Deadlines {
        self.deadlines
    }

    pub(super) fn slow(&self) -> Duration {
        self.deps.config.telemetry.slow_request
    }

    /// Largest body of a request, in bytes.
    pub(super) fn max_body(&self) -> usize {
        self.deps.config.coordinator.max_body.as_usize()
    }

    /// Why the coordinator cannot serve; `None` when it can.
    pub(crate) fn not_ready(&self) -> Option<String> {
        let settings = self.deps.feed.service().in_service();
        // Who starts like this would serve by the file alone, while all others serve by what is set.
        if let (0, Some(problem)) = (settings.serving.settings.version.0, &settings.problem) {
            return Some(format!(
                "what operators have set does not fit this coordinator: {problem}"
            ));
        }
        if !self.deps.cluster.knows_settings() {
            return Some("no node has said yet what operators have set".to_owned());
        }
        let shards = self.deps.cluster.unreachable_shards();
        let names: Vec<String> = shards.iter().map(ToString::to_string).collect();
        (!names.is_empty()).then(|| format!("no replica of these shards has answered yet: {}", names.join(", ")))
    }

    /// Runs `job` on the compute pool: parsing and embedding a large batch would hold up the other requests of a thread.
    pub(super) async fn compute<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ApiError> {
        let (done, result) = oneshot::channel();
        let span = tracing::Span::current();
        let job = move || drop(done.send(span.in_scope(job)));
        self.deps.env.spawn.compute(Box::new(job));
        result.await.map_err(|_| ApiError::ShuttingDown)
    }

    /// The deadline of a request that may name its own in the message.
    pub(super) fn deadline(&self, context: &RequestContext, deadline_ms: u32) -> Monotonic {
        match deadline_ms {
            0 => context.deadline,
            ms => self
                .now()
                .plus(self.deadlines.time(Some(Duration::from_millis(ms.into())))),
        }
    }

    /// What a read must not be older than: what its client has seen, and if it is `strong`, all that anybody was acknowledged in these shards.
    async fn token(
        &self,
        sealed: &str,
        strong: Option<Vec<ShardId>>,
        deadline: Monotonic,
    ) -> Result<SessionToken, ApiError> {
        let mut token = self.deps.sealer.open_token(sealed)?;
        if let Some(shards) = strong {
            let fence = self.deps.cluster.fence(shards, deadline).await;
            token.merge(&fence.map_err(ApiError::NotConfirmed)?);
        }
        Ok(token)
    }

    /// Posts by key.
    pub(crate) async fn get_posts(
        &self,
        request: v1::GetPostsRequest,
        context: RequestContext,
    ) -> Result<v1::GetPostsReply, ApiError> {
        self.limits.batch(request.keys.len())?;
        let keys: Vec<Result<PostKey, ItemFault>> = request.keys.iter().map(read_key).collect();
        let mut wanted: Vec<PostKey> = keys.iter().flatten().copied().collect();
        wanted.sort_unstable();
        wanted.dedup();
        let strong = request.strong.then(|| self.deps.cluster.shards_of_posts(&wanted));
        let mut token = self.token(&request.session_token, strong, context.deadline).await?;
        let read = ReadContext::query(context.deadline, token.clone());
        let found = self
            .deps
            .cluster
            .get_posts(&wanted, request.with_vectors, &read)
            .await?;
        token.merge(&found.report.token);
        let results = keys.into_iter().enumerate();
        Ok(v1::GetPostsReply {
            results: results.map(|(index, key)| get_result(index, key, &found)).collect(),
            answer: Some(self.answer(&found.report, &context)),
            session_token: self.deps.sealer.seal_token(&token),
        })
    }

    /// Similar posts.
    ///
    /// 1. Find the query vector: the caller's, a text's, or a post's.
    /// 2. Ask all shards.
    /// 3. Fetch the posts, if asked for.
    pub(crate) async fn search(
        &self,
        request: v1::SearchRequest,
        context: RequestContext,
    ) -> Result<v1::SearchReply, ApiError> {
        let deadline = self.deadline(&context, request.deadline_ms);
        let (sealed, with_posts) = (request.session_token.clone(), request.with_posts);
        let strong = request.strong.then(|| self.deps.cluster.all_shards());
        let (wanted, mut ask) = search(request, &self.limits)?;
        let mut token = self.token(&sealed, strong, deadline).await?;
        let read = ReadContext::query(deadline, token.clone());
        ask.vectors = match wanted {
            SearchFor::Vector(vector) => vec![vector],
            SearchFor::Post(key) => {
                ask.filter.not_posts = vec![key.post];
                vec![self.vector_of(key, &read).await?]
            }
        };
        let found = self.deps.cluster.search(ask, &read).await?;
        let mut report = found.report;
        let posts = if with_posts {
            let keys: Vec<PostKey> = found.value.iter().map(|hit| hit.key).collect();
            // Hits without their posts are still an answer; what is missing shows.
            match self.deps.cluster.get_posts(&keys, false, &read).await {
                Ok(posts) => {
                    report.token.merge(&posts.report.token);
                    posts.value
                }
                Err(error) => {
                    tracing::warn!(%error, "the posts of the hits cannot be read");
                    Vec::new()
                }
            }
        } else {
            Vec::new()
        };
        token.merge(&report.token);
        let hits = found.value.iter().map(|hit| v1::SearchHit {
            post_id: hit.key.post.0,
            author_id: hit.key.author.0,
            score: hit.score.get(),
            post: find(&posts, hit.key).map(|view| post_message(&view.post)),
        });
        Ok(v1::SearchReply {
            hits: hits.collect(),
            answer: Some(self.answer(&report, &context)),
            session_token: self.deps.sealer.seal_token(&token),
        })
    }

    async fn vector_of(&self, key: PostKey, read: &ReadContext) -> Result<Vec<f32>, ApiError> {
        let post_id = key.post.0;
        let found = self.deps.cluster.get_posts(&[key], true, read).await?;
        let view = find(&found.value, key).ok_or(ApiError::PostNotFound { post_id })?;
        let vector = view.post.vector.to_f32();
        if vector.is_empty() {
            return Err(ApiError::NoVector { post_id });
        }
        Ok(vector)
    }

    /// A feed.
    pub(crate) async fn get_feed(
        &self,
        request: v1::GetFeedRequest,
        context: RequestContext,
    ) -> Result<v1::GetFeedReply, ApiError> {
        self.run_feed(request, context, false).await
    }

    /// What happened to posts: a dry run of the feed.
    pub(crate) async fn explain(
        &self,
        request: v1::ExplainRequest,
        context: RequestContext,
    ) -> Result<v1::ExplainReply, ApiError> {
        within("posts", request.posts.len(), MOST_EXPLAINED)?;
        let asked = request.posts.len();
        let feed = v1::GetFeedRequest {
            explain: true,
            explain_posts: request.posts,
            ..request.feed.unwrap_or_default()
        };
        let mut reply = self.run_feed(feed, context, true).await?;
        // The explanations of served posts come first, those asked for last.
        let first = reply.explanations.len().saturating_sub(asked);
        Ok(v1::ExplainReply {
            explanations: reply.explanations.split_off(first),
            stages: reply.stages,
            answer: reply.answer,
        })
    }

    async fn run_feed(
        &self,
        request: v1::GetFeedRequest,
        context: RequestContext,
        dry_run: bool,
    ) -> Result<v1::GetFeedReply, ApiError> {
        let context = RequestContext {
            deadline: self.deadline(&context, request.deadline_ms),
            ..context
        };
        let strong = request.strong.then(|| self.deps.cluster.all_shards());
        let token = self.token(&request.session_token, strong, context.deadline).await?;
        let mut request = feed_request(request, token, &self.limits)?;
        request.dry_run = dry_run;
        let left = context.deadline.left(self.now());
        let feed = tokio::time::timeout(left, self.deps.feed.feed(request, &context));
        let mut reply = feed.await.map_err(|_| ApiError::DeadlineExceeded)??;
        reply.answer.get_or_insert_default().trace_id = context.trace_id;
        Ok(reply)
    }

    /// State of the cluster.
    pub(crate) async fn status(
        &self,
        _: v1::StatusRequest,
        context: RequestContext,
    ) -> Result<v1::StatusReply, ApiError> {
        let cluster = &self.deps.cluster;
        let reports = cluster
            .status(&ReadContext::query(context.deadline, SessionToken::default()))
            .await;
        let facts = Facts {
            cluster: self.deps.config.cluster.name.clone(),
            map_version: cluster.map_version(),
            uptime_ms: u64::try_from(self.now().since(self.started).as_millis()).unwrap_or(u64::MAX),
            in_flight: self.admission.in_flight(),
            trace_id: context.trace_id,
        };
        Ok(status(&reports, &cluster.wanted_shards(), facts))
    }

    fn answer(&self, report: &ReadReport, context: &RequestContext) -> v1::Answer {
        answer(report, self.deps.cluster.map_version(), &context.trace_id)
    }
}

/// The view of `key` among `views`; with author 0, of the post wherever it is.
fn find(views: &[PostView], key: PostKey) -> Option<&PostView> {
    if key.author == UserId(0) {
        return views.iter().find(|view| view.post.key.post == key.post);
    }
    let at = views.binary_search_by_key(&key, |view| view.post.key).ok()?;
    Some(&views[at])
}

fn get_result(index: usize, key: Result<PostKey, ItemFault>, found: &Gathered<Vec<PostView>>) -> v1::GetPostResult {
    let result = |status: v1::GetStatus, message: String| v1::GetPostResult {
        index: index as u32,
        status: status as i32,
        message,
        ..v1::GetPostResult::default()
    };
    let key = match key {
        Ok(key) => key,
        Err(fault) => return result(v1::GetStatus::Invalid, fault.to_string()),
    };
    if let Some(view) = find(&found.value, key) {
        return v1::GetPostResult {
            post: Some(post_message(&view.post)),
            counters: counters(view),
            ..result(v1::GetStatus::Found, String::new())
        };
    }
    let holes = &found.report.holes;
    let unknown = match key.author {
        UserId(0) => holes.count() > 0,
        author => holes.contains(Slot::of(author)),
    };
    if unknown {
        let text = "a shard that may have the post did not answer; try again";
        return result(v1::GetStatus::Unavailable, text.into());
    }
    result(v1::GetStatus::NotFound, String::new())
}

fn counters(view: &PostView) -> std::collections::BTreeMap<String, u32> {
    let kinds = covey_shared::model::ActionKind::ALL.into_iter();
    let counted = kinds.map(|kind| (kind, view.counters.of(kind)));
    counted
        .filter(|(_, n)| *n > 0)
        .map(|(kind, n)| (counter_name(kind), n))
        .collect()
}
