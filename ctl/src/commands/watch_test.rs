//! A watch outlives coordinators and elections, and ends as what it is about has ended.

use std::cell::RefCell;
use std::collections::VecDeque;

use covey_api::v1::{OperationState, OperationView};

use super::*;
use crate::client::ClientError;

type Look = Result<DescribeClusterReply, Status>;

fn screen() -> Screen {
    Screen {
        style: Style::plain(),
        live_style: Style::plain(),
        json: false,
        live: None,
        silent: false,
    }
}

fn seen(state: OperationState) -> Look {
    let one = OperationView {
        id: 17,
        state: state as i32,
        ..OperationView::default()
    };
    Ok(DescribeClusterReply {
        operations: vec![one],
        ..DescribeClusterReply::default()
    })
}

/// Looks at these replies in turn, and at the last one again and again.
async fn watch(wanted: Wanted, timeout: Option<Duration>, looks: Vec<Look>) -> Result<Outcome> {
    let looks = RefCell::new(VecDeque::from(looks));
    let look = async |operation| {
        assert_eq!(operation, wanted.operation().unwrap_or(0));
        let mut looks = looks.borrow_mut();
        match looks.len() {
            1 => looks[0].clone(),
            _ => looks.pop_front().expect("there is a look"),
        }
    };
    look_on(screen(), wanted, timeout, look).await
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_operation_is_the_outcome() {
    use OperationState::{Cancelled, Done, Failed, Running};
    for (state, outcome) in [
        (Done, Outcome::Done),
        (Failed, Outcome::NotGood),
        (Cancelled, Outcome::NotGood),
    ] {
        let looks = vec![seen(Running), seen(Running), seen(state)];
        let ended = watch(Wanted::One(17), None, looks).await.unwrap();
        assert_eq!(ended, outcome, "{state:?}");
    }
    let nothing = vec![Ok(DescribeClusterReply::default())];
    assert_eq!(watch(Wanted::All, None, nothing).await.unwrap(), Outcome::Done);
    let over = watch(Wanted::One(17), Some(Duration::ZERO), vec![seen(Running)]).await;
    assert_eq!(over.unwrap(), Outcome::StillRunning);
}

#[tokio::test(start_paused = true)]
async fn silence_does_not_end_it_and_what_was_begun_may_take_a_while_to_be_seen() {
    use OperationState::{Done, Running};
    let away = || Err(Status::unavailable("no leader"));
    let unseen = || Err(Status::not_found("there is no operation 17"));
    let looks = vec![unseen(), seen(Running), away(), away(), unseen(), seen(Done)];
    let ended = watch(Wanted::Begun(17), None, looks).await.unwrap();
    assert_eq!(ended, Outcome::Done);
    let silent = watch(Wanted::One(17), Some(Duration::ZERO), vec![away()]).await;
    assert_eq!(silent.unwrap(), Outcome::StillRunning);
}

#[tokio::test(start_paused = true)]
async fn an_operation_that_there_is_not_is_refused_at_once() {
    let unseen = vec![Err(Status::not_found("there is no operation 17"))];
    let error = watch(Wanted::One(17), None, unseen).await.unwrap_err();
    let denied = error.downcast_ref::<ClientError>();
    assert!(matches!(denied, Some(ClientError::Denied { .. })), "{error}");
}
