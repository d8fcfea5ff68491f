//! What is printed: JSON, or a table with the goals.

use std::fmt::Write;

use serde::Serialize;

/// The figures of one data set. Times are CPU time of one thread per query, for ten hits.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Its name.
    pub dataset: String,
    /// Rows, without the queries.
    pub rows: usize,
    /// All rows in one segment, empty tail.
    pub recall_at_10: f64,
    /// As above, for a hundred hits.
    pub recall_at_100: f64,
    /// As above.
    pub cpu_us: f64,
    /// HNSW32,Flat with as many hits found, interpolated between two settings of efSearch.
    pub hnsw_cpu_us_equal_recall: f64,
    /// With a full tail and segments of all tiers.
    pub steady_cpu_us: f64,
    /// As above.
    pub steady_recall_at_10: f64,
    /// Index files in megabytes (10⁶), without the mapped rows.
    pub index_mb: f64,
    /// The same of HNSW, whose vectors are part of the index.
    pub hnsw_index_mb: f64,
    /// Sealing, building, measuring and merging into one segment, all together.
    pub build_cpu_s: f64,
    /// Adding all rows to HNSW.
    pub hnsw_build_cpu_s: f64,
    /// With half of the posts deleted and not yet merged away.
    pub delete50_recall_at_10: f64,
    /// As above.
    pub delete50_cpu_us: f64,
    /// With a filter that one row of twenty passes.
    pub filter5_recall_at_10: f64,
    /// As above.
    pub filter5_cpu_us: f64,
}

/// A figure against its goal.
struct Line {
    what: &'static str,
    figure: f64,
    /// Unless `at_least`, the figure should be at most this.
    goal: f64,
    at_least: bool,
    from: String,
}

/// A readable table.
pub fn table(report: &Report) -> String {
    let mut out = format!("\n{}, {} rows\n", report.dataset, report.rows);
    for line in lines(report) {
        let (sign, good) = if line.at_least {
            ("≥", line.figure >= line.goal)
        } else {
            ("≤", line.figure <= line.goal)
        };
        let distance = 100.0 * (line.figure / line.goal - 1.0);
        let verdict = if good { "reached" } else { "missed" };
        writeln!(
            out,
            "  {:<34} {:>7.3}   goal {sign} {:<5} {verdict}, {distance:+.0} %   {}",
            line.what, line.figure, line.goal, line.from
        )
        .expect("a String takes all that is written");
    }
    out
}

fn lines(r: &Report) -> Vec<Line> {
    let ratio = |what, ours: f64, theirs: f64, goal, unit: &str| Line {
        what,
        figure: ours / theirs,
        goal,
        at_least: false,
        from: format!("{ours:.1} of {theirs:.1} {unit}"),
    };
    let recall = |what, figure, goal| Line {
        what,
        figure,
        goal,
        at_least: true,
        from: String::new(),
    };
    let hnsw = r.hnsw_cpu_us_equal_recall;
    vec![
        recall("recall@10", r.recall_at_10, 0.95),
        recall("recall@100", r.recall_at_100, 0.95),
        ratio("CPU per query / HNSW", r.cpu_us, hnsw, 0.6, "µs"),
        ratio("CPU in steady state / HNSW", r.steady_cpu_us, hnsw, 1.0, "µs"),
        recall("recall@10 in steady state", r.steady_recall_at_10, 0.95),
        ratio("index memory / HNSW", r.index_mb, r.hnsw_index_mb, 0.2, "MB"),
        ratio("build CPU / HNSW", r.build_cpu_s, r.hnsw_build_cpu_s, 0.1, "s"),
        recall("recall@10, half deleted", r.delete50_recall_at_10, r.recall_at_10),
        ratio("CPU, half deleted / none", r.delete50_cpu_us, r.cpu_us, 1.2, "µs"),
        recall("recall@10, 5 % filter", r.filter5_recall_at_10, r.recall_at_10),
        ratio("CPU, 5 % filter / none", r.filter5_cpu_us, r.cpu_us, 1.2, "µs"),
    ]
}

#[cfg(test)]
#[path = "report_test.rs"]
mod tests;
