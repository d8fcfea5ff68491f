//! Sources: the channels that are lists which the shards keep ranked. What they ask for is read for all of them at once.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use covey_config::FeedConfig;
use covey_pipeline::{Reply, RunContext, Source};
use covey_shared::wire::{Candidate, CandidateFlags, ListAsk, ListGroup, RankedBy};
use tokio::sync::OnceCell;

use crate::cluster::{Gathered, ListsAsk, limit};
use crate::feed::candidate::{Channel, FeedCandidate};
use crate::feed::query::FeedQuery;
use crate::feed::shards::{Shards, Unanswered};
use crate::sources::turns::once_in_turns;

/// Channels that are lists.
const LISTS: usize = 5;
/// Newest posts read per post wanted, so that there are enough of small authors among them.
const READ_PER_POST: usize = 3;
/// How long a viewer who follows many topics gets posts about the same ones.
const TURN_MS: u64 = 3_600_000;

/// What a channel takes of the lists that were read for it, best first: at most so many.
type Arrange = fn(Vec<Vec<Candidate>>, usize) -> Vec<Candidate>;

/// Which lists a channel is made of.
#[derive(Clone, Copy)]
enum MadeOf {
    /// That of all posts: so many are read for one in the channel.
    All(RankedBy, usize),
    /// Two of each followed topic, of at most so many topics.
    Topics(usize),
    /// Those of the viewer's country and language, as far as they are known.
    Place,
}

impl MadeOf {
    /// The lists of a channel with so many posts.
    fn lists(self, query: &FeedQuery, posts: usize) -> Vec<ListAsk> {
        let ask = |by, group, posts| ListAsk {
            by,
            group,
            posts: limit(posts),
        };
        match self {
            MadeOf::All(by, read) => vec![ask(by, ListGroup::All, read * posts)],
            MadeOf::Topics(most) => {
                let topics = topics_in_turn(query, most);
                let share = posts.div_ceil(topics.len().max(1));
                let lists = topics.into_iter().map(ListGroup::Topic);
                lists
                    .flat_map(|topic| TOPIC_LISTS.map(|by| ask(by, topic, share)))
                    .collect()
            }
            MadeOf::Place => {
                let country = query.country().map(ListGroup::Country);
                let language = query.language().map(ListGroup::Language);
                let groups = country.into_iter().chain(language);
                groups.map(|group| ask(RankedBy::Popularity, group, posts)).collect()
            }
        }
    }
}

/// What is read about each topic.
const TOPIC_LISTS: [RankedBy; 2] = [RankedBy::Popularity, RankedBy::Newest];

/// The topics that the viewer follows; of more than `most` each hour others.
pub(crate) fn topics_in_turn(query: &FeedQuery, most: usize) -> Vec<u32> {
    let topics = query.features.as_ref().map_or(&[][..], |features| &features.topics);
    if topics.len() <= most {
        return topics.to_vec();
    }
    let turn = (query.now.0 / TURN_MS) as usize;
    let first = turn.wrapping_mul(most) % topics.len();
    topics.iter().cycle().skip(first).take(most).copied().collect()
}

/// A channel's lists.
#[derive(Clone, Copy)]
struct List {
    channel: Channel,
    enabled: bool,
    timeout: Duration,
    made_of: MadeOf,
    /// Posts in the channel.
    posts: usize,
    arrange: Arrange,
}

impl List {
    fn asks(&self, query: &FeedQuery) -> Vec<ListAsk> {
        self.made_of.lists(query, self.posts)
    }
}

/// The channels, in their order.
fn lists(feed: &FeedConfig) -> [List; LISTS] {
    let (popular, new, active, topics, local) = (&feed.popular, &feed.new, &feed.active, &feed.topics, &feed.local);
    [
        List {
            channel: Channel::Popular,
            enabled: popular.enabled,
            timeout: popular.timeout,
            made_of: MadeOf::All(RankedBy::Popularity, 1),
            posts: popular.max_posts,
            arrange: in_turns,
        },
        List {
            channel: Channel::New,
            enabled: new.enabled,
            timeout: new.timeout,
            made_of: MadeOf::All(RankedBy::Newest, READ_PER_POST),
            posts: new.max_posts,
            arrange: small_authors_first,
        },
        List {
            channel: Channel::Active,
            enabled: active.enabled,
            timeout: active.timeout,
            made_of: MadeOf::All(RankedBy::Activity, 1),
            posts: active.max_posts,
            arrange: in_turns,
        },
        List {
            channel: Channel::Topics,
            enabled: topics.enabled,
            timeout: topics.timeout,
            made_of: MadeOf::Topics(topics.max_topics),
            posts: topics.max_posts,
            arrange: in_turns,
        },
        List {
            channel: Channel::Local,
            enabled: local.enabled,
            timeout: local.timeout,
            made_of: MadeOf::Place,
            posts: local.max_posts,
            arrange: in_turns,
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
type Brought = Result<Gathered<BTreeMap<Channel, Vec<Vec<Candidate>>>>, Arc<Unanswered>>;

/// The reads of one request: each made by the first source that wants it, for all with the same time-out.
#[derive(Debug, Default)]
pub(crate) struct ListReads([OnceCell<Brought>; LISTS]);

/// A channel that is a list which the shards keep up to date. A post's sum decays with time.
pub(crate) struct ListSource {
    shards: Arc<dyn Shards>,
    list: List,
    /// The channels that are switched on and have the same time-out. They share one read: with another time, what came by
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
        self.list.enabled && !query.in_network_only && !self.list.asks(query).is_empty()
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
        let asks = self.together.iter().map(|list| (list.channel, list.asks(query)));
        let asks: Vec<(Channel, Vec<ListAsk>)> = asks.filter(|(_, lists)| !lists.is_empty()).collect();
        let names: Vec<&'static str> = asks.iter().map(|(channel, _)| channel.as_str()).collect();
        let ask = ListsAsk {
            lists: asks.iter().flat_map(|(_, lists)| lists).copied().collect(),
            now: query.now,
            filter: query.pushed_down(&names),
        };
        let answer = self.shards.lists(ask, &query.read_context(run)).await;
        query.ledger.count(self.list.channel.as_str(), &answer);
        let by_channel = |lists: Vec<_>| {
            let mut lists = lists.into_iter();
            let channels = asks.iter();
            channels
                .map(|(channel, asked)| (*channel, lists.by_ref().take(asked.len()).collect()))
                .collect()
        };
        answer.map(|gathered| gathered.map(by_channel)).map_err(Arc::new)
    }
}

/// The first of each list, then the second of each, each post once.
fn in_turns(lists: Vec<Vec<Candidate>>, most: usize) -> Vec<Candidate> {
    once_in_turns(&lists, |post| post.key.post)
        .take(most)
        .copied()
        .collect()
}

/// At most `most`: posts of small authors, newest first, so that they get a chance at all. Then the others, newest first, so that a new
/// cluster has a feed.
fn small_authors_first(lists: Vec<Vec<Candidate>>, most: usize) -> Vec<Candidate> {
    let mut found = lists.concat();
    let large = |post: &Candidate| !post.flags.has(CandidateFlags::SMALL_AUTHOR);
    found.sort_by_key(|post| (large(post), Reverse(post.created_at), post.key.post));
    found.truncate(most);
    found
}

#[cfg(test)]
#[path = "lists_test.rs"]
mod tests;
