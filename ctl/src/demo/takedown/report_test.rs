//! What is counted, and what makes a run bad.

use std::time::Duration;

use super::super::ledger::Look;
use super::*;

fn look(from_ms: u64, to_ms: u64, post: u64) -> Look {
    Look {
        watcher: 0,
        from: Duration::from_millis(from_ms),
        to: Duration::from_millis(to_ms),
        ranked: None,
        shown: [post].into(),
        staleness_ms: 0,
        whole: true,
    }
}

/// Takedowns that were shown for 100, 200, … ms behind their acknowledgements at 1 s, and one deletion that nobody saw before.
fn ledger(tries: u64) -> Ledger {
    let mut ledger = Ledger::new(1);
    for post in 1..=tries {
        let number = ledger.open(Kind::Takedown, &[post]);
        ledger.acked(number, Duration::from_secs(1));
        ledger.look(&look(900, 1_000 + 100 * post, post));
    }
    ledger
}

#[test]
fn figures_are_of_what_was_seen_and_acknowledged() {
    let mut ledger = ledger(10);
    let report = Report::of(&ledger, &[], 0, 12.34);
    assert!(report.is_good(false));
    assert!(!report.is_good(true), "no leader was killed");
    let [all, takedowns] = &report.figures[..] else {
        panic!("{report:?}")
    };
    assert_eq!((all.p50_ms, all.p99_ms, all.worst_ms), (500.0, 1_000.0, 1_000.0));
    assert_eq!((all.tries, all.seconds, all.replies), (10, 12.3, 10));
    assert_eq!((takedowns.kind, takedowns.tries), ("takedown", 10));
    assert!(
        report
            .human(Style::plain())
            .contains("worst of 10 tries: 1000 ms (wanted: at most 1000 ms): met")
    );

    let number = ledger.open(Kind::Delete, &[99]);
    ledger.acked(number, Duration::from_secs(2));
    let report = Report::of(&ledger, &[], 0, 1.0);
    assert!(!report.is_good(false), "nobody can say that it went away");
    assert_eq!((report.figures[0].tries, report.figures[0].unseen), (10, 1));
}

#[test]
fn a_broken_promise_or_no_try_at_all_makes_a_run_bad() {
    assert!(!Report::of(&ledger(0), &[], 0, 1.0).is_good(false));
    assert!(Report::of(&ledger(2), &[], 1, 1.0).is_good(true));
    let mut ledger = ledger(2);
    ledger.look(&look(2_500, 2_600, 2));
    let report = Report::of(&ledger, &[], 1, 1.0);
    assert!(!report.is_good(true));
    assert_eq!(report.figures[0].violations, 1);
    assert_eq!(report.figures[0].worst_ms, 1_600.0);
    assert!(report.human(Style::plain()).contains("missed"));
}

#[test]
fn what_is_compared_is_not_rounded() {
    let mut ledger = ledger(1);
    let late = Look {
        to: Duration::from_micros(2_000_010),
        ..look(900, 0, 1)
    };
    ledger.look(&late);
    let report = Report::of(&ledger, &[], 0, 1.0);
    let all = &report.figures[0];
    assert_eq!((all.worst_ms, all.violations), (1_000.0, 0));
    assert!(!report.is_good(false), "ten microseconds too long");
    assert!(report.human(Style::plain()).contains("at most 1000 ms): missed"));
}

#[test]
fn every_kind_has_a_line_of_json() {
    let json = Report::of(&ledger(1), &[], 3, 1.0).json().unwrap();
    let lines: Vec<serde_json::Value> = json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let kinds: Vec<&str> = lines.iter().filter_map(|line| line["kind"].as_str()).collect();
    assert_eq!(kinds, ["all", "takedown"]);
    for key in [
        "tries",
        "p50_ms",
        "p99_ms",
        "worst_ms",
        "violations",
        "partial",
        "late_pages",
        "seconds",
        "faults",
    ] {
        assert!(lines[1][key].is_number(), "{key} of {}", lines[1]);
    }
}
