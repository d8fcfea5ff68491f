//! What counts as shown, as latency, and as a broken promise.

use super::*;

const POST: u64 = 7;

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn look(watcher: usize, from: u64, to: u64, shown: &[u64]) -> Look {
    Look {
        watcher,
        from: ms(from),
        to: ms(to),
        ranked: None,
        shown: shown.iter().copied().collect(),
        staleness_ms: 40,
        whole: true,
    }
}

/// Two watchers, both of whom have seen the post, which was taken down at 1000 ms.
fn taken_down() -> Ledger {
    let mut ledger = Ledger::new(2);
    let number = ledger.open(Kind::TakedownReposted, &[POST, POST + 1]);
    ledger.look(&look(0, 10, 20, &[POST]));
    assert_eq!(ledger.unseen(&[number]), 1);
    ledger.look(&look(1, 10, 30, &[POST + 1, 99]));
    assert_eq!(ledger.unseen(&[number]), 0);
    ledger.acked(number, ms(1_000));
    ledger
}

#[test]
fn the_time_ends_with_the_last_reply_that_showed_the_post_or_what_repeats_it() {
    let mut ledger = taken_down();
    assert_eq!(ledger.tries[0].latency(2), Some(ms(0)), "not shown any more");
    ledger.look(&look(0, 900, 1_250, &[POST]));
    ledger.look(&look(1, 1_990, 2_700, &[POST + 1]));
    ledger.look(&look(0, 950, 1_300, &[POST]));
    ledger.look(&look(0, 2_500, 2_600, &[99]));
    assert_eq!(ledger.tries[0].latency(2), Some(ms(1_700)));
    assert_eq!(ledger.tries[0].violations, 0, "all of them began within a second");
}

#[test]
fn a_reply_that_began_a_second_after_the_acknowledgement_breaks_the_promise() {
    let mut ledger = taken_down();
    ledger.look(&look(1, 1_999, 2_010, &[POST]));
    assert_eq!(ledger.tries[0].violations, 0);
    // Both posts of the try in one reply are one violation.
    ledger.look(&look(1, 2_000, 2_010, &[POST, POST + 1]));
    ledger.look(&look(0, 60_000, 60_010, &[POST]));
    assert_eq!(ledger.tries[0].violations, 2);
    assert_eq!(
        ledger.told[0],
        "takedown_reposted 0 is shown to coordinator 1, whole feed, who asked 1.000 s after the acknowledgement; the reply is 40 ms old, \
         as it says"
    );
    assert_eq!(ledger.told.len(), 2);
}

#[test]
fn what_was_not_seen_by_all_or_not_acknowledged_has_no_time() {
    let mut ledger = Ledger::new(2);
    let number = ledger.open(Kind::Delete, &[POST]);
    ledger.look(&look(0, 10, 20, &[POST]));
    ledger.tell_unseen(&[number]);
    assert_eq!(ledger.told, ["delete 0 was never shown to coordinator 1, whole feed"]);
    ledger.acked(number, ms(30));
    assert_eq!(ledger.tries[0].latency(2), None);
    let number = ledger.open(Kind::Delete, &[POST + 1]);
    ledger.look(&look(0, 10, 20, &[POST + 1]));
    ledger.look(&look(1, 10, 20, &[POST + 1]));
    assert_eq!(ledger.tries[number].latency(2), None);
}

#[test]
fn a_round_ends_only_when_every_watcher_has_looked_through_a_session_that_began_late_enough() {
    let mut ledger = Ledger::new(2);
    ledger.look(&look(0, 500, 600, &[]));
    ledger.looked_through(0, ms(500));
    assert!(!ledger.looked_since(ms(0)), "the other watcher has not looked at all");
    ledger.look(&look(1, 700, 900, &[]));
    assert!(!ledger.looked_since(ms(0)), "one reply is no session");
    ledger.looked_through(1, ms(400));
    assert!(ledger.looked_since(ms(400)));
    assert!(!ledger.looked_since(ms(401)), "it counts when a session begins");
}

#[test]
fn replies_that_lack_a_shard_are_counted_and_what_they_show_counts_too() {
    let mut ledger = taken_down();
    let partial = Look {
        whole: false,
        ..look(0, 2_000, 2_010, &[POST])
    };
    ledger.look(&partial);
    assert_eq!((ledger.replies, ledger.partial, ledger.tries[0].violations), (3, 1, 1));
}

#[test]
fn a_page_is_late_if_an_acknowledgement_lies_a_second_before_it_and_behind_the_ranking() {
    let page = |ranked: u64, from: u64| Look {
        ranked: Some(ms(ranked)),
        ..look(0, from, from + 10, &[])
    };
    let late = |pages: &[Look]| {
        // Acknowledged at 1000 ms.
        let mut ledger = taken_down();
        pages.iter().for_each(|page| ledger.look(page));
        ledger.late_pages
    };
    assert_eq!(late(&[page(999, 2_000), page(1_000, 9_000)]), 2);
    assert_eq!(
        late(&[page(999, 1_999), page(1_001, 9_000), look(0, 9_000, 9_010, &[])]),
        0
    );
}
