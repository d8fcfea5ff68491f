//! Tests of what is printed.

use super::*;

fn report() -> Report {
    Report {
        dataset: "glove".into(),
        rows: 49_500,
        recall_at_10: 0.97,
        recall_at_100: 0.94,
        cpu_us: 100.0,
        hnsw_cpu_us_equal_recall: 200.0,
        steady_cpu_us: 300.0,
        steady_recall_at_10: 0.98,
        index_mb: 10.0,
        hnsw_index_mb: 100.0,
        build_cpu_s: 3.0,
        hnsw_build_cpu_s: 20.0,
        delete50_recall_at_10: 0.97,
        delete50_cpu_us: 110.0,
        filter5_recall_at_10: 0.96,
        filter5_cpu_us: 130.0,
    }
}

#[test]
fn the_table_says_what_is_reached_and_how_near_the_rest_is() {
    let text = table(&report());
    let line = |what: &str| text.lines().find(|line| line.trim().starts_with(what)).unwrap();
    assert!(line("CPU per query").contains("0.500   goal ≤ 0.6   reached, -17 %   100.0 of 200.0 µs"));
    assert!(line("CPU in steady").contains("1.500   goal ≤ 1     missed, +50 %"));
    assert!(line("recall@100").contains("missed, -1 %"));
    assert!(line("recall@10, half deleted").contains("reached, +0 %"));
    assert_eq!(text.matches("missed").count(), 5, "{text}");
}

#[test]
fn the_json_has_every_key_that_was_promised() {
    let json: serde_json::Value = serde_json::to_value([report()]).unwrap();
    for key in [
        "dataset",
        "rows",
        "recall_at_10",
        "recall_at_100",
        "cpu_us",
        "hnsw_cpu_us_equal_recall",
        "steady_cpu_us",
        "index_mb",
        "hnsw_index_mb",
        "build_cpu_s",
        "hnsw_build_cpu_s",
        "delete50_recall_at_10",
        "delete50_cpu_us",
        "filter5_cpu_us",
        "filter5_recall_at_10",
    ] {
        assert!(!json[0][key].is_null(), "{key}");
    }
}
