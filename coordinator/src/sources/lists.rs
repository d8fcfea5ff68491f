//! The channels that are lists which the shards keep ranked: what they ask for is read for all of them at once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use covey_config::FeedConfig;
use covey_pipeline::{ComponentError, RunContext};
use covey_shared::wire::{Candidate, RankedBy};
use parking_lot::Mutex;
use tokio::sync::OnceCell;

use crate::cluster::{Gathered, ListsAsk};
use crate::feed::candidate::Channel;
use crate::feed::query::FeedQuery;
use crate::feed::shards::{Shards, Unanswered};
use crate::sources::new;

/// A channel that is switched on: its list, and how much of it.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Listed {
    channel: Channel,
    by: RankedBy,
    posts: usize,
    timeout: Duration,
}

/// All list channels that are switched on. Those with the same time-out share one read: with another one, what came by then would
/// not be what a read of their own brings.
pub(crate) struct Lists {
    shards: Arc<dyn Shards>,
    channels: Vec<Listed>,
}

/// What one read brought each channel, or why nothing came.
type Brought = Result<Gathered<BTreeMap<Channel, Vec<Candidate>>>, Arc<Unanswered>>;

/// The reads of one request, by their time-out.
#[derive(Debug, Default)]
pub(crate) struct ListReads(Mutex<BTreeMap<Duration, Arc<OnceCell<Brought>>>>);

impl ListReads {
    fn of(&self, timeout: Duration) -> Arc<OnceCell<Brought>> {
        self.0.lock().entry(timeout).or_default().clone()
    }
}

impl Lists {
    pub(crate) fn new(shards: Arc<dyn Shards>, feed: &FeedConfig) -> Lists {
        let (popular, new, active) = (&feed.popular, &feed.new, &feed.active);
        let channels = [
            popular.enabled.then_some(Listed {
                channel: Channel::Popular,
                by: RankedBy::Popularity,
                posts: popular.max_posts,
                timeout: popular.timeout,
            }),
            new.enabled.then_some(Listed {
                channel: Channel::New,
                by: RankedBy::Newest,
                posts: new.max_posts * new::READ_PER_POST,
                timeout: new.timeout,
            }),
            active.enabled.then_some(Listed {
                channel: Channel::Active,
                by: RankedBy::Activity,
                posts: active.max_posts,
                timeout: active.timeout,
            }),
        ];
        Lists {
            shards,
            channels: channels.into_iter().flatten().collect(),
        }
    }

    /// The list of a channel, best first; nothing of one that is switched off.
    ///
    /// # Errors
    /// Nobody answered: the same for all channels of the read.
    pub(super) async fn of(
        &self,
        channel: Channel,
        run: &RunContext,
        query: &FeedQuery,
    ) -> Result<Vec<Candidate>, ComponentError> {
        let Some(listed) = self.channels.iter().find(|listed| listed.channel == channel) else {
            return Ok(Vec::new());
        };
        let cell = query.lists.of(listed.timeout);
        let brought = cell.get_or_init(|| self.read(listed, run, query)).await;
        let lists = query.ledger.take_shared(channel.as_str(), brought)?;
        Ok(lists.get(&channel).cloned().unwrap_or_default())
    }

    /// Reads the lists of `first` and of all that have the same time. Its cost is told as that of `first`.
    async fn read(&self, first: &Listed, run: &RunContext, query: &FeedQuery) -> Brought {
        let same_time = self.channels.iter().filter(|listed| listed.timeout == first.timeout);
        let together: Vec<Listed> = same_time.copied().collect();
        let names: Vec<&'static str> = together.iter().map(|listed| listed.channel.as_str()).collect();
        let ask = ListsAsk {
            lists: together.iter().map(|listed| (listed.by, listed.posts)).collect(),
            now: query.now,
            filter: query.pushed_down(&names),
        };
        let context = query.read_context(run);
        let answer = self.shards.lists(ask, &context).await;
        query.ledger.count(first.channel.as_str(), &answer);
        let by_channel = |lists: Vec<_>| together.iter().map(|listed| listed.channel).zip(lists).collect();
        answer.map(|gathered| gathered.map(by_channel)).map_err(Arc::new)
    }
}

#[cfg(test)]
#[path = "lists_test.rs"]
mod tests;
