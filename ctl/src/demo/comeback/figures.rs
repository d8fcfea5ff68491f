//! What is told of the replicas that came back, and whether it is as it must be.

use serde::Serialize;

use super::super::searches::Searches;
use super::transfer::Moved;
use crate::render::text::{Style, bytes, count, table};

/// One return of node 3.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Return {
    pub(super) after: &'static str,
    /// `None`: no snapshot was used.
    pub(super) moved: Option<Moved>,
    /// Kills that were wanted.
    pub(super) kills_wanted: usize,
    /// From its first start: until it fetched, until it had all bytes, and until it was whole.
    pub(super) fetching_s: Option<f64>,
    pub(super) fetched_s: Option<f64>,
    pub(super) whole_s: f64,
    /// Posts that were written meanwhile.
    pub(super) written: u64,
    /// From just before node 3 was taken away or started, until it was whole.
    pub(super) searches: Searches,
    /// Their p99 by the quiet one.
    pub(super) p99_ratio: f64,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Figures {
    pub(super) posts: u64,
    pub(super) posts_per_entry: u16,
    pub(super) ingest_per_s: f64,
    /// What node 3 lacked when it came back the first time.
    pub(super) posts_behind: u64,
    pub(super) entries_behind: u64,
    /// Entries of its log that node 3 lacked and the leader no longer had.
    pub(super) entries_gone: u64,
    pub(super) snapshot_rate: u64,
    pub(super) searches_per_s: u32,
    pub(super) writes_per_s: u64,
    /// With two replicas.
    pub(super) quiet: Searches,
    pub(super) returns: Vec<Return>,
    /// Of the writes beside the searches.
    pub(super) accepted: u64,
    pub(super) refused: u64,
    /// Live posts of each replica in the end.
    pub(super) replicas: Vec<u64>,
    /// All replicas hold the same.
    pub(super) equal: bool,
}

impl Figures {
    /// What is not as it must be.
    pub(super) fn faults(&self) -> Vec<String> {
        let mut faults = self.search_faults();
        for back in &self.returns {
            let after = back.after;
            match &back.moved {
                None => faults.push(format!("{after}: the replica came back without a snapshot")),
                Some(moved) if moved.verified_again_bytes > 0 => faults.push(format!(
                    "{after}: {} of verified files were sent again",
                    bytes(moved.verified_again_bytes)
                )),
                // What the lives before had of another one is not counted as sent again.
                Some(moved) if moved.changes > 0 => faults.push(format!(
                    "{after}: the transfer began anew with another snapshot, {} times",
                    moved.changes
                )),
                Some(moved) if moved.kills < back.kills_wanted => faults.push(format!(
                    "{after}: the transfer was over after {} of {} kills; take more --posts",
                    moved.kills, back.kills_wanted
                )),
                Some(_) => {}
            }
        }
        if self.accepted == 0 {
            faults.push("no write was acknowledged".to_owned());
        }
        if !self.equal {
            faults.push("the replicas are not equal".to_owned());
        }
        // A write without an answer may have been done all the same.
        let expected = self.posts + self.accepted..=self.posts + self.accepted + self.refused;
        if !self.replicas.iter().all(|posts| expected.contains(posts)) {
            faults.push(format!(
                "the replicas hold {:?} posts; {} were acknowledged",
                self.replicas,
                expected.start()
            ));
        }
        faults
    }

    fn search_faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let phases = self.returns.iter().map(|back| (back.after, &back.searches));
        for (phase, searches) in [("quiet", &self.quiet)].into_iter().chain(phases) {
            if searches.asked == 0 || searches.failed > 0 {
                faults.push(format!(
                    "{phase}: {} of {} searches failed",
                    searches.failed, searches.asked
                ));
            }
            if searches.incomplete > 0 {
                faults.push(format!(
                    "{phase}: {} of {} answers were not whole",
                    searches.incomplete, searches.asked
                ));
            }
            // The others hold enough posts for every search.
            if searches.short > 0 {
                faults.push(format!(
                    "{phase}: {} of {} answers had too few hits: a replica without the posts gave them",
                    searches.short, searches.asked
                ));
            }
        }
        faults
    }

    pub(super) fn human(&self, style: Style) -> String {
        let mut out = format!(
            "one shard of {} posts, loaded into two of its three replicas at {:.0} posts/s, {} per entry of the log\n\
             node 3 lacked {} posts, {} entries of the log, of which {} are gone; snapshots at {}/s\n\
             {} searches/s; beside them {} posts/s and as many favourites: {} written, {} refused\n\n",
            count(self.posts),
            self.ingest_per_s,
            self.posts_per_entry,
            count(self.posts_behind),
            count(self.entries_behind),
            count(self.entries_gone),
            bytes(self.snapshot_rate),
            self.searches_per_s,
            self.writes_per_s,
            count(self.accepted),
            count(self.refused),
        );
        let header = [
            "NODE 3",
            "SNAPSHOT",
            "RECEIVED",
            "AGAIN",
            "VERIFIED AGAIN",
            "KILLS",
            "FETCHES",
            "HAS ALL",
            "WHOLE",
        ];
        let rows: Vec<Vec<String>> = self.returns.iter().map(Return::row).collect();
        out += &table(&header, &rows, style);
        out.push('\n');
        let header = [
            "SEARCHES",
            "P50",
            "P99",
            "MAX",
            "P99 / QUIET",
            "ASKED",
            "FAILED",
            "NOT WHOLE",
            "TOO FEW HITS",
        ];
        let mut rows = vec![searches("quiet, without node 3", &self.quiet, 1.0)];
        let rest = self.returns.iter();
        rows.extend(rest.map(|back| searches(back.after, &back.searches, back.p99_ratio)));
        out += &table(&header, &rows, style);
        let faults = self.faults();
        for fault in &faults {
            out += &format!("{}\n", style.bad(fault));
        }
        if faults.is_empty() {
            let held = self.replicas.first().copied().unwrap_or_default();
            out += &format!("{} each replica holds {} posts\n", style.good("equal:"), count(held));
        }
        out
    }
}

impl Return {
    fn row(&self) -> Vec<String> {
        let moved = self.moved.unwrap_or_default();
        let seconds = |at: Option<f64>| at.map_or("-".to_owned(), |at| format!("{at:.1} s"));
        vec![
            self.after.to_owned(),
            bytes(moved.snapshot_bytes),
            bytes(moved.received_bytes),
            bytes(moved.again_bytes),
            bytes(moved.verified_again_bytes),
            moved.kills.to_string(),
            seconds(self.fetching_s),
            seconds(self.fetched_s),
            seconds(Some(self.whole_s)),
        ]
    }
}

fn searches(phase: &str, searches: &Searches, ratio: f64) -> Vec<String> {
    let ms = |value: f64| format!("{value:.1} ms");
    vec![
        phase.to_owned(),
        ms(searches.p50_ms),
        ms(searches.p99_ms),
        ms(searches.max_ms),
        format!("{ratio:.2}"),
        count(searches.asked),
        count(searches.failed),
        count(searches.incomplete),
        count(searches.short),
    ]
}

#[cfg(test)]
#[path = "figures_test.rs"]
mod tests;
