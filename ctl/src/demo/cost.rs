//! What a feed costs, by component: time in the coordinator, and work of the shards.

use covey_api::v1::StageReport;
use serde::Serialize;

use super::measure;
use crate::client::{Client, ClientError};
use crate::render::text::{Style, table};

/// Feeds that the costs are taken from.
const FEEDS: usize = 100;

/// Mean costs of one component per feed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Cost {
    stage: String,
    component: String,
    /// From call to answer; waits for the shards included.
    time_ms: f64,
    /// Work of all shards for it, which run in parallel.
    shard_work_ms: f64,
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
                    time_ms: 0.0,
                    shard_work_ms: 0.0,
                });
                costs.last_mut().expect("one was pushed")
            }
        };
        cost.time_ms += report.time_ms / feeds.len() as f64;
        cost.shard_work_ms += report.shard_work_ms / feeds.len() as f64;
    }
    costs
}

/// Those that take a noticeable time, dearest first.
pub(super) fn human(costs: &[Cost], style: Style) -> String {
    let mut costs: Vec<&Cost> = costs.iter().filter(|cost| cost.time_ms >= 0.01).collect();
    costs.sort_by(|a, b| {
        b.shard_work_ms
            .total_cmp(&a.shard_work_ms)
            .then(b.time_ms.total_cmp(&a.time_ms))
    });
    let row = |cost: &&Cost| {
        vec![
            cost.stage.clone(),
            cost.component.clone(),
            format!("{:.2}", cost.time_ms),
            format!("{:.2}", cost.shard_work_ms),
        ]
    };
    let rows: Vec<Vec<String>> = costs.iter().map(row).collect();
    table(&["STAGE", "COMPONENT", "MS", "SHARD MS"], &rows, style)
}

#[cfg(test)]
#[path = "cost_test.rs"]
mod tests;
