//! Shards that answer from memory, for tests of the pipeline.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use covey_env::Monotonic;
use covey_eventlog::ServedRow;
use covey_shared::command::Served;
use covey_shared::ids::{LogIndex, PostKey, ShardId, UserId};
use covey_shared::model::{F16Vector, Post};
use covey_shared::score::{Hit, Score};
use covey_shared::session::Seen;
use covey_shared::slots::{Slot, SlotRange};
use covey_shared::text::Phrases;
use covey_shared::wire::{
    AuthorInfo, Candidate, Counters, ListAsk, ListGroup, Place, PostView, RankedBy, TextMatch, Verdict, ViewerState,
};
use parking_lot::Mutex;

use crate::cluster::{
    Gathered, InNetworkAsk, ListsAsk, ReadContext, ReadError, ReadReport, SearchAsk, ShardFailure, VerdictAsk,
};
use crate::feed::shards::{Reading, Shards, Unanswered, ViewerAsk};
use crate::feed::testing::key;

/// Answers from memory; what fails is listed by the name of the read.
#[derive(Default)]
pub(crate) struct FakeShards {
    pub(crate) state: ViewerState,
    pub(crate) in_network: Vec<Candidate>,
    pub(crate) popular: Vec<Candidate>,
    pub(crate) newest: Vec<Candidate>,
    pub(crate) active: Vec<Candidate>,
    pub(crate) hits: Vec<Hit>,
    /// Fixed-width fields by key.
    pub(crate) posts: BTreeMap<PostKey, Candidate>,
    pub(crate) vectors: BTreeMap<PostKey, Vec<f32>>,
    /// Texts of posts; those of others are empty.
    pub(crate) texts: BTreeMap<PostKey, String>,
    /// Verdicts other than that all is well.
    pub(crate) verdicts: BTreeMap<PostKey, Verdict>,
    /// Posts of which no shard says anything.
    pub(crate) silent: BTreeSet<PostKey>,
    pub(crate) down: BTreeSet<&'static str>,
    /// Reads whose answers take this long.
    pub(crate) delays: BTreeMap<&'static str, Duration>,
    /// Reads to which some shard does not answer.
    pub(crate) holes: BTreeSet<&'static str>,
    /// Reads whose answers leave damaged rows of shard 5 out.
    pub(crate) damaged: BTreeSet<&'static str>,
    pub(crate) asked: Mutex<Asked>,
}

/// What the pipeline asked.
#[derive(Default)]
pub(crate) struct Asked {
    pub(crate) in_network: Vec<InNetworkAsk>,
    pub(crate) searches: Vec<SearchAsk>,
    pub(crate) lists: Vec<ListsAsk>,
    /// With the age that is allowed.
    pub(crate) verdicts: Vec<(Vec<PostKey>, Option<Duration>)>,
    pub(crate) authors: Vec<Vec<UserId>>,
    pub(crate) vectors: Vec<Vec<PostKey>>,
    pub(crate) candidates: Vec<Vec<PostKey>>,
    pub(crate) texts: Vec<Vec<PostKey>>,
    pub(crate) viewers: usize,
    pub(crate) served: Vec<Served>,
    pub(crate) logged: Vec<ServedRow>,
}

impl FakeShards {
    fn answer<'a, T: Send + 'a>(&'a self, read: &'static str, value: T) -> Reading<'a, T> {
        let mut report = ReadReport::default();
        report.asked.insert(SlotRange::ALL);
        report.staleness_ms = 20;
        report
            .damaged_shards
            .extend(self.damaged.contains(read).then_some(ShardId(5)));
        if self.holes.contains(read) {
            report.holes.insert(SlotRange { start: 0, end: 9 });
            report.missing_shards.insert(ShardId(1));
        }
        if self.down.contains(read) {
            report.holes.insert(SlotRange::ALL);
            report.missing_shards.insert(ShardId(1));
            let source = ShardFailure::OutOfTime;
            let error = ReadError::NoAnswer {
                shard: ShardId(1),
                source,
            };
            return Box::pin(async move { Err(Unanswered { error, report }) });
        }
        report.token.observe(Seen {
            shard: ShardId(1),
            range_ver: 1,
            index: LogIndex(9),
        });
        let delay = self.delays.get(read).copied();
        Box::pin(async move {
            if let Some(delay) = delay {
                tokio::time::sleep(delay).await;
            }
            Ok(Gathered { value, report })
        })
    }

    fn verdict(&self, key: &PostKey) -> Option<Verdict> {
        let said = self.verdicts.get(key).cloned().unwrap_or_else(|| verdict(*key));
        (!self.silent.contains(key)).then_some(said)
    }
}

/// It exists, and nothing speaks against it.
pub(crate) fn verdict(key: PostKey) -> Verdict {
    Verdict {
        key,
        exists: true,
        labels: 0,
        author_blocks_viewer: false,
        post: Some(Post {
            key,
            text: format!("text of {}", key.post),
            ..Post::default()
        }),
        screen_name: format!("user{}", key.author),
    }
}

impl Shards for FakeShards {
    fn viewer<'a>(&'a self, _: ViewerAsk, _: &'a ReadContext) -> Reading<'a, ViewerState> {
        self.asked.lock().viewers += 1;
        self.answer("viewer", self.state.clone())
    }

    fn in_network<'a>(&'a self, ask: InNetworkAsk, _: &'a ReadContext) -> Reading<'a, Vec<Candidate>> {
        let mut found = self.in_network.clone();
        if ask.complete {
            found.sort_unstable_by_key(Place::of);
            found.retain(|post| {
                let after = ask.start.is_none_or(|start| Place::of(post) >= start);
                after && post.created_at >= ask.created_from && ask.authors.contains(&post.key.author)
            });
            found.truncate(ask.max_results);
        }
        self.asked.lock().in_network.push(ask);
        self.answer("in_network", found)
    }

    fn lists<'a>(&'a self, ask: ListsAsk, _: &'a ReadContext) -> Reading<'a, Vec<Vec<Candidate>>> {
        let best = |ask: &ListAsk| {
            let list = match ask.by {
                RankedBy::Popularity => &self.popular,
                RankedBy::Newest => &self.newest,
                RankedBy::Activity => &self.active,
            };
            let listed = |post: &&Candidate| match ask.group {
                // These shards know no countries: all posts are of all.
                ListGroup::All | ListGroup::Country(_) => true,
                ListGroup::Language(language) => post.language == language,
                ListGroup::Topic(topic) => post.topics.iter().any(|of| of == topic),
            };
            list.iter().filter(listed).take(ask.posts as usize).copied().collect()
        };
        let found = ask.lists.iter().map(best).collect();
        self.asked.lock().lists.push(ask);
        self.answer("lists", found)
    }

    fn search<'a>(&'a self, ask: SearchAsk, _: &'a ReadContext) -> Reading<'a, Vec<Hit>> {
        self.asked.lock().searches.push(ask);
        self.answer("search", self.hits.clone())
    }

    fn vectors<'a>(&'a self, keys: Vec<PostKey>, _: &'a ReadContext) -> Reading<'a, Vec<PostView>> {
        let view = |key: &PostKey| {
            let vector = F16Vector::from_f32(self.vectors.get(key)?);
            let post = Post {
                key: *key,
                vector,
                ..Post::default()
            };
            Some(PostView {
                post,
                counters: Counters::default(),
            })
        };
        let found = keys.iter().filter_map(view).collect();
        self.asked.lock().vectors.push(keys);
        self.answer("vectors", found)
    }

    fn candidates<'a>(&'a self, keys: Vec<PostKey>, _: &'a ReadContext) -> Reading<'a, Vec<Candidate>> {
        let found = keys.iter().filter_map(|key| self.posts.get(key).copied()).collect();
        self.asked.lock().candidates.push(keys);
        self.answer("candidates", found)
    }

    fn verdicts<'a>(&'a self, ask: VerdictAsk, context: &'a ReadContext) -> Reading<'a, Vec<Verdict>> {
        let found = ask.keys.iter().filter_map(|key| self.verdict(key)).collect();
        self.asked.lock().verdicts.push((ask.keys, context.within));
        self.answer("verdicts", found)
    }

    fn match_texts<'a>(
        &'a self,
        keys: Vec<PostKey>,
        phrases: &'a [String],
        _: &'a ReadContext,
    ) -> Reading<'a, Vec<TextMatch>> {
        let phrases = Phrases::new(phrases);
        let found = |key: &PostKey| {
            let which = self.texts.get(key).and_then(|text| phrases.find_in(text));
            let phrase = which.map(|which| which as u32);
            TextMatch { key: *key, phrase }
        };
        let heard = keys.iter().filter(|key| !self.silent.contains(key));
        let answer = heard.map(found).collect();
        self.asked.lock().texts.push(keys);
        self.answer("texts", answer)
    }

    fn authors<'a>(&'a self, users: Vec<UserId>, _: &'a ReadContext) -> Reading<'a, Vec<AuthorInfo>> {
        let info = |user: &UserId| AuthorInfo {
            user: *user,
            screen_name: format!("user{user}"),
            followers: 3,
        };
        let found = users.iter().map(info).collect();
        self.asked.lock().authors.push(users);
        self.answer("authors", found)
    }

    fn map_version(&self) -> u64 {
        4
    }

    fn record_served(&self, served: Served, _: Monotonic) -> bool {
        self.asked.lock().served.push(served);
        true
    }

    fn log_served(&self, rows: Vec<ServedRow>) {
        self.asked.lock().logged.extend(rows);
    }
}

pub(crate) fn hit(author: u64, post: u64, score: f32) -> Hit {
    let slot = Slot::of(UserId(author)).0;
    Hit {
        key: key(author, post),
        slot,
        score: Score::or_lowest(score),
    }
}
