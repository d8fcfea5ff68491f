//! Searches at a fixed rate, whatever the answers take: a slow cluster cannot slow down its own measurement.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use covey_api::v1::{SearchReply, SearchRequest};
use serde::Serialize;

use super::bench::cpu;
use super::measure::quantile;
use super::paced::{Pace, paced};
use super::processes::Processes;
use crate::client::Client;
use crate::world::World;

/// Hits of a search.
const K: u32 = 10;

/// Searches of one phase; times from the moment a search was due.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(super) struct Searches {
    pub(super) asked: u64,
    /// No answer, or not sent because too many were open.
    pub(super) failed: u64,
    /// Coverage below 1, cut short, or something is named in `degraded`, old answers for instance.
    pub(super) incomplete: u64,
    /// Fewer hits than wanted: a replica answered that does not hold what the others hold.
    pub(super) short: u64,
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
    pub(super) max_ms: f64,
    /// Mean of the slowest 1 %: longest wait on a shard for a thread, longest work on a shard.
    slow_queue_ms: f64,
    slow_work_ms: f64,
    /// CPU time of each process over time passed: 1 is one core.
    cores: BTreeMap<String, f64>,
}

/// The texts of these posts, as far as they have some.
pub(super) fn texts(world: &World, posts: impl Iterator<Item = u64>) -> Result<Vec<String>> {
    let texts: Vec<String> = posts
        .map(|post| world.post(post).text)
        .filter(|text| !text.is_empty())
        .collect();
    if texts.is_empty() {
        bail!("a world without texts has nothing to search for; give --posts");
    }
    Ok(texts)
}

/// Searches at a fixed rate, whatever the answers take.
pub(super) struct Searcher {
    pub(super) client: Client,
    pub(super) texts: Arc<Vec<String>>,
    pub(super) per_s: u32,
}

impl Searcher {
    pub(super) async fn run(&self, time: Duration, processes: &Processes) -> Result<Searches> {
        let cpu_before = cpu(processes);
        let start = Instant::now();
        let mut out = self.ask(time, Arc::default()).await?;
        let passed_ms = start.elapsed().as_secs_f64() * 1000.0;
        for (name, now) in cpu(processes) {
            let used = now.saturating_sub(cpu_before.get(&name).copied().unwrap_or(0));
            out.cores.insert(name, used as f64 / passed_ms);
        }
        Ok(out)
    }

    /// Until `stop` is set, at most for `time`; without looking at the processes.
    pub(super) async fn ask(&self, time: Duration, stop: Arc<AtomicBool>) -> Result<Searches> {
        let (mut out, mut times) = (Searches::default(), Vec::new());
        let pace = Pace {
            per_s: self.per_s,
            time,
            stop,
        };
        let ask = |number: u64, due| {
            let text = self.texts[number as usize % self.texts.len()].clone();
            search(self.client.clone(), text, due)
        };
        out.asked = paced(pace, ask, |done| out.count(done, &mut times)).await?;
        out.conclude(times);
        Ok(out)
    }
}

/// Where the time of one search went, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Timing {
    /// From the moment it was due.
    took: f64,
    /// Longest wait on a shard for a thread.
    queue: f64,
    /// Longest work on a shard.
    work: f64,
}

async fn search(client: Client, text: String, due: Instant) -> Option<(f64, SearchReply)> {
    let request = SearchRequest {
        text,
        k: K,
        ..SearchRequest::default()
    };
    let reply = client.rpc().search_similar(request).await.ok()?;
    Some((due.elapsed().as_secs_f64() * 1000.0, reply.into_inner()))
}

impl Searches {
    /// Of all answers.
    fn conclude(&mut self, mut times: Vec<Timing>) {
        times.sort_by(|a, b| a.took.total_cmp(&b.took));
        let slow = &times[times.len() - times.len().div_ceil(100)..];
        let mean = |of: fn(&Timing) -> f64| slow.iter().map(of).sum::<f64>() / slow.len().max(1) as f64;
        self.slow_queue_ms = mean(|time| time.queue);
        self.slow_work_ms = mean(|time| time.work);
        let mut took: Vec<f64> = times.iter().map(|time| time.took).collect();
        self.max_ms = took.last().copied().unwrap_or(0.0);
        self.p50_ms = quantile(&mut took, 0.5);
        self.p99_ms = quantile(&mut took, 0.99);
    }

    fn count(&mut self, done: Option<(f64, SearchReply)>, times: &mut Vec<Timing>) {
        let Some((took, reply)) = done else {
            self.failed += 1;
            return;
        };
        self.short += u64::from(reply.hits.len() < K as usize);
        let answer = reply.answer.unwrap_or_default();
        let ms = |part: &str| answer.timings_ms.get(part).copied().unwrap_or(0.0);
        times.push(Timing {
            took,
            queue: ms("shard_queue"),
            work: ms("shard_work"),
        });
        self.incomplete += u64::from(answer.coverage < 1.0 || !answer.degraded.is_empty());
    }

    /// Its p99 over that of a quiet phase.
    pub(super) fn p99_by(&self, quiet: &Searches) -> f64 {
        self.p99_ms / quiet.p99_ms.max(0.001)
    }

    pub(super) fn human(&self, name: &str) -> String {
        let cores: Vec<String> = self
            .cores
            .iter()
            .map(|(name, cores)| format!("{name} {cores:.2}"))
            .collect();
        format!(
            "{name:<12} p50 {:>6.1} ms, p99 {:>6.1} ms, max {:>6.1} ms; {} asked, {} failed, {} incomplete\n             \
             slowest 1 %: waited {:.1} ms for a thread of a shard, which worked {:.1} ms; cores: {}\n",
            self.p50_ms,
            self.p99_ms,
            self.max_ms,
            self.asked,
            self.failed,
            self.incomplete,
            self.slow_queue_ms,
            self.slow_work_ms,
            cores.join(", ")
        )
    }
}

#[cfg(test)]
#[path = "searches_test.rs"]
mod tests;
