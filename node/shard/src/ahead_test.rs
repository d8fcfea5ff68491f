//! The same parts in the same order, whoever makes them.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

fn env() -> Env {
    Env::production(1).unwrap()
}

#[test]
fn parts_come_in_order_and_once_with_any_number_of_helpers() {
    let env = env();
    for (helpers, parts) in [(0, 0), (0, 1), (0, 100), (1, 1), (1, 100), (3, 2), (3, 1000), (8, 1000)] {
        let made = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&made);
        let ahead = ReadAhead::start(&env, helpers, parts, move |number| {
            counter.fetch_add(1, Ordering::Relaxed);
            number * 3
        });
        let taken: Vec<usize> = std::iter::from_fn(|| ahead.next()).collect();
        let expected: Vec<usize> = (0..parts).map(|number| number * 3).collect();
        assert_eq!(taken, expected, "{helpers} helpers");
        assert_eq!(made.load(Ordering::Relaxed), parts);
    }
}

#[test]
fn no_more_than_the_window_is_made_ahead_and_nothing_is_kept_afterwards() {
    let held = Arc::new(AtomicUsize::new(0));
    for helpers in [0, 2] {
        let makers = Arc::clone(&held);
        let ahead = ReadAhead::start(&env(), helpers, 1000, move |number| {
            (number, makers.fetch_add(1, Ordering::Relaxed))
        });
        for wanted in 0..100 {
            let (number, _) = ahead.next().unwrap();
            assert_eq!(number, wanted);
            assert!(held.load(Ordering::Relaxed) <= wanted + 1 + WINDOW);
        }
        drop(ahead);
        assert_eq!(Arc::strong_count(&held), 1, "{helpers} helpers");
        held.store(0, Ordering::Relaxed);
    }
}

#[test]
#[should_panic(expected = "panicked")]
fn a_helper_that_panics_takes_the_taker_along_instead_of_leaving_it_waiting() {
    let here = std::thread::current().id();
    let ahead = ReadAhead::start(&env(), 1, 1_000_000, move |number| {
        assert!(std::thread::current().id() == here, "only helpers fail");
        number
    });
    while ahead.next().is_some() {}
}
