//! Figures of an operation from what became of the requests.

use super::super::super::traffic::Write;
use super::*;

fn at(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn search(due: u64, took: u64, coverage: Option<f64>) -> Event {
    Event {
        due: at(due),
        done: at(due + took),
        coverage,
        lacks: coverage.filter(|share| *share < 1.0).map(|_| "shards [2]".to_owned()),
        failure: coverage.is_none().then(|| "no answer".to_owned()),
        ..Event::default()
    }
}

/// A write of one post, numbered by its acknowledgement.
fn write(shard: u64, done: u64) -> Event {
    let key = PostKey {
        author_id: 1,
        post_id: done,
    };
    Event {
        kind: Kind::Write,
        due: at(done.saturating_sub(5)),
        done: at(done),
        write: Some(Write {
            shard,
            posts: vec![key],
        }),
        ..Event::default()
    }
}

fn window(from: u64, to: u64) -> Window {
    Window {
        op: "move",
        from: at(from),
        to: at(to),
        seconds: 1.25,
        ..Window::default()
    }
}

fn quiet() -> Quiet {
    Quiet {
        p99_ms: 10.0,
        ..Quiet::default()
    }
}

#[test]
fn only_requests_that_were_due_meanwhile_count() {
    let events = [
        search(99, 50, None),
        search(100, 15, Some(1.0)),
        search(150, 5, Some(0.75)),
        search(160, 30, None),
        search(200, 90, None),
        write(1, 140),
    ];
    let figures = Measured::of(&window(100, 200), &events, &quiet(), &BTreeSet::new());
    assert_eq!((figures.requests, figures.failed), (4, 1));
    assert_eq!((figures.min_coverage, figures.p99_ratio), (0.75, 3.0));
    assert_eq!(
        figures.faults,
        ["Search after 5 ms: without shards [2]", "Search after 30 ms: no answer"]
    );
    assert_eq!((figures.seconds, figures.failover_ms), (1.3, None));
}

#[test]
fn the_gap_of_a_shard_is_its_longest_time_without_an_acknowledgement() {
    let events: Vec<Event> = [100, 200, 900, 1_000]
        .map(|done| write(1, done))
        .into_iter()
        .chain([150, 250, 650, 1_000].map(|done| write(2, done)))
        // Not meanwhile.
        .chain([write(3, 5_000)])
        .collect();
    let figures = Measured::of(&window(100, 1_100), &events, &quiet(), &BTreeSet::new());
    assert_eq!(
        (figures.write_gap_ms_p50, figures.write_gap_ms_max),
        (Some(400.0), Some(700.0))
    );
    let none = Measured::of(&window(2_000, 3_000), &events, &quiet(), &BTreeSet::new());
    assert_eq!((none.write_gap_ms_p50, none.write_gap_ms_max), (None, None));
}

#[test]
fn a_shard_that_never_takes_a_write_again_was_silent_to_the_end() {
    let events: Vec<Event> = [50, 90, 110, 1_910, 2_000].map(|done| write(1, done)).into();
    let silence = |shard| Silence {
        shard,
        from: at(100),
        to: at(2_100),
    };
    let killed = Window {
        silences: vec![silence(1), silence(2)],
        ..window(100, 3_000)
    };
    let figures = Measured::of(&killed, &events, &quiet(), &BTreeSet::new());
    // 110 was on its way when the leader died.
    assert_eq!(figures.failovers_ms, [1_800.0, 2_000.0]);
    assert_eq!(figures.failover_ms, Some(2_000.0));
}

#[test]
fn lost_posts_belong_to_the_operation_in_which_they_were_acknowledged() {
    let mut refused = write(1, 160);
    refused.failure = Some("no leader".to_owned());
    refused.write = Some(Write::default());
    let events = [write(1, 90), write(1, 150), refused, write(1, 199), write(1, 200)];
    let lost = BTreeSet::from([90, 150, 200]);
    let figures = Measured::of(&window(100, 200), &events, &quiet(), &lost);
    assert_eq!((figures.lost_acks, figures.failed), (1, 1));
    assert_eq!(acknowledged(&events).len(), 4);
}

#[test]
fn the_end_is_judged_as_it_was_foretold_at_a_quarter_of_the_time() {
    let look = |after_ms, eta_ms| Look { after_ms, eta_ms };
    let ended = |after_ms, looks: &[Look]| Ended {
        after_ms,
        looks: looks.to_vec(),
    };
    let looks = [
        look(500, Some(90_000)),
        look(2_600, Some(5_400)),
        look(9_000, Some(1_000)),
    ];
    assert_eq!(ended(10_000, &looks).eta_error(), Some(0.2));
    // Nothing was told by then; or the operation was short.
    assert_eq!(ended(10_000, &[look(2_600, None), looks[2]]).eta_error(), None);
    assert_eq!(ended(3_900, &looks).eta_error(), None);
    assert_eq!(ended(3_900, &[]).eta_error(), None);
}

#[test]
fn the_quiet_phase_has_the_times_of_its_searches() {
    let events = [
        search(0, 4, Some(1.0)),
        search(10, 8, Some(1.0)),
        search(100, 99, Some(1.0)),
    ];
    let quiet = Quiet::of(&events, (at(0), at(100)));
    assert_eq!((quiet.requests, quiet.failed), (2, 0));
    assert_eq!((quiet.p50_ms, quiet.p99_ms), (4.0, 8.0));
}
