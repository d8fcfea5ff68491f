//! Sources: the channels that are lists which the shards keep ranked. What they ask for is read for all of them at once.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use covey_config::FeedConfig;
use covey_pipeline::{Reply, RunContext, Source};
use covey_shared::wire::{Candidate, CandidateFlags, RankedBy};
use tokio::sync::OnceCell;

use crate::cluster::{Gathered, ListsAsk};
use crate::feed::candidate::{Channel, FeedCandidate};
use crate::feed::query::FeedQuery;
use crate::feed::shards::{Shards, Unanswered};

/// Channels that are lists.
const LISTS: usize = 3;
/// Newest posts read per post wanted, so that there are enough of small authors among them.
const READ_PER_POST: usize = 3;

/// What a channel takes of what was read for it, best first: at most so many.
type Arrange = fn(Vec<Candidate>, usize) -> Vec<Candidate>;

/// A channel's list.
#[derive(Clone, Copy)]
struct List {
    channel: Channel,
    enabled: bool,
    timeout: Duration,
    by: RankedBy,
    /// Posts to read.
    read: usize,
    /// Posts in the channel.
    posts: usize,
    arrange: Arrange,
}

/// The lists, in the order of their channels.
fn lists(feed: &FeedConfig) -> [List; LISTS] {
    let (popular, new, active) = (&feed.popular, &feed.new, &feed.active);
    [
        List {
            channel: Channel::Popular,
            enabled: popular.enabled,
            timeout: popular.timeout,
            by: RankedBy::Popularity,
            read: popular.max_posts,
            posts: popular.max_posts,
            arrange: as_read,
        },
        List {
            channel: Channel::New,
            enabled: new.enabled,
            timeout: new.timeout,
            by: RankedBy::Newest,
            read: new.max_posts * READ_PER_POST,
            posts: new.max_posts,
            arrange: small_authors_first,
        },
        List {
            channel: Channel::Active,
            enabled: active.enabled,
            timeout: active.timeout,
            by: RankedBy::Activity,
            read: active.max_posts,
            posts: active.max_posts,
            arrange: as_read,
        },
    ]
}

/// The sources of all list channels.
pub(crate) fn list_sources(shards: &Arc<dyn Shards>, feed: &FeedConfig) -> [ListSource; LISTS] {
    let lists = lists(feed);
    lists.map(|list| {
        let same_time = |other: &&List| other.timeout == list.timeout;
        let together = lists.iter().filter(same_time).filter(|other| other.enabled);
        ListSource {
            shards: Arc::clone(shards),
            list,
            together: together.copied().collect(),
            read: lists.iter().position(|other| same_time(&other)).unwrap_or_default(),
        }
    })
}

/// What one read brought each channel, or why nothing came.
type Brought = Result<Gathered<BTreeMap<Channel, Vec<Candidate>>>, Arc<Unanswered>>;

/// The reads of one request: each made by the first source that wants it, for all with the same time-out.
#[derive(Debug, Default)]
pub(crate) struct ListReads([OnceCell<Brought>; LISTS]);

/// A channel that is a list which the shards keep up to date. A post's sum decays with time.
pub(crate) struct ListSource {
    shards: Arc<dyn Shards>,
    list: List,
    /// The lists of all channels that are switched on and have the same time-out. They share one read: with another time, what came by
    /// then would not be what a read of their own brings.
    together: Vec<List>,
    /// Which of a request's reads is theirs.
    read: usize,
}

impl Source<FeedQuery, FeedCandidate> for ListSource {
    fn name(&self) -> &'static str {
        self.list.channel.as_str()
    }

    fn enable(&self, query: &FeedQuery) -> bool {
        self.list.enabled && !query.in_network_only
    }

    fn budget(&self) -> Duration {
        self.list.timeout
    }

    fn find<'a>(&'a self, run: &'a RunContext, query: &'a FeedQuery) -> Reply<'a, Vec<FeedCandidate>> {
        Box::pin(async move {
            let List { channel, posts, .. } = self.list;
            let brought = query.lists.0[self.read].get_or_init(|| self.read(run, query)).await;
            let lists = query.ledger.take_shared(channel.as_str(), brought)?;
            let found = lists.get(&channel).cloned().unwrap_or_default();
            Ok(FeedCandidate::ranked((self.list.arrange)(found, posts), channel))
        })
    }
}

impl ListSource {
    /// Reads all lists that are read together. What it costs is told as the cost of this channel.
    async fn read(&self, run: &RunContext, query: &FeedQuery) -> Brought {
        let channels = || self.together.iter().map(|list| list.channel);
        let names: Vec<&'static str> = channels().map(Channel::as_str).collect();
        let ask = ListsAsk {
            lists: self.together.iter().map(|list| (list.by, list.read)).collect(),
            now: query.now,
            filter: query.pushed_down(&names),
        };
        let answer = self.shards.lists(ask, &query.read_context(run)).await;
        query.ledger.count(self.list.channel.as_str(), &answer);
        let by_channel = |lists: Vec<_>| channels().zip(lists).collect();
        answer.map(|gathered| gathered.map(by_channel)).map_err(Arc::new)
    }
}

fn as_read(mut found: Vec<Candidate>, most: usize) -> Vec<Candidate> {
    found.truncate(most);
    found
}

/// At most `most`: posts of small authors, newest first, so that they get a chance at all. Then the others, newest first, so that a new
/// cluster has a feed.
fn small_authors_first(mut found: Vec<Candidate>, most: usize) -> Vec<Candidate> {
    let large = |post: &Candidate| !post.flags.has(CandidateFlags::SMALL_AUTHOR);
    found.sort_by_key(|post| (large(post), Reverse(post.created_at), post.key.post));
    found.truncate(most);
    found
}

#[cfg(test)]
#[path = "lists_test.rs"]
mod tests;
