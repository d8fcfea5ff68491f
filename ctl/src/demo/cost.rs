//! What a feed costs, by component: time in the coordinator, and work of the shards.

use covey_api::v1::StageReport;
use serde::Serialize;

use super::measure;
use crate::client::{Client, ClientError};
use crate::render::text::{Style, table};

/// Feeds that the costs are taken from.
const FEEDS: usize = 100;

/// Means of one component per feed.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(super) struct Cost {
    stage: String,
    component: String,
    candidates_in: f64,
    candidates_out: f64,
    /// From call to answer; waits for the shards included.
    time_ms: f64,
    /// Work of all shards for it, which run in parallel.
    shard_work_ms: f64,
    /// Between the coordinator and the nodes, both ways.
    wire_bytes: f64,
}

/// Asks for explained feeds of the viewers, one after another.
pub(super) async fn of_feeds(client: &Client, viewers: &[u64]) -> Result<Vec<Cost>, ClientError> {
    let mut reports = Vec::new();
    for viewer in viewers.iter().cycle().take(FEEDS) {
        reports.push(measure::feed(client, *viewer, true).await?.0.stages);
    }
    Ok(means(&reports))
}

/// In the order in which the components first appear; one that did not run in a feed cost nothing there.
fn means(feeds: &[Vec<StageReport>]) -> Vec<Cost> {
    let mut costs: Vec<Cost> = Vec::new();
    for report in feeds.iter().flatten() {
        let same = |cost: &&mut Cost| cost.stage == report.stage && cost.component == report.component;
        let cost = match costs.iter_mut().find(same) {
            Some(cost) => cost,
            None => {
                costs.push(Cost {
                    stage: report.stage.clone(),
                    component: report.component.clone(),
                    ..Cost::default()
                });
                costs.last_mut().expect("one was pushed")
            }
        };
        let mean = |value: f64| value / feeds.len() as f64;
        cost.candidates_in += mean(report.candidates_in.into());
        cost.candidates_out += mean(report.candidates_out.into());
        cost.time_ms += mean(report.time_ms);
        cost.shard_work_ms += mean(report.shard_work_ms);
        cost.wire_bytes += mean(report.wire_bytes as f64);
    }
    costs
}

/// Bytes of a feed between the coordinator and the nodes.
pub(super) fn wire_bytes(costs: &[Cost]) -> f64 {
    costs.iter().map(|cost| cost.wire_bytes).sum()
}

/// Those that take a noticeable time or change how many candidates there are, in the order of the pipeline.
pub(super) fn human(costs: &[Cost], style: Style) -> String {
    let counts = |cost: &&Cost| cost.time_ms >= 0.01 || (cost.candidates_in - cost.candidates_out).abs() >= 0.05;
    let row = |cost: &Cost| {
        vec![
            cost.stage.clone(),
            cost.component.clone(),
            format!("{:.1}", cost.candidates_in),
            format!("{:.1}", cost.candidates_out),
            format!("{:.2}", cost.time_ms),
            format!("{:.2}", cost.shard_work_ms),
            format!("{:.1}", cost.wire_bytes / 1024.0),
        ]
    };
    let rows: Vec<Vec<String>> = costs.iter().filter(counts).map(row).collect();
    table(
        &["STAGE", "COMPONENT", "IN", "OUT", "MS", "SHARD MS", "KIB"],
        &rows,
        style,
    )
}

#[cfg(test)]
#[path = "cost_test.rs"]
mod tests;
