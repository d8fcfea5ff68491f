//! The seam between the pipeline and the cluster: the reads that a feed makes, and what it writes. Tests
//! of the pipeline's rules answer in its place.

use std::sync::Arc;

use covey_env::Monotonic;
use covey_eventlog::ServedRow;
use covey_shared::command::Served;
use covey_shared::ids::{PostKey, UnixMillis, UserId};
use covey_shared::score::Hit;
use covey_shared::wire::{AuthorInfo, Candidate, PostView, TextMatch, Verdict, ViewerState};
use futures::future::BoxFuture;
use thiserror::Error;

use crate::cluster::{
    Cluster, Gathered, InNetworkAsk, ListsAsk, ReadContext, ReadError, ReadReport, SearchAsk, VerdictAsk,
};
use crate::ingest::Ingest;

/// A read that nobody answered, and what it would have covered.
#[derive(Debug, Error)]
#[error("no shard answered")]
pub(crate) struct Unanswered {
    #[source]
    pub(crate) error: ReadError,
    pub(crate) report: ReadReport,
}

impl Unanswered {
    /// Why, for the list of what is degraded.
    pub(crate) fn reason(&self) -> &'static str {
        match &self.error {
            ReadError::NoAnswer { .. } => "no_answer",
            ReadError::Invalid(_) => "invalid_request",
        }
    }
}

/// A read under way.
pub(crate) type Reading<'a, T> = BoxFuture<'a, Result<Gathered<T>, Unanswered>>;

/// The shards, as the pipeline asks them. See the methods of [`Cluster`] with the same names.
pub(crate) trait Shards: Send + Sync + 'static {
    fn viewer<'a>(&'a self, ask: ViewerAsk, context: &'a ReadContext) -> Reading<'a, ViewerState>;
    fn in_network<'a>(&'a self, ask: InNetworkAsk, context: &'a ReadContext) -> Reading<'a, Vec<Candidate>>;
    fn lists<'a>(&'a self, ask: ListsAsk, context: &'a ReadContext) -> Reading<'a, Vec<Vec<Candidate>>>;
    fn search<'a>(&'a self, ask: SearchAsk, context: &'a ReadContext) -> Reading<'a, Vec<Hit>>;
    /// Posts with their vectors.
    fn vectors<'a>(&'a self, keys: Vec<PostKey>, context: &'a ReadContext) -> Reading<'a, Vec<PostView>>;
    fn candidates<'a>(&'a self, keys: Vec<PostKey>, context: &'a ReadContext) -> Reading<'a, Vec<Candidate>>;
    fn verdicts<'a>(&'a self, ask: VerdictAsk, context: &'a ReadContext) -> Reading<'a, Vec<Verdict>>;
    /// Which of these posts hold one of some phrases.
    fn match_texts<'a>(
        &'a self,
        keys: Vec<PostKey>,
        phrases: &'a [String],
        context: &'a ReadContext,
    ) -> Reading<'a, Vec<TextMatch>>;
    fn authors<'a>(&'a self, users: Vec<UserId>, context: &'a ReadContext) -> Reading<'a, Vec<AuthorInfo>>;
    fn map_version(&self) -> u64;
    /// Best effort; false when it is shed.
    fn record_served(&self, served: Served, deadline: Monotonic) -> bool;
    /// For the event log; never waits.
    fn log_served(&self, rows: Vec<ServedRow>);
}

/// Whose state, and how much of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ViewerAsk {
    pub(crate) viewer: UserId,
    pub(crate) max_actions: u32,
    pub(crate) served_since: UnixMillis,
}

/// The real cluster.
pub(crate) struct Live {
    pub(crate) cluster: Arc<Cluster>,
    pub(crate) ingest: Ingest,
}

impl Live {
    /// Runs a read; `users` = those whose shards are asked, `None` = all shards.
    fn read<'a, T: 'a>(
        &'a self,
        users: Option<Vec<UserId>>,
        read: impl Future<Output = Result<Gathered<T>, ReadError>> + Send + 'a,
    ) -> Reading<'a, T> {
        Box::pin(async move {
            read.await.map_err(|error| Unanswered {
                error,
                report: self.cluster.unanswered(users.as_deref()),
            })
        })
    }
}

impl Shards for Live {
    fn viewer<'a>(&'a self, ask: ViewerAsk, context: &'a ReadContext) -> Reading<'a, ViewerState> {
        let read = self
            .cluster
            .viewer(ask.viewer, ask.max_actions, ask.served_since, context);
        self.read(Some(vec![ask.viewer]), read)
    }

    fn in_network<'a>(&'a self, ask: InNetworkAsk, context: &'a ReadContext) -> Reading<'a, Vec<Candidate>> {
        self.read(Some(ask.authors.clone()), self.cluster.in_network(ask, context))
    }

    fn lists<'a>(&'a self, ask: ListsAsk, context: &'a ReadContext) -> Reading<'a, Vec<Vec<Candidate>>> {
        self.read(None, self.cluster.lists(ask, context))
    }

    fn search<'a>(&'a self, ask: SearchAsk, context: &'a ReadContext) -> Reading<'a, Vec<Hit>> {
        self.read(None, self.cluster.search(ask, context))
    }

    fn vectors<'a>(&'a self, keys: Vec<PostKey>, context: &'a ReadContext) -> Reading<'a, Vec<PostView>> {
        let authors = keys.iter().map(|key| key.author).collect();
        let read = async move { self.cluster.get_posts(&keys, true, context).await };
        self.read(Some(authors), read)
    }

    fn candidates<'a>(&'a self, keys: Vec<PostKey>, context: &'a ReadContext) -> Reading<'a, Vec<Candidate>> {
        let authors = keys.iter().map(|key| key.author).collect();
        let read = async move { self.cluster.candidates(&keys, context).await };
        self.read(Some(authors), read)
    }

    fn verdicts<'a>(&'a self, ask: VerdictAsk, context: &'a ReadContext) -> Reading<'a, Vec<Verdict>> {
        let authors = ask.keys.iter().map(|key| key.author).collect();
        self.read(Some(authors), self.cluster.verdicts(ask, context))
    }

    fn match_texts<'a>(
        &'a self,
        keys: Vec<PostKey>,
        phrases: &'a [String],
        context: &'a ReadContext,
    ) -> Reading<'a, Vec<TextMatch>> {
        let authors = keys.iter().map(|key| key.author).collect();
        let read = async move { self.cluster.match_texts(&keys, phrases, context).await };
        self.read(Some(authors), read)
    }

    fn authors<'a>(&'a self, users: Vec<UserId>, context: &'a ReadContext) -> Reading<'a, Vec<AuthorInfo>> {
        let asked = users.clone();
        let read = async move { self.cluster.authors(&users, context).await };
        self.read(Some(asked), read)
    }

    fn map_version(&self) -> u64 {
        self.cluster.map_version()
    }

    fn record_served(&self, served: Served, deadline: Monotonic) -> bool {
        self.ingest.record_served(vec![served], deadline)
    }

    fn log_served(&self, rows: Vec<ServedRow>) {
        self.ingest.log_served(rows);
    }
}
