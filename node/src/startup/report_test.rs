//! Phases of a start.

use super::*;

#[test]
fn replicas_add_up_and_phases_keep_their_order() {
    let mut report = StartReport::default();
    report.add("log", Duration::from_millis(2), 3);
    let replica = OpenReport {
        records: 10,
        records_time: Duration::from_millis(5),
        vectors_time: Duration::from_millis(7),
        durable_rows: 4,
        ..OpenReport::default()
    };
    report.add_replica(&replica);
    report.add_replica(&replica);
    let found: Vec<_> = report
        .phases()
        .iter()
        .map(|p| (p.phase.clone(), p.us, p.items))
        .collect();
    let expected = [
        ("log", 2000, 3),
        ("records", 10_000, 20),
        ("vectors", 14_000, 8),
        ("unsaved vectors", 0, 0),
    ];
    assert_eq!(found, expected.map(|(phase, us, items)| (phase.to_owned(), us, items)));
}
