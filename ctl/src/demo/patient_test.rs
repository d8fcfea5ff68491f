//! When a request is sent again.

use std::cell::Cell;

use super::*;

/// What becomes of a request that is answered in turn with these, the last one for ever, and how often it is sent.
async fn sent(answers: &[Result<u32, Status>]) -> (Result<u32, tonic::Code>, usize) {
    let times = Cell::new(0);
    let answer = async || {
        times.set(times.get() + 1);
        answers[times.get().min(answers.len()) - 1].clone()
    };
    let end = patiently(answer).await.map_err(|status| status.code());
    (end, times.get())
}

#[tokio::test]
async fn what_can_pass_is_waited_for_and_what_cannot_is_not() {
    let (busy, wrong) = (
        Status::unavailable("an election"),
        Status::invalid_argument("no such label"),
    );
    assert_eq!(sent(&[Err(busy.clone()), Ok(7)]).await, (Ok(7), 2));
    assert_eq!(sent(&[Err(wrong), Ok(7)]).await, (Err(tonic::Code::InvalidArgument), 1));
}

#[test]
fn patience_has_an_end() {
    let busy = Status::unavailable("an election");
    assert!(is_worth_waiting(&busy, PATIENCE - Duration::from_millis(1)));
    assert!(!is_worth_waiting(&busy, PATIENCE));
}

#[test]
fn requests_say_how_long_they_may_take() {
    let request = in_time((), Duration::from_millis(1_500));
    assert_eq!(request.metadata().get("grpc-timeout").unwrap(), "1500000u");
}
