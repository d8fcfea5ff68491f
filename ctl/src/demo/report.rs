//! The figures of `covey demo --once`.

use anyhow::Result;
use serde::Serialize;

use super::measure::rounded;
use super::place::NODES;
use super::session::WANTED_SHARE;
use crate::commands::Outcome;
use crate::render::text::{self, count};

/// One line of JSON.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Report {
    /// Nodes that answer.
    pub(super) nodes: usize,
    pub(super) shards: usize,
    /// Live posts.
    pub(super) posts: u64,
    /// While the data was loaded, maybe in an earlier run.
    pub(super) ingest_per_s: f64,
    /// Posts of the shown feed.
    pub(super) feed_posts: usize,
    /// Share of the slots that answered it.
    pub(super) coverage: f64,
    /// Of the indexes against exact search.
    pub(super) recall_at_10: f64,
    /// Share of the vectors that an index answers.
    pub(super) ivf_rows_share: f64,
    /// Median time of a feed, one at a time.
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
    /// Spans of the shown feed; 0 when they went to an outside collector.
    pub(super) spans_in_trace: usize,
    /// Kinds of processes among them.
    pub(super) services_in_trace: usize,
    /// Every shard had a leader and all its replicas.
    #[serde(skip)]
    pub(super) complete: bool,
}

impl Report {
    /// A complete cluster served the feed, and the indexes did the work.
    fn is_good(&self) -> bool {
        self.complete
            && self.nodes == NODES
            && self.feed_posts > 0
            && self.coverage >= 1.0
            && self.ivf_rows_share >= WANTED_SHARE
    }

    pub(super) fn print(&self, json: bool) -> Result<Outcome> {
        let line = if json {
            serde_json::to_string(&self.rounded())? + "\n"
        } else {
            self.human()
        };
        text::print(&line)?;
        if self.is_good() {
            return Ok(Outcome::Done);
        }
        eprintln!(
            "not good: wanted are {NODES} nodes in full health, coverage 1, a feed with posts, and indexes for {:.0} % of the vectors",
            WANTED_SHARE * 100.0
        );
        Ok(Outcome::NotGood)
    }

    fn rounded(&self) -> Report {
        Report {
            recall_at_10: rounded(self.recall_at_10, 4),
            ivf_rows_share: rounded(self.ivf_rows_share, 4),
            p50_ms: rounded(self.p50_ms, 2),
            p99_ms: rounded(self.p99_ms, 2),
            ..self.clone()
        }
    }

    fn human(&self) -> String {
        format!(
            "{} nodes, {} shards, {} posts, loaded at {:.0}/s\nfeed of {} posts, coverage {:.3}; p50 {:.1} ms, p99 {:.1} ms\n\
             recall@10 {:.3} with {:.0} % of the vectors indexed\ntrace of the feed: {} spans from {} services\n",
            self.nodes,
            self.shards,
            count(self.posts),
            self.ingest_per_s,
            self.feed_posts,
            self.coverage,
            self.p50_ms,
            self.p99_ms,
            self.recall_at_10,
            self.ivf_rows_share * 100.0,
            self.spans_in_trace,
            self.services_in_trace,
        )
    }
}

#[cfg(test)]
#[path = "report_test.rs"]
mod tests;
