//! What fails a run, and what is only told.

use super::*;

fn measured(op: &'static str) -> Measured {
    Measured {
        op,
        requests: 100,
        min_coverage: 1.0,
        p99_ratio: 1.2,
        write_gap_ms_p50: Some(150.0),
        write_gap_ms_max: Some(900.0),
        seconds: 5.0,
        ..Measured::default()
    }
}

fn report(measured: Vec<Measured>) -> Report {
    Report {
        shape: Shape {
            nodes: 4,
            shards: 4,
            replication: 3,
        },
        posts: 100_000,
        ingest_per_s: 1_000.0,
        rates: Rates {
            searches: 20,
            feeds: 5,
            posts: 100,
        },
        quiet: Quiet::default(),
        acknowledged: 5_000,
        lost: 0,
        measured,
    }
}

fn missed(report: &Report) -> Vec<&'static str> {
    let bars = report.bars();
    bars.iter()
        .filter(|bar| bar.met == Some(false))
        .map(|bar| bar.what)
        .collect()
}

#[test]
fn a_run_is_good_while_nothing_failed_and_nothing_was_lost() {
    let slow = Measured {
        p99_ratio: 9.0,
        write_gap_ms_p50: Some(5_000.0),
        failover_ms: Some(5_000.0),
        failovers_ms: vec![300.0, 1_000.0, 5_000.0],
        eta_error: Some(0.5),
        min_coverage: 0.7,
        ..measured("kill_leader")
    };
    let report_of_slow = report(vec![measured("move"), slow]);
    assert!(report_of_slow.is_good());
    assert_eq!(
        missed(&report_of_slow),
        ["p99 / quiet", "fail-over, worst", "ETA at a quarter"]
    );
    let paused = Measured {
        write_gap_ms_p50: Some(1_001.0),
        ..measured("drain")
    };
    assert_eq!(missed(&report(vec![paused])), ["write gap, p50"]);
    let failed = Measured {
        failed: 1,
        ..measured("move")
    };
    assert!(!report(vec![failed]).is_good());
    let lost = Report {
        lost: 1,
        ..report(vec![measured("move")])
    };
    assert!(!lost.is_good());
    assert_eq!(lost.faults(), ["1 lost posts were acknowledged between the operations"]);
}

#[test]
fn less_than_everything_is_missed_only_where_it_is_not_named() {
    let unnamed = Measured {
        min_coverage: 0.9999,
        unnamed: 2,
        ..measured("drain")
    };
    let report = report(vec![unnamed]);
    assert_eq!(missed(&report), ["coverage"]);
    assert!(report.human(Style::plain()).contains("0.999 "));
}

#[test]
fn what_was_not_measured_is_neither_met_nor_missed() {
    let bars = report(vec![measured("move")]).bars();
    let open = bars.iter().filter(|bar| bar.met.is_none()).map(|bar| bar.what);
    assert_eq!(
        open.collect::<Vec<&str>>(),
        ["fail-over, p50", "fail-over, worst", "ETA at a quarter"]
    );
}

#[test]
fn the_json_has_the_figures_and_nothing_else() {
    let json = serde_json::to_string(&[measured("move")]).unwrap();
    assert_eq!(
        json,
        r#"[{"op":"move","requests":100,"failed":0,"lost_acks":0,"min_coverage":1.0,"p99_ratio":1.2,"write_gap_ms_p50":150.0,"write_gap_ms_max":900.0,"failover_ms":null,"seconds":5.0,"eta_error":null}]"#
    );
}
