//! When a write is done.

use covey_api::v1::ItemResult;
use tonic::Code;

use super::*;

fn reply(items: &[ItemStatus]) -> WriteReply {
    let is_done = |status: &&ItemStatus| matches!(status, ItemStatus::Ok | ItemStatus::Superseded);
    let succeeded = items.iter().filter(is_done).count() as u32;
    let result = |(index, status): (usize, &ItemStatus)| ItemResult {
        index: index as u32,
        status: (*status).into(),
        message: format!("item {index}"),
    };
    WriteReply {
        results: items.iter().enumerate().map(result).collect(),
        succeeded,
        failed: items.len() as u32 - succeeded,
        ..WriteReply::default()
    }
}

#[test]
fn a_write_is_done_with_its_last_item_and_over_with_the_first_that_breaks_a_rule() {
    use ItemStatus::*;
    let end = |items: &[ItemStatus]| {
        let done = all_done(reply(items));
        done.map(|_| ())
            .map_err(|status| (status.code(), status.message().to_owned()))
    };
    assert_eq!(end(&[Ok, Superseded]), Result::Ok(()));
    let again = Err((Code::Unavailable, "item 1".to_owned()));
    assert_eq!(end(&[Ok, Unavailable]), again);
    assert_eq!(end(&[Ok, Uncertain]), again);
    let never = Err((Code::InvalidArgument, "item 2".to_owned()));
    assert_eq!(end(&[Ok, Unavailable, Invalid]), never);
    let unsaid = WriteReply {
        failed: 1,
        ..WriteReply::default()
    };
    assert_eq!(all_done(unsaid).unwrap_err().code(), Code::Unavailable);
}
