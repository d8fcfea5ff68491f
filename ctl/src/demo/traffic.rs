//! Searches, feeds and writes at fixed rates, whatever the answers take, and what became of each.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use covey_api::v1::{Answer, GetFeedRequest, ItemStatus, Post, PostKey, PutPostsRequest, SearchRequest};
use tokio::task::JoinHandle;

use super::busy::first_new_post;
use super::paced::{Pace, paced};
use super::patient::in_time;
use super::searches::texts;
use super::slots::slot;
use crate::client::Client;
use crate::commands::fetch_status;
use crate::world::World;

/// Writes per second to each shard: a gap between acknowledgements is measured to a tenth of a second.
const BEATS: u32 = 10;
/// Time for a read: the default of `coordinator.request_deadline`.
const READ: Duration = Duration::from_secs(2);
/// Time for a write: that of an election, and more. The coordinator tries again meanwhile. Reads end before.
const WRITE: Duration = Duration::from_secs(10);
/// Longest run: what ends it is [`Traffic::finish`].
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// Different texts to search for and to write, and different viewers.
const TEXTS: u64 = 2_000;
const VIEWERS: u64 = 500;
/// Authors of each shard that write.
const AUTHORS: usize = 50;

/// Per second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rates {
    pub(super) searches: u32,
    pub(super) feeds: u32,
    pub(super) posts: u32,
}

/// What is asked for.
pub(super) struct Demand {
    pub(super) client: Client,
    /// Searched for and written, in turn.
    pub(super) texts: Vec<String>,
    /// Whose feeds are asked for, in turn.
    pub(super) viewers: Vec<u64>,
    /// Shards, each with users who write.
    pub(super) authors: Vec<(u64, Vec<u64>)>,
    /// Id of the first post that is written.
    pub(super) first_post: u64,
    pub(super) rates: Rates,
}

/// What was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Kind {
    #[default]
    Search,
    Feed,
    Write,
}

/// One request. Times count from the start of the traffic.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Event {
    pub(super) kind: Kind,
    pub(super) due: Duration,
    pub(super) done: Duration,
    /// Why it failed, wholly or in part.
    pub(super) failure: Option<String>,
    /// Of a search or feed with an answer.
    pub(super) coverage: Option<f64>,
    /// What such an answer says that it lacks.
    pub(super) lacks: Option<String>,
    /// Something is missing in the answer that it does not name.
    pub(super) unnamed: bool,
    /// Of a write.
    pub(super) write: Option<Write>,
}

/// What was acknowledged of a write to one shard.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Write {
    pub(super) shard: u64,
    pub(super) posts: Vec<PostKey>,
}

/// The three streams of requests. Dropping ends them.
pub(super) struct Traffic {
    began: Instant,
    stop: Arc<AtomicBool>,
    events: Arc<Mutex<Vec<Event>>>,
    tasks: Vec<JoinHandle<Result<u64>>>,
}

impl Traffic {
    pub(super) fn start(demand: Demand) -> Traffic {
        let mut traffic = Traffic {
            began: Instant::now(),
            stop: Arc::default(),
            events: Arc::default(),
            tasks: Vec::new(),
        };
        let demand = Arc::new(demand);
        let rates = demand.rates;
        for (kind, per_s) in [
            (Kind::Search, rates.searches),
            (Kind::Feed, rates.feeds),
            (Kind::Write, demand.beats()),
        ] {
            let task = traffic.stream(demand.clone(), kind, per_s);
            traffic.tasks.push(task);
        }
        traffic
    }

    fn stream(&self, demand: Arc<Demand>, kind: Kind, per_s: u32) -> JoinHandle<Result<u64>> {
        let pace = Pace {
            per_s,
            time: LONGEST,
            stop: self.stop.clone(),
        };
        let (began, events) = (self.began, self.events.clone());
        let ask = move |number, due: Instant| {
            let demand = demand.clone();
            async move {
                let event = demand.ask(kind, number).await;
                Some(Event {
                    due: due.duration_since(began),
                    done: began.elapsed(),
                    ..event
                })
            }
        };
        let count = move |event: Option<Event>| {
            let event = event.unwrap_or_else(|| Event {
                kind,
                due: began.elapsed(),
                done: began.elapsed(),
                failure: Some("too many requests are open: not sent".to_owned()),
                ..Event::default()
            });
            events.lock().expect("no holder panics").push(event);
        };
        tokio::spawn(paced(pace, ask, count))
    }

    /// Since its start.
    pub(super) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// Ends the streams; every request first gets its answer.
    pub(super) async fn finish(mut self) -> Result<Vec<Event>> {
        self.stop.store(true, Ordering::Relaxed);
        for task in &mut self.tasks {
            task.await??;
        }
        Ok(std::mem::take(&mut *self.events.lock().expect("no holder panics")))
    }
}

impl Drop for Traffic {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl Demand {
    /// Texts and latest visitors of a loaded world, and writers of each of the shards; those without slots have none.
    pub(super) async fn of(client: &Client, world: &World, rates: Rates) -> Result<Demand> {
        let spec = world.spec();
        let visits = (0..spec.sessions).rev().take(VIEWERS as usize);
        let mut viewers: Vec<u64> = visits.map(|index| world.visit(index).viewer + 1).collect();
        if viewers.is_empty() {
            viewers = (1..=spec.users.min(VIEWERS)).collect();
        }
        let shards = fetch_status(client).await?.shards.into_iter();
        let with_posts = shards.filter(|shard| shard.slot_start < shard.slot_end);
        let authors = with_posts.map(|shard| {
            let slots = shard.slot_start..shard.slot_end;
            let own = (1..=spec.users).filter(|user| slots.contains(&slot(*user)));
            (shard.shard, own.take(AUTHORS).collect())
        });
        let authors: BTreeMap<u64, Vec<u64>> = authors.collect();
        if authors.is_empty() || authors.values().any(Vec::is_empty) {
            bail!("a shard has no user who could write; take fewer --shards or more --posts");
        }
        let step = (spec.posts / TEXTS).max(1);
        Ok(Demand {
            client: client.clone(),
            texts: texts(world, (0..TEXTS).map(|number| number * step % spec.posts))?,
            viewers,
            authors: authors.into_iter().collect(),
            first_post: first_new_post(),
            rates,
        })
    }

    /// Batches of posts per second.
    fn beats(&self) -> u32 {
        (self.authors.len() as u32 * BEATS).min(self.rates.posts)
    }

    async fn ask(&self, kind: Kind, number: u64) -> Event {
        let event = match kind {
            Kind::Search => self.search(number).await,
            Kind::Feed => self.feed(number).await,
            Kind::Write => self.write(number).await,
        };
        Event { kind, ..event }
    }

    fn text(&self, number: u64) -> String {
        self.texts[number as usize % self.texts.len()].clone()
    }

    async fn search(&self, number: u64) -> Event {
        let request = SearchRequest {
            text: self.text(number),
            deadline_ms: READ.as_millis() as u32,
            ..SearchRequest::default()
        };
        match self.client.rpc().search_similar(in_time(request, WRITE)).await {
            Ok(reply) => answered(reply.into_inner().answer),
            Err(status) => failed(&status),
        }
    }

    async fn feed(&self, number: u64) -> Event {
        let request = GetFeedRequest {
            viewer_id: self.viewers[number as usize % self.viewers.len()],
            deadline_ms: READ.as_millis() as u32,
            ..GetFeedRequest::default()
        };
        match self.client.rpc().get_feed(in_time(request, WRITE)).await {
            Ok(reply) => answered(reply.into_inner().answer),
            Err(status) => failed(&status),
        }
    }

    /// The batch of this number: to one shard, so that one shard without a leader does not delay the others.
    async fn write(&self, number: u64) -> Event {
        let (shard, authors) = &self.authors[number as usize % self.authors.len()];
        let (posts, beats) = (u64::from(self.rates.posts), u64::from(self.beats()));
        let due = |beat: u64| beat * posts / beats;
        let posts = (due(number)..due(number + 1)).map(|index| Post {
            post_id: self.first_post + index,
            author_id: authors[index as usize % authors.len()],
            text: self.text(index),
            ..Post::default()
        });
        let posts: Vec<Post> = posts.collect();
        let key = |post: &Post| PostKey {
            author_id: post.author_id,
            post_id: post.post_id,
        };
        let keys: Vec<PostKey> = posts.iter().map(key).collect();
        let session_token = String::new();
        let request = PutPostsRequest { posts, session_token };
        let reply = match self.client.rpc().put_posts(in_time(request, WRITE)).await {
            Ok(reply) => reply.into_inner(),
            Err(status) => return failed(&status),
        };
        let is_done = |status| matches!(status, ItemStatus::Ok | ItemStatus::Superseded);
        let results = reply.results.iter().zip(keys);
        let done = results.filter(|(result, _)| is_done(result.status()));
        let undone = reply.results.iter().find(|result| !is_done(result.status()));
        Event {
            failure: undone.map(|result| format!("{:?}: {}", result.status(), result.message)),
            write: Some(Write {
                shard: *shard,
                posts: done.map(|(_, key)| key).collect(),
            }),
            ..Event::default()
        }
    }
}

fn answered(answer: Option<Answer>) -> Event {
    let answer = answer.unwrap_or_default();
    let partial = answer.coverage < 1.0;
    let lacks = || {
        let reasons = answer
            .degraded
            .iter()
            .map(|part| format!("; {}: {}", part.component, part.reason));
        format!("shards {:?}{}", answer.missing_shards, reasons.collect::<String>())
    };
    Event {
        coverage: Some(answer.coverage),
        lacks: partial.then(lacks),
        unnamed: partial && answer.missing_shards.is_empty(),
        ..Event::default()
    }
}

fn failed(status: &tonic::Status) -> Event {
    Event {
        failure: Some(format!("{}: {}", status.code(), status.message())),
        ..Event::default()
    }
}
