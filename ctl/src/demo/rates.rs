//! Feeds at a fixed rate, whatever the answers take: a slow cluster cannot slow down its own measurement.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::Result;
use covey_api::v1::{GetFeedReply, GetFeedRequest};
use serde::Serialize;

use super::measure::quantile;
use super::paced::{Pace, paced};
use crate::client::Client;

/// How feeds went at one rate.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(super) struct Rate {
    /// Feeds asked for per second.
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
    /// Mean time per stage, as the replies say, in milliseconds.
    pub(super) stages_ms: BTreeMap<String, f64>,
}

/// Asks for feeds of the viewers in turn for `time`.
pub(super) async fn feeds(client: &Client, viewers: &[u64], per_s: u32, time: Duration) -> Result<Rate> {
    let mut rate = Rate {
        per_s,
        ..Rate::default()
    };
    let mut times = Vec::new();
    let ask = |number: u64, due| one(client.clone(), viewers[number as usize % viewers.len()], due);
    let pace = Pace {
        per_s,
        time,
        ..Pace::default()
    };
    let asked = paced(pace, ask, |done| rate.count(done, &mut times)).await?;
    rate.asked = asked;
    rate.max_ms = times.iter().copied().fold(0.0, f64::max);
    rate.p50_ms = quantile(&mut times, 0.5);
    rate.p99_ms = quantile(&mut times, 0.99);
    let answered = times.len().max(1) as f64;
    rate.stages_ms.values_mut().for_each(|sum| *sum /= answered);
    Ok(rate)
}

async fn one(client: Client, viewer_id: u64, due: Instant) -> Option<(f64, GetFeedReply)> {
    let request = GetFeedRequest {
        viewer_id,
        ..GetFeedRequest::default()
    };
    let reply = client.rpc().get_feed(request).await.ok()?;
    Some((due.elapsed().as_secs_f64() * 1000.0, reply.into_inner()))
}

impl Rate {
    fn count(&mut self, done: Option<(f64, GetFeedReply)>, times: &mut Vec<f64>) {
        let Some((took, reply)) = done else {
            self.failed += 1;
            return;
        };
        times.push(took);
        let answer = reply.answer.unwrap_or_default();
        self.incomplete += u64::from(answer.coverage < 1.0);
        for (stage, ms) in answer.timings_ms {
            *self.stages_ms.entry(stage).or_default() += ms;
        }
    }
}
