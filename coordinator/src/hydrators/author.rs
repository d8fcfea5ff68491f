//! Post-selection hydrator: handle and follower count of the authors of selected posts.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use covey_pipeline::{Hydrator, Reply, Rows, RunContext};
use covey_shared::ids::UserId;
use covey_shared::wire::AuthorInfo;
use parking_lot::Mutex;

use crate::feed::candidate::FeedCandidate;
use crate::feed::query::FeedQuery;
use crate::feed::shards::Shards;

/// Most authors remembered: about 10 MB.
const CACHED: usize = 65_536;
/// How long they are: handles rarely change, and a count may be a little behind.
const FRESH: Duration = Duration::from_secs(60);

/// Runs after selection, as nothing before it needs a name, and one slate has few authors.
pub(crate) struct Author {
    pub(crate) shards: Arc<dyn Shards>,
    /// `feed.hydrate_timeout`.
    pub(crate) timeout: Duration,
    pub(crate) known: Arc<KnownAuthors>,
}

/// Authors read lately, whichever list they were read for.
pub(crate) struct KnownAuthors(Mutex<Cache>);

impl Default for KnownAuthors {
    fn default() -> KnownAuthors {
        KnownAuthors(Mutex::new(Cache::new(CACHED, FRESH)))
    }
}

impl Hydrator<FeedQuery, FeedCandidate> for Author {
    fn budget(&self) -> Duration {
        self.timeout
    }

    fn hydrate<'a>(
        &'a self,
        run: &'a RunContext,
        query: &'a FeedQuery,
        posts: &'a [FeedCandidate],
    ) -> Reply<'a, Rows<FeedCandidate>> {
        Box::pin(async move {
            let mut wanted: Vec<UserId> = posts.iter().map(FeedCandidate::author_id).collect();
            wanted.sort_unstable();
            wanted.dedup();
            let (mut known, missing) = self.known.0.lock().split(&wanted, run.now());
            if !missing.is_empty() {
                let context = query.read_context(run);
                let answer = self.shards.authors(missing, &context).await;
                let read = query.ledger.take("Author", answer)?;
                self.known.0.lock().put(&read, run.now());
                known.extend(read.into_iter().map(|author| (author.user, author)));
            }
            let values = posts.iter().map(|post| known.get(&post.author_id()).cloned()).collect();
            Ok(Rows::all(values, |post: &mut FeedCandidate, author| {
                post.author = author
            }))
        })
    }
}

/// Authors read lately; the oldest go first when it is full.
struct Cache {
    most: usize,
    fresh: Duration,
    authors: BTreeMap<UserId, (Duration, AuthorInfo)>,
    order: VecDeque<(Duration, UserId)>,
}

impl Cache {
    fn new(most: usize, fresh: Duration) -> Cache {
        let (authors, order) = (BTreeMap::new(), VecDeque::new());
        Cache {
            most,
            fresh,
            authors,
            order,
        }
    }

    /// Those that are known and fresh, and the others.
    fn split(&mut self, wanted: &[UserId], now: Duration) -> (BTreeMap<UserId, AuthorInfo>, Vec<UserId>) {
        self.expire(now);
        let (mut known, mut missing) = (BTreeMap::new(), Vec::new());
        for user in wanted {
            match self.authors.get(user) {
                Some((_, author)) => _ = known.insert(*user, author.clone()),
                None => missing.push(*user),
            }
        }
        (known, missing)
    }

    fn put(&mut self, authors: &[AuthorInfo], now: Duration) {
        for author in authors {
            self.authors.insert(author.user, (now, author.clone()));
            self.order.push_back((now, author.user));
        }
        while self.order.len() > self.most {
            self.drop_oldest();
        }
    }

    fn expire(&mut self, now: Duration) {
        while self
            .order
            .front()
            .is_some_and(|(at, _)| now.saturating_sub(*at) >= self.fresh)
        {
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        if let Some((at, user)) = self.order.pop_front()
            && self.authors.get(&user).is_some_and(|(put, _)| *put == at)
        {
            self.authors.remove(&user);
        }
    }
}

#[cfg(test)]
#[path = "author_test.rs"]
mod tests;
