//! What the summary of a load says.

use std::time::Duration;

use super::*;

#[test]
fn the_summary_names_bad_rows_and_the_shift() {
    let report = Report {
        rows: 10,
        resumed_at: 0,
        users: 1,
        posts: 1_500,
        actions: 0,
        retries: 0,
        bad: 3,
        first_bad: vec![(17, "no JSON".into())],
        shift_ms: 86_400_000 * 30,
        elapsed: Duration::from_secs(3),
        posting: Duration::from_secs(2),
    };
    let text = summary(&report);
    assert!(
        text.contains("1 500 posts, 1 users, 0 actions in 3.0 s; 750 posts/s"),
        "{text}"
    );
    assert!(text.contains("30 days (2592000000 ms) later"), "{text}");
    assert!(
        text.contains("3 rows were not loaded:\n  line 17: no JSON\n  and 2 more"),
        "{text}"
    );
}
