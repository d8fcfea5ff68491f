//! Feeds at a fixed rate, whatever the answers take: a slow cluster cannot slow down its own measurement. And as many as it can serve.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::Result;
use covey_api::v1::{GetFeedReply, GetFeedRequest};
use serde::Serialize;
use tokio::task::JoinSet;

use super::measure::quantile;
use super::paced::{Pace, paced};
use crate::client::Client;

/// Who ask at once, each for the next feed as soon as it has one: more than there are cores, fewer than a coordinator refuses.
const CLIENTS: u64 = 16;
/// After a feed that failed.
const PAUSE: Duration = Duration::from_millis(50);

/// How feeds went at one rate.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(super) struct Rate {
    /// Feeds asked for per second; of as many as there can be those that were answered.
    pub(super) per_s: u32,
    pub(super) asked: u64,
    /// No answer, or not sent because too many were open.
    pub(super) failed: u64,
    /// Coverage below 1.
    pub(super) incomplete: u64,
    /// From the moment a feed was due, in milliseconds.
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
    pub(super) max_ms: f64,
    /// Times per stage, as the replies say.
    pub(super) stages: BTreeMap<String, Spread>,
}

/// Times in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(super) struct Spread {
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
}

impl Spread {
    pub(super) fn of(times: &mut [f64]) -> Spread {
        Spread {
            p50_ms: quantile(times, 0.5),
            p99_ms: quantile(times, 0.99),
        }
    }
}

/// What the answers said so far.
#[derive(Default)]
struct Times {
    feeds: Vec<f64>,
    stages: BTreeMap<String, Vec<f64>>,
}

/// Asks for feeds of the viewers in turn for `time`.
pub(super) async fn feeds(client: &Client, viewers: &[u64], per_s: u32, time: Duration) -> Result<Rate> {
    let mut rate = Rate {
        per_s,
        ..Rate::default()
    };
    let mut times = Times::default();
    let ask = |number: u64, due| one(client.clone(), viewers[number as usize % viewers.len()], due);
    let pace = Pace {
        per_s,
        time,
        ..Pace::default()
    };
    rate.asked = paced(pace, ask, |done| rate.count(done, &mut times)).await?;
    rate.conclude(times);
    Ok(rate)
}

/// Asks for as many feeds as there are answers for `time`.
pub(super) async fn saturating(client: &Client, viewers: &[u64], time: Duration) -> Result<Rate> {
    let started = Instant::now();
    let mut turn = viewers.iter().cycle();
    let mut next = || turn.next().map(|viewer| patient(client.clone(), *viewer));
    let mut open: JoinSet<Answered> = (0..CLIENTS).filter_map(|_| next()).collect();
    let (mut rate, mut times) = (Rate::default(), Times::default());
    while let Some(answer) = open.join_next().await {
        rate.asked += 1;
        rate.count(answer?, &mut times);
        if started.elapsed() < time {
            next().into_iter().for_each(|asked| drop(open.spawn(asked)));
        }
    }
    rate.per_s = (times.feeds.len() as f64 / started.elapsed().as_secs_f64()).round() as u32;
    rate.conclude(times);
    Ok(rate)
}

/// One feed. Who is refused does not ask again at once.
async fn patient(client: Client, viewer: u64) -> Answered {
    let answer = one(client, viewer, Instant::now()).await;
    if answer.is_none() {
        tokio::time::sleep(PAUSE).await;
    }
    answer
}

/// A feed, and its time since it was due in milliseconds.
type Answered = Option<(f64, GetFeedReply)>;

async fn one(client: Client, viewer_id: u64, due: Instant) -> Answered {
    let request = GetFeedRequest {
        viewer_id,
        ..GetFeedRequest::default()
    };
    let reply = client.rpc().get_feed(request).await.ok()?;
    Some((due.elapsed().as_secs_f64() * 1000.0, reply.into_inner()))
}

impl Rate {
    fn count(&mut self, done: Answered, times: &mut Times) {
        let Some((took, reply)) = done else {
            self.failed += 1;
            return;
        };
        times.feeds.push(took);
        let answer = reply.answer.unwrap_or_default();
        self.incomplete += u64::from(answer.coverage < 1.0);
        for (stage, ms) in answer.timings_ms {
            times.stages.entry(stage).or_default().push(ms);
        }
    }

    fn conclude(&mut self, mut times: Times) {
        self.max_ms = times.feeds.iter().copied().fold(0.0, f64::max);
        let Spread { p50_ms, p99_ms } = Spread::of(&mut times.feeds);
        (self.p50_ms, self.p99_ms) = (p50_ms, p99_ms);
        let stages = times.stages.into_iter();
        self.stages = stages
            .map(|(stage, mut times)| (stage, Spread::of(&mut times)))
            .collect();
    }
}
