//! What the demo measures once the world is loaded: recall against exact search, latency of feeds, and the trace of one.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::Result;
use covey_api::v1::{GetFeedReply, GetFeedRequest, PostKey, SearchHit, SearchRequest};
use covey_telemetry::receiver::OtlpReceiver;
use tonic::Code;

use crate::client::{Client, ClientError, refused};

/// Feeds that the latency is taken from.
const FEEDS: usize = 200;

/// Hits compared per query.
const K: u32 = 10;

/// One feed, with explanations if wanted, and its time on this side in milliseconds.
pub(super) async fn feed(client: &Client, viewer_id: u64, explain: bool) -> Result<(GetFeedReply, f64), ClientError> {
    let request = GetFeedRequest {
        viewer_id,
        explain,
        ..GetFeedRequest::default()
    };
    let started = Instant::now();
    let reply = client.rpc().get_feed(request).await.map_err(refused("feed"))?;
    Ok((reply.into_inner(), started.elapsed().as_secs_f64() * 1000.0))
}

/// Every shard had a say in it.
pub(super) fn is_whole(feed: &GetFeedReply) -> bool {
    feed.answer.as_ref().is_some_and(|answer| answer.coverage >= 1.0)
}

/// Times of feeds one after another, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Latency {
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
}

/// Asks for feeds of the viewers in turn.
pub(super) async fn latency(client: &Client, viewers: &[u64]) -> Result<Latency, ClientError> {
    let mut times = Vec::with_capacity(FEEDS);
    for viewer in viewers.iter().cycle().take(FEEDS) {
        times.push(feed(client, *viewer, false).await?.1);
    }
    Ok(Latency {
        p50_ms: quantile(&mut times, 0.5),
        p99_ms: quantile(&mut times, 0.99),
    })
}

/// The smallest value that at least a share `q` of the values does not exceed; 0 without values.
pub(super) fn quantile(values: &mut [f64], q: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let at = (q * values.len() as f64).ceil() as usize;
    values.get(at.saturating_sub(1)).copied().unwrap_or(0.0)
}

/// To so many digits behind the point: what is told.
pub(super) fn rounded(value: f64, digits: i32) -> f64 {
    let factor = 10_f64.powi(digits);
    (value * factor).round() / factor
}

/// Mean share of the exact ten nearest that the indexes find. Equal texts have equal vectors, so a hit counts if it is as
/// near as the exact tenth, whichever of the equals it is.
pub(super) async fn recall(client: &Client, queries: &[PostKey]) -> Result<f64, ClientError> {
    let mut total = 0.0;
    let mut counted = 0;
    for query in queries {
        let exact = match search(client, *query, true).await {
            // The input had it, but it was refused or has expired since.
            Err(ClientError::Refused { status, .. }) if status.code() == Code::NotFound => continue,
            exact => exact?,
        };
        if let Some(share) = found(&search(client, *query, false).await?, &exact) {
            total += share;
            counted += 1;
        }
    }
    Ok(if counted == 0 { 0.0 } else { total / f64::from(counted) })
}

async fn search(client: &Client, post: PostKey, exact: bool) -> Result<Vec<SearchHit>, ClientError> {
    let request = SearchRequest {
        post: Some(post),
        k: K,
        exact,
        ..SearchRequest::default()
    };
    let reply = client.rpc().search_similar(request).await.map_err(refused("search"))?;
    Ok(reply.into_inner().hits)
}

/// `None` when there is nothing to find.
fn found(hits: &[SearchHit], exact: &[SearchHit]) -> Option<f64> {
    let last = exact.last()?.score;
    let good = hits.iter().filter(|hit| hit.score >= last - 1e-6).count();
    Some(good.min(exact.len()) as f64 / exact.len() as f64)
}

/// What arrived of one trace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct TraceSize {
    pub(super) spans: usize,
    pub(super) services: usize,
}

/// Waits until no more spans of the trace come in, at most ten seconds: processes send them in batches.
pub(super) async fn trace(receiver: &OtlpReceiver, trace_id: &str) -> TraceSize {
    let Some(id) = trace_bytes(trace_id) else {
        return TraceSize::default();
    };
    let started = Instant::now();
    let mut last = TraceSize::default();
    let mut steady = 0;
    while started.elapsed() < Duration::from_secs(10) && steady < 15 {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let spans = receiver.trace(id);
        let services: BTreeSet<&str> = spans.iter().map(|span| span.service.as_str()).collect();
        let size = TraceSize {
            spans: spans.len(),
            services: services.len(),
        };
        // Two services are complete only when both the coordinator's and the nodes' batches are in.
        steady = if size == last && size.services > 1 {
            steady + 1
        } else {
            0
        };
        last = size;
    }
    last
}

fn trace_bytes(hex: &str) -> Option<[u8; 16]> {
    u128::from_str_radix(hex, 16).ok().map(u128::to_be_bytes)
}

#[cfg(test)]
#[path = "measure_test.rs"]
mod tests;
