//! The figures and when they are good.

use super::*;

fn report() -> Report {
    Report {
        nodes: 3,
        shards: 8,
        posts: 100_000,
        ingest_per_s: 5_000.0,
        feed_posts: 35,
        coverage: 1.0,
        recall_at_10: 0.987_654,
        ivf_rows_share: 0.9,
        p50_ms: 12.345,
        p99_ms: 40.0,
        spans_in_trace: 60,
        services_in_trace: 2,
        complete: true,
    }
}

#[test]
fn the_line_has_exactly_the_promised_keys() {
    let value = serde_json::to_value(report().rounded()).unwrap();
    let keys: Vec<&String> = value.as_object().unwrap().keys().collect();
    let mut wanted = vec![
        "nodes",
        "shards",
        "posts",
        "ingest_per_s",
        "feed_posts",
        "coverage",
        "recall_at_10",
        "ivf_rows_share",
        "p50_ms",
        "p99_ms",
        "spans_in_trace",
        "services_in_trace",
    ];
    wanted.sort_unstable();
    let mut keys: Vec<&str> = keys.into_iter().map(String::as_str).collect();
    keys.sort_unstable();
    assert_eq!(keys, wanted);
    assert_eq!(value["recall_at_10"], 0.9877);
}

#[test]
fn only_a_complete_cluster_with_indexes_is_good() {
    assert!(report().is_good());
    let bad = [
        Report { nodes: 2, ..report() },
        Report {
            coverage: 0.875,
            ..report()
        },
        Report {
            ivf_rows_share: 0.7,
            ..report()
        },
        Report {
            feed_posts: 0,
            ..report()
        },
        Report {
            complete: false,
            ..report()
        },
    ];
    assert!(bad.iter().all(|report| !report.is_good()));
}
