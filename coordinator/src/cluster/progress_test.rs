//! A read over several shards asks only for what failed, and never counts an answer twice.

use std::time::Duration;

use covey_shared::ids::{LogIndex, ShardEpoch};
use covey_shared::slots::SlotRange;

use super::*;
use crate::cluster::link::LinkView;

fn target(shard: u64) -> Target {
    Target {
        stale: Vec::new(),
        read: read(shard),
        replicas: vec![NodeId(1), NodeId(2), NodeId(3)],
        leader: Some(NodeId(3)),
    }
}

fn read(shard: u64) -> ShardRead {
    ShardRead::of(ShardId(shard), 1)
}

fn choice() -> Choice {
    let link = LinkView {
        latency: 0.001,
        in_flight: 0,
        available: true,
        alive: true,
        hedge_after: Duration::ZERO,
    };
    Choice::new([(NodeId(1), link), (NodeId(2), link), (NodeId(3), link)].into(), 0)
}

fn reply(shard: u64, result: Result<u32, ShardError>) -> ShardReply<u32> {
    ShardReply {
        about: About {
            shard: ShardId(shard),
            epoch: ShardEpoch {
                range_ver: 1,
                conf_ver: 1,
            },
            slots: SlotRange::tile(shard as u16 - 1, 6),
            applied: LogIndex(1),
            staleness_ms: 0,
            partial: false,
            visited: 0,
            queue_us: 0,
            work_us: 0,
        },
        result,
        damaged: 0,
    }
}

fn answer(batch: &Batch, refuse: &[u64]) -> Result<Vec<ShardReply<u32>>, CallError> {
    let replies = batch.reads.iter().map(|r| {
        let bad = refuse.contains(&r.shard.0);
        reply(
            r.shard.0,
            if bad {
                Err(ShardError::Store)
            } else {
                Ok(r.shard.0 as u32)
            },
        )
    });
    Ok(replies.collect())
}

#[test]
fn shards_of_one_node_travel_in_one_call() {
    let mut progress = Progress::<u32>::new((1..=6).map(target).collect(), 1000);
    let batches = progress.plan(&mut choice());
    assert_eq!(batches.len(), 3);
    assert_eq!(batches.iter().map(|b| b.reads.len()).sum::<usize>(), 6);
    assert!(progress.plan(&mut choice()).is_empty(), "what runs is not asked again");
}

#[test]
fn retry_asks_another_replica_only_for_what_failed() {
    let mut progress = Progress::new((1..=6).map(target).collect(), 1000);
    for batch in progress.plan(&mut choice()) {
        let result = answer(&batch, &[2, 5]);
        progress.settle(&batch, result);
    }
    let retries = progress.plan(&mut choice());
    let mut asked: Vec<u64> = retries.iter().flat_map(|b| &b.reads).map(|r| r.shard.0).collect();
    asked.sort_unstable();
    assert_eq!(asked, [2, 5]);
    assert!(retries.iter().all(|b| b.attempt == Attempt::Retry));
    for batch in retries {
        let result = answer(&batch, &[]);
        progress.settle(&batch, result);
    }
    assert!(progress.complete());
    let (parts, failed) = progress.finish();
    assert_eq!(parts.iter().map(|p| p.value).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
    assert!(failed.is_empty());
}

#[test]
fn failed_call_sends_all_its_shards_elsewhere() {
    let mut progress = Progress::<u32>::new((1..=3).map(target).collect(), 1000);
    let batches = progress.plan(&mut choice());
    let dead = &batches[0];
    progress.settle(dead, Err(CallError::WindowFull));
    let retries = progress.plan(&mut choice());
    assert_eq!(retries.iter().flat_map(|b| &b.reads).count(), dead.reads.len());
    assert!(retries.iter().all(|b| b.node != dead.node));
}

#[test]
fn shard_that_a_reply_leaves_out_is_asked_again() {
    let mut progress = Progress::<u32>::new(vec![target(1)], 1000);
    let batch = progress.plan(&mut choice()).remove(0);
    progress.settle(&batch, Ok(vec![reply(4, Ok(9))]));
    let retry = progress.plan(&mut choice());
    assert_eq!(retry[0].reads, [read(1)]);
    let (parts, failed) = progress.finish();
    assert!(
        parts.is_empty(),
        "an answer of a shard that was not asked does not count"
    );
    assert!(matches!(failed[&ShardId(1)], ShardFailure::Call(CallError::WrongReply)));
}

#[test]
fn of_two_hedged_answers_only_the_first_counts() {
    let mut progress = Progress::new(vec![target(1)], 1000);
    let first = progress.plan(&mut choice()).remove(0);
    let hedge = progress.plan_hedges(&mut choice()).remove(0);
    assert_ne!(first.node, hedge.node);
    assert!(progress.plan_hedges(&mut choice()).is_empty(), "one hedge per shard");
    progress.settle(&hedge, Ok(vec![reply(1, Ok(2))]));
    progress.settle(&first, Ok(vec![reply(1, Ok(1)), reply(1, Ok(3))]));
    let (parts, _) = progress.finish();
    assert_eq!(parts.iter().map(|p| p.value).collect::<Vec<_>>(), [2]);
}

#[test]
fn replica_that_is_behind_sends_the_read_to_the_leader() {
    let mut progress = Progress::<u32>::new(vec![target(1)], 1000);
    let first = progress.plan(&mut choice()).remove(0);
    assert_eq!(first.node, NodeId(1));
    progress.settle(&first, Ok(vec![reply(1, Err(ShardError::NotReady(NotReady::Behind)))]));
    assert_eq!(progress.plan(&mut choice())[0].node, NodeId(3));
}

#[test]
fn invalid_request_is_not_asked_of_other_replicas() {
    let mut progress = Progress::<u32>::new(vec![target(1)], 1000);
    let first = progress.plan(&mut choice()).remove(0);
    let invalid = ShardError::Invalid(InvalidRequest::WrongDimension);
    progress.settle(&first, Ok(vec![reply(1, Err(invalid))]));
    assert!(progress.complete());
    let (_, failed) = progress.finish();
    assert_eq!(failed[&ShardId(1)].invalid(), Some(InvalidRequest::WrongDimension));
}

#[test]
fn tries_come_to_an_end_when_everything_is_down() {
    let mut progress = Progress::<u32>::new(vec![target(1)], 1000);
    let mut calls = 0;
    loop {
        let batches = progress.plan(&mut choice());
        if batches.is_empty() && progress.next_lap().is_none() {
            break;
        }
        for batch in batches {
            calls += 1;
            progress.settle(&batch, Err(CallError::BreakerOpen));
        }
    }
    assert_eq!(calls, 3 * MAX_LAPS);
    assert!(progress.complete());
}

#[test]
fn only_a_retry_of_what_may_have_cost_work_is_charged_to_the_budget() {
    fn attempt_after(end: Result<Vec<ShardReply<u32>>, CallError>) -> Attempt {
        let mut progress = Progress::<u32>::new(vec![target(1)], 1000);
        let first = progress.plan(&mut choice()).remove(0);
        progress.settle(&first, end);
        progress.plan(&mut choice()).remove(0).attempt
    }
    let behind = ShardError::NotReady(NotReady::Behind);
    assert_eq!(attempt_after(Err(CallError::BreakerOpen)), Attempt::Failover);
    assert_eq!(attempt_after(Ok(vec![reply(1, Err(behind))])), Attempt::Failover);
    let node = NodeId(1);
    let refused = RpcError::Refused {
        node,
        address: "".into(),
        refusal: covey_rpc::Refusal::Malformed,
    };
    assert_eq!(attempt_after(Err(refused.into())), Attempt::Failover);
    assert_eq!(attempt_after(Err(RpcError::Closed { node }.into())), Attempt::Retry);
    assert_eq!(attempt_after(Err(CallError::WindowFull)), Attempt::Retry);
    assert_eq!(attempt_after(Ok(Vec::new())), Attempt::Retry);
}

#[test]
fn retry_without_budget_gives_the_shard_up_but_a_hedge_without_budget_does_not() {
    let mut progress = Progress::<u32>::new(vec![target(1)], 1000);
    let first = progress.plan(&mut choice()).remove(0);
    let hedge = progress.plan_hedges(&mut choice()).remove(0);
    progress.drop_batch(&hedge);
    assert!(!progress.complete());
    progress.settle(&first, Err(CallError::WindowFull));
    let retry = progress.plan(&mut choice()).remove(0);
    progress.drop_batch(&retry);
    assert!(progress.complete());
}

fn aged(shard: u64, value: u32, staleness_ms: u32) -> ShardReply<u32> {
    let mut reply = reply(shard, Ok(value));
    reply.about.staleness_ms = staleness_ms;
    reply
}

#[test]
fn a_stale_answer_counts_only_where_nobody_has_a_fresher_one() {
    let mut progress = Progress::new(vec![target(1)], 1000);
    let first = progress.plan(&mut choice()).remove(0);
    progress.settle(&first, Ok(vec![aged(1, 7, 3000)]));
    let second = progress.plan(&mut choice()).remove(0);
    assert_ne!(second.node, first.node);
    progress.settle(&second, Ok(vec![aged(1, 8, 10)]));
    assert!(progress.complete());
    assert_eq!(progress.finish().0.iter().map(|p| p.value).collect::<Vec<_>>(), [8]);

    let mut progress = Progress::new(vec![target(1)], 1000);
    for age in [3000, 2000, u32::MAX] {
        let batch = progress.plan(&mut choice()).remove(0);
        progress.settle(&batch, Ok(vec![aged(1, age, age)]));
    }
    assert!(progress.complete(), "all replicas are stale: one lap is enough");
    assert_eq!(progress.finish().0.iter().map(|p| p.value).collect::<Vec<_>>(), [2000]);
}

#[test]
fn a_stale_answer_waits_for_a_silent_replica_no_longer_than_a_hedge_would() {
    for stale_first in [true, false] {
        let mut progress = Progress::new(vec![target(1)], 1000);
        let first = progress.plan(&mut choice()).remove(0);
        if stale_first {
            progress.settle(&first, Ok(vec![aged(1, 7, 3000)]));
            assert_eq!(progress.plan(&mut choice()).len(), 1, "this one never answers");
            assert!(!progress.complete());
            assert_eq!(progress.plan_hedges(&mut choice()), []);
        } else {
            assert_eq!(progress.plan_hedges(&mut choice()).len(), 1, "this one never answers");
            progress.settle(&first, Ok(vec![aged(1, 7, 3000)]));
        }
        assert!(progress.complete());
        assert_eq!(progress.finish().0.iter().map(|p| p.value).collect::<Vec<_>>(), [7]);
    }
}

#[test]
fn a_stale_answer_is_not_given_up_for_replicas_that_fail() {
    let mut progress = Progress::new(vec![target(1)], 1000);
    let batch = progress.plan(&mut choice()).remove(0);
    progress.settle(&batch, Ok(vec![aged(1, 7, 3000)]));
    for _ in 0..2 {
        let batch = progress.plan(&mut choice()).remove(0);
        progress.settle(&batch, Err(CallError::WindowFull));
    }
    assert!(progress.plan(&mut choice()).is_empty());
    assert_eq!(progress.next_lap(), None);
    let (parts, failed) = progress.finish();
    assert_eq!((parts.len(), failed.len()), (1, 0));
}

#[test]
fn who_is_known_for_old_answers_is_asked_last_and_costs_no_retry() {
    let old_ones = |stale: Vec<NodeId>| {
        let target = Target { stale, ..target(1) };
        Progress::<u32>::new(vec![target], 1000)
    };
    for _ in 0..3 {
        let mut progress = old_ones(vec![NodeId(1), NodeId(3)]);
        let first = progress.plan(&mut choice()).remove(0);
        assert_eq!(first.node, NodeId(2));
        progress.settle(&first, Err(CallError::WindowFull));
        let second = progress.plan(&mut choice()).remove(0);
        progress.settle(&second, Ok(vec![aged(1, 7, 3000)]));
        assert!(progress.complete(), "the third is known to be old too");
        assert_eq!(progress.ages(), [(ShardId(1), second.node, true)]);
    }
    let mut progress = old_ones(Vec::new());
    let first = progress.plan(&mut choice()).remove(0);
    progress.settle(&first, Ok(vec![aged(1, 7, 3000)]));
    assert_eq!(progress.plan(&mut choice()).remove(0).attempt, Attempt::Failover);
}

#[test]
fn a_replica_that_is_too_old_is_asked_until_it_is_young() {
    let mut progress = Progress::new(vec![target(1)], 1000);
    for lap in 1..=2 * MAX_LAPS {
        // One is enough, also if it is not the last that was asked.
        for refusal in [NotReady::Stale, NotReady::Starting, NotReady::Starting] {
            assert!(!progress.complete());
            let batch = progress.plan(&mut choice()).remove(0);
            assert_ne!(batch.attempt, Attempt::Retry, "it has done no work");
            progress.settle(&batch, Ok(vec![reply(1, Err(ShardError::NotReady(refusal)))]));
        }
        assert!(progress.plan(&mut choice()).is_empty());
        assert_eq!(progress.next_lap(), Some(lap));
    }
    let batch = progress.plan(&mut choice()).remove(0);
    progress.settle(&batch, Ok(vec![reply(1, Ok(8))]));
    let (parts, failed) = progress.finish();
    assert_eq!((parts[0].value, failed.len()), (8, 0));
}
