//! What a coordinator makes of the outcome of one try.

use covey_config::Config;
use covey_shared::ids::{LogIndex, ShardEpoch};

use super::*;
use crate::cluster::shard_map::ShardMap;

fn refused(error: ShardError) -> Result<ReplyBody, CallError> {
    Ok(ReplyBody::Write(Err(error)))
}

fn done() -> WriteReply {
    WriteReply {
        index: LogIndex(7),
        epoch: ShardEpoch::default(),
        results: Vec::new(),
    }
}

#[test]
fn only_an_outcome_that_may_have_been_done_is_unknown() {
    let node = NodeId(1);
    let unknown = [
        refused(ShardError::Uncertain),
        refused(ShardError::DeadlineExceeded),
        Err(RpcError::Closed { node }.into()),
        Err(RpcError::Timeout {
            node,
            waited: Duration::ZERO,
        }
        .into()),
        Ok(ReplyBody::Search(Vec::new())),
    ];
    for result in unknown {
        assert_eq!(judge(result.clone()), Next::Unknown, "{result:?}");
    }
    let not_done = [
        refused(ShardError::NotLeader { hint: None }),
        refused(ShardError::NotHere(ShardId(1))),
        Err(CallError::BreakerOpen),
        Err(CallError::WindowFull),
    ];
    for result in not_done {
        assert_eq!(judge(result.clone()), Next::Elsewhere, "{result:?}");
    }
    assert_eq!(judge(Ok(ReplyBody::Write(Ok(done())))), Next::Done(done()));
}

fn with_tries(check: impl FnOnce(&mut Tries)) {
    let map = ShardMap::from_config(&Config::default());
    let plan = &map.shards()[0];
    check(&mut Tries {
        to: plan.voters[0].node,
        plan: plan.clone(),
        retry: 0,
        uncertain: false,
        hint: Duration::ZERO,
    });
}

#[test]
fn hint_is_followed_at_once_but_a_chain_of_hints_pauses() {
    with_tries(|tries| {
        assert_eq!(tries.after(Next::Redirect(NodeId(2))), None);
        assert_eq!(tries.to, NodeId(2));
        assert_eq!(tries.after(Next::Redirect(NodeId(3))), None);
        assert_eq!(tries.after(Next::Redirect(NodeId(2))), Some(Duration::ZERO));
    });
}

#[test]
fn without_a_hint_the_replicas_are_asked_in_turn() {
    with_tries(|tries| {
        let first = tries.to;
        let asked: Vec<NodeId> = (0..3)
            .map(|_| {
                tries.after(Next::Elsewhere);
                tries.to
            })
            .collect();
        assert_eq!(asked[2], first);
        assert_ne!(asked[0], asked[1]);
    });
}

#[test]
fn giving_up_is_uncertain_once_a_try_may_have_been_done() {
    with_tries(|tries| {
        tries.after(Next::Wait {
            pause: Duration::from_millis(700),
        });
        let shard = tries.plan.shard;
        assert_eq!(
            tries.give_up(),
            WriteError::Unavailable {
                shard,
                retry_after_ms: 700
            }
        );
        tries.after(Next::Unknown);
        tries.after(Next::Elsewhere);
        assert_eq!(tries.give_up(), WriteError::Uncertain { shard });
    });
}
