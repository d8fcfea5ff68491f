//! What is slow and what is not whole is told.

use covey_api::v1::{Answer, Degraded, SearchHit};

use super::*;

#[test]
fn an_answer_that_is_not_whole_is_counted() {
    let answer = |coverage, degraded| SearchReply {
        answer: Some(Answer {
            coverage,
            degraded,
            ..Answer::default()
        }),
        ..SearchReply::default()
    };
    let (mut searches, mut times) = (Searches::default(), Vec::new());
    searches.count(Some((1.0, answer(1.0, vec![]))), &mut times);
    searches.count(Some((2.0, answer(0.5, vec![]))), &mut times);
    searches.count(Some((3.0, answer(1.0, vec![Degraded::default()]))), &mut times);
    searches.count(None, &mut times);
    assert_eq!((searches.incomplete, searches.failed), (2, 1));
    assert_eq!(times.iter().map(|time| time.took).collect::<Vec<_>>(), [1.0, 2.0, 3.0]);
}

#[test]
fn an_answer_with_too_few_hits_is_told() {
    let answer = |hits| SearchReply {
        hits: vec![SearchHit::default(); hits],
        answer: Some(Answer {
            coverage: 1.0,
            ..Answer::default()
        }),
        ..SearchReply::default()
    };
    let (mut searches, mut times) = (Searches::default(), Vec::new());
    searches.count(Some((1.0, answer(K as usize))), &mut times);
    searches.count(Some((1.0, answer(K as usize - 1))), &mut times);
    assert_eq!((searches.short, searches.incomplete, times.len()), (1, 0, 2));
}

#[test]
fn the_slowest_searches_say_what_they_waited_for() {
    let time = |took| Timing {
        took,
        queue: took / 2.0,
        work: took / 4.0,
    };
    let mut searches = Searches::default();
    searches.conclude((1..=200).rev().map(|took| time(f64::from(took))).collect());
    assert_eq!(
        (searches.p50_ms, searches.p99_ms, searches.max_ms),
        (100.0, 198.0, 200.0)
    );
    assert_eq!((searches.slow_queue_ms, searches.slow_work_ms), (99.75, 49.875));
    searches.conclude(Vec::new());
    assert_eq!((searches.p99_ms, searches.slow_work_ms), (0.0, 0.0));
}
