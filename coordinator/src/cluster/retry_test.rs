//! Retry budget and pauses.

use super::*;

#[test]
fn budget_allows_a_burst_and_then_a_share_of_first_tries() {
    let budget = RetryBudget::new(0.2);
    let burst = (0..1000).filter(|_| budget.spend()).count();
    assert_eq!(burst, BURST as usize);
    budget.first_tries(100);
    assert_eq!((0..1000).filter(|_| budget.spend()).count(), 20);
}

#[test]
fn pause_doubles_up_to_the_limit_and_jitter_only_shortens_it() {
    let backoff = Backoff {
        min: Duration::from_millis(10),
        max: Duration::from_millis(100),
    };
    let ms = |retry, unit| backoff.pause(retry, unit).as_millis();
    assert_eq!(
        [ms(0, 0.0), ms(1, 0.0), ms(2, 0.0), ms(9, 0.0), ms(u32::MAX, 0.0)],
        [10, 20, 40, 100, 100]
    );
    assert_eq!(ms(0, 0.999), 5);
}
