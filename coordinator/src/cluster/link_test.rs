//! Window, breaker and latency of a link.

use covey_shared::ids::NodeId;

use super::*;

fn limits() -> LinkLimits {
    LinkLimits {
        window: 3,
        breaker_failures: 2,
        breaker_open: Duration::from_secs(1),
        hedge_quantile: 0.95,
    }
}

fn at(ms: u64) -> Monotonic {
    Monotonic(Duration::from_millis(ms))
}

fn fail(link: &mut LinkState, now: Monotonic) {
    link.begin(now).unwrap();
    link.end(now, FAIR_WAIT, CallEnd::Failed);
}

#[test]
fn window_bounds_calls_on_the_way() {
    let mut link = LinkState::new(limits());
    for _ in 0..3 {
        link.begin(at(0)).unwrap();
    }
    assert!(matches!(link.begin(at(0)), Err(CallError::WindowFull)));
    link.end(at(1), Duration::from_millis(1), CallEnd::Answered);
    link.begin(at(1)).unwrap();
}

#[test]
fn breaker_opens_after_failures_in_a_row_and_lets_one_probe_through() {
    let mut link = LinkState::new(limits());
    fail(&mut link, at(0));
    assert!(link.view(at(0)).available);
    fail(&mut link, at(0));
    assert!(!link.view(at(999)).available);
    assert!(matches!(link.begin(at(999)), Err(CallError::BreakerOpen)));
    link.begin(at(1000)).unwrap();
    assert!(
        matches!(link.begin(at(1000)), Err(CallError::BreakerOpen)),
        "one probe at a time"
    );
    link.end(at(1001), FAIR_WAIT, CallEnd::Failed);
    assert!(
        matches!(link.begin(at(1500)), Err(CallError::BreakerOpen)),
        "a failed probe starts a new pause"
    );
    link.begin(at(2001)).unwrap();
    link.end(at(2002), Duration::from_millis(1), CallEnd::Answered);
    assert!(link.view(at(2002)).available);
    link.begin(at(2002)).unwrap();
    link.begin(at(2002)).unwrap();
}

#[test]
fn cancelled_probe_leaves_the_breaker_as_it_was_but_not_stuck() {
    let mut link = LinkState::new(limits());
    fail(&mut link, at(0));
    fail(&mut link, at(0));
    link.begin(at(1000)).unwrap();
    link.end(at(1001), Duration::ZERO, CallEnd::Neutral);
    assert!(link.begin(at(1001)).is_ok());
}

#[test]
fn a_refusal_proves_that_the_node_lives() {
    let (node, retry_after) = (NodeId(1), Duration::ZERO);
    let refused: Result<(), CallError> = Err(RpcError::Overloaded { node, retry_after }.into());
    assert_eq!(CallEnd::of(&refused, Duration::ZERO), CallEnd::Answered);
    let broken: Result<(), CallError> = Err(RpcError::Closed { node }.into());
    assert_eq!(CallEnd::of(&broken, Duration::ZERO), CallEnd::Failed);
}

#[test]
fn a_short_deadline_is_not_held_against_the_node() {
    let (node, waited) = (NodeId(1), Duration::ZERO);
    let late: Result<(), CallError> = Err(RpcError::Timeout { node, waited }.into());
    assert_eq!(CallEnd::of(&late, Duration::from_millis(5)), CallEnd::Neutral);
    assert_eq!(CallEnd::of(&late, FAIR_WAIT), CallEnd::Failed);
}

#[test]
fn calls_given_up_after_a_long_wait_make_the_node_less_attractive() {
    let mut link = LinkState::new(limits());
    let mut call = |took, end| {
        link.begin(at(0)).unwrap();
        link.end(at(0), took, end);
        link.view(at(0)).latency
    };
    let before = call(Duration::from_millis(2), CallEnd::Answered);
    assert_eq!(call(Duration::ZERO, CallEnd::Neutral), before);
    assert!(call(Duration::from_millis(50), CallEnd::Neutral) > 2.0 * before);
}

#[test]
fn hedge_delay_settles_near_the_quantile() {
    let mut link = LinkState::new(limits());
    // 1 of 20 calls takes 50 ms, the others 2 ms: the 95th percentile lies between.
    for i in 0..20_000u64 {
        link.begin(at(i)).unwrap();
        let took = if i % 20 == 0 { 50 } else { 2 };
        link.end(at(i), Duration::from_millis(took), CallEnd::Answered);
    }
    let view = link.view(at(20_000));
    assert!(
        view.hedge_after > Duration::from_micros(1800) && view.hedge_after < Duration::from_millis(60),
        "{view:?}"
    );
    assert!((0.001..0.02).contains(&view.latency), "{view:?}");
}
