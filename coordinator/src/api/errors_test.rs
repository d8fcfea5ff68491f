//! The map of errors to codes is part of the contract with clients.

use covey_shared::ids::{NodeId, OperationId, ShardId};
use covey_shared::wire::{InvalidRequest, ShardError};

use super::*;
use crate::cluster::ShardFailure;

fn no_answer() -> ApiError {
    ReadError::NoAnswer {
        shard: ShardId(3),
        source: ShardFailure::Shard(ShardError::Store),
    }
    .into()
}

#[test]
fn what_is_wrong_with_the_request_is_never_worth_a_retry() {
    let faults = [
        ApiError::Malformed("x".into()),
        SealError::Forged.into(),
        ReadError::Invalid(InvalidRequest::WrongDimension).into(),
        FeedError::Cursor(SealError::Damaged).into(),
    ];
    for fault in faults {
        let outside = fault.outside();
        assert_eq!(
            (outside.code, outside.http, outside.retry_after),
            (Code::InvalidArgument, 400, None),
            "{fault}"
        );
    }
}

#[test]
fn each_refusal_of_an_operation_has_its_code_and_only_a_young_cluster_is_asked_again() {
    let (node, shard) = (NodeId(4), ShardId(1));
    let id = OperationId(7);
    for (fault, code, http) in [
        (OperationFault::UnknownNode(node), Code::NotFound, 404),
        (OperationFault::UnknownShard(shard), Code::NotFound, 404),
        (OperationFault::UnknownOperation(id), Code::NotFound, 404),
        (OperationFault::Conflict(id), Code::FailedPrecondition, 400),
        (
            OperationFault::AlreadyThere { shard, node },
            Code::FailedPrecondition,
            400,
        ),
        (OperationFault::NotDrained(node), Code::FailedPrecondition, 400),
        (OperationFault::Invalid("x".into()), Code::InvalidArgument, 400),
        (OperationFault::TooMany(256), Code::ResourceExhausted, 429),
    ] {
        let error = ApiError::from(fault);
        let outside = error.outside();
        assert_eq!(
            (outside.code, outside.http, outside.retry_after),
            (code, http, None),
            "{error}"
        );
    }
    let early = ApiError::from(OperationFault::NotYetKnown).outside();
    assert_eq!((early.code, early.http), (Code::Unavailable, 503));
    assert!(early.retry_after.is_some(), "a young cluster soon knows its shards");
}

#[test]
fn metadata_without_a_leader_is_unavailable_and_says_that_the_rest_goes_on() {
    for error in [
        MetadataError::NoLeader(ShardFailure::OutOfTime),
        MetadataError::Uncertain(ShardFailure::OutOfTime),
    ] {
        let error = ApiError::from(error);
        let outside = error.outside();
        assert_eq!((outside.code, outside.http), (Code::Unavailable, 503));
        assert!(outside.retry_after.is_some());
        assert!(error.text().contains("reads and writes go on"), "{}", error.text());
    }
    let invalid = ApiError::from(MetadataError::Invalid(InvalidRequest::EntryTooLarge));
    assert_eq!(invalid.outside().code, Code::InvalidArgument);
}

#[test]
fn what_may_pass_carries_a_retry_hint() {
    let unavailable = FeedError::Unavailable {
        component: "UserFeatures".into(),
        retry_after_ms: 70,
    };
    let cases = [
        (ApiError::Overloaded, Code::ResourceExhausted, 429, 50),
        (no_answer(), Code::Unavailable, 503, 500),
        (unavailable.into(), Code::Unavailable, 503, 70),
    ];
    for (error, code, http, retry) in cases {
        let outside = error.outside();
        assert_eq!((outside.code, outside.http), (code, http), "{error}");
        assert_eq!(error.body("t".into()).retry_after_ms, retry, "{error}");
        let status = error.status("t");
        assert_eq!(status.code(), code);
        assert_eq!(
            status.metadata().get("retry-after-ms").unwrap().to_str().unwrap(),
            retry.to_string()
        );
    }
}

#[test]
fn shards_that_answer_too_late_are_the_deadline() {
    let late = ApiError::from(ReadError::NoAnswer {
        shard: ShardId(3),
        source: ShardFailure::OutOfTime,
    });
    assert_eq!(late.outside().code, Code::DeadlineExceeded);
}

#[test]
fn text_names_the_causes_once() {
    let token = ApiError::from(SealError::Forged).text();
    assert_eq!(token.matches(&SealError::Forged.to_string()).count(), 1, "{token}");
    assert_eq!(
        no_answer().text(),
        "the shards did not answer: shard 3 has no answer: the store of the replica failed"
    );
}

#[test]
fn body_and_status_carry_the_trace() {
    let error = ApiError::DeadlineExceeded;
    let body = serde_json::to_value(error.body("abc".into())).unwrap();
    assert_eq!(body["trace_id"], "abc");
    assert_eq!(body["code"], "DEADLINE_EXCEEDED");
    let status = error.status("abc");
    assert_eq!(status.metadata().get(crate::api::TRACE_HEADER).unwrap(), "abc");
}
