//! Who is offered leadership, who takes it, and what an offer costs.

use std::time::Duration;

use covey_env::Monotonic;
use covey_shared::ids::NodeId;
use covey_shared::layout::FIRST_EPOCH;

use super::*;
use crate::raft::Ticket;
use crate::raft::engines::{Cluster, assert_one_order};
use crate::raft::fixture::{SHARD, limits, message, replica};

#[test]
fn a_leader_that_hands_over_is_followed_by_another_at_once() {
    for seed in 0..20 {
        println!("seed {seed}");
        let mut cluster = Cluster::new(seed);
        cluster.run_until_leader();
        cluster.deliver();
        let first = cluster.leader().expect("no time has passed since the election");
        cluster.hosts[first].engine.hand_over(HandTo::Fit, || seed as usize);
        cluster.settle(first);
        cluster.deliver();
        let next = cluster.leader().expect("another one leads");
        assert_ne!(next, first);
        let engine = &mut cluster.hosts[next].engine;
        engine.propose(SHARD, FIRST_EPOCH, vec![1], Ticket(1));
        cluster.settle(next);
        cluster.deliver();
        let answers = &cluster.hosts[next].answers;
        assert!(matches!(answers[..], [(Ticket(1), Ok(_))]), "{answers:?}");
        assert_one_order(&cluster);
    }
}

#[test]
fn leadership_is_offered_to_fit_members_and_to_others_only_if_there_is_no_choice() {
    for seed in 0..20 {
        println!("seed {seed}");
        let mut cluster = Cluster::new(seed);
        cluster.run_until_leader();
        cluster.deliver();
        let first = cluster.leader().expect("no time has passed since the election");
        let (second, third) = ((first + 1) % 3, (first + 2) % 3);
        cluster.unfit[second] = true;
        cluster.deliver_after_heartbeat(first);
        cluster.hosts[first].engine.hand_over(HandTo::Fit, || seed as usize);
        cluster.settle(first);
        cluster.deliver();
        assert_eq!(cluster.leader(), Some(third));
        // None of the others is fit: who leads goes on, and takes writes at once.
        cluster.unfit[first] = true;
        cluster.deliver_after_heartbeat(third);
        let engine = &mut cluster.hosts[third].engine;
        engine.hand_over(HandTo::Fit, || seed as usize);
        engine.propose(SHARD, FIRST_EPOCH, vec![1], Ticket(1));
        cluster.settle(third);
        cluster.deliver();
        assert_eq!(cluster.leader(), Some(third));
        let answers = &cluster.hosts[third].answers;
        assert!(matches!(answers[..], [(Ticket(1), Ok(_))]), "{answers:?}");
        // One is fit again.
        cluster.unfit[second] = false;
        cluster.deliver_after_heartbeat(third);
        cluster.hosts[third].engine.hand_over(HandTo::Fit, || seed as usize);
        cluster.settle(third);
        cluster.deliver();
        assert_eq!(cluster.leader(), Some(second));
        // Who must not lead at all takes anyone.
        cluster.unfit = vec![true; 3];
        cluster.deliver_after_heartbeat(second);
        cluster.hosts[second].engine.hand_over(HandTo::Anyone, || seed as usize);
        cluster.settle(second);
        cluster.deliver();
        assert_ne!(cluster.leader(), Some(second));
        assert_one_order(&cluster);
    }
}

#[test]
fn an_offer_that_nobody_takes_up_holds_proposals_back_for_a_heartbeat_only() {
    let mut cluster = Cluster::new(3);
    cluster.run_until_leader();
    cluster.deliver();
    let leader = cluster.leader().expect("no time has passed since the election");
    let engine = &mut cluster.hosts[leader].engine;
    engine.hand_over(HandTo::Anyone, || 0);
    engine.propose(SHARD, FIRST_EPOCH, vec![1], Ticket(1));
    for _ in 0..=limits().heartbeat_ticks {
        cluster.hosts[leader].engine.tick(|| 0);
    }
    cluster.hosts[leader]
        .engine
        .propose(SHARD, FIRST_EPOCH, vec![2], Ticket(2));
    // The call to take over is lost; everything else arrives.
    cluster.settle(leader);
    for host in &mut cluster.hosts {
        host.inbox.retain(|message| message.kind != RaftMessageKind::TimeoutNow);
    }
    cluster.deliver();
    let answers = &cluster.hosts[leader].answers;
    assert!(
        matches!(answers[..], [(Ticket(1), Err(_)), (Ticket(2), Ok(_))]),
        "{answers:?}"
    );
}

#[test]
fn a_call_to_take_over_counts_only_from_the_present_leader() {
    let mut cluster = Cluster::new(11);
    cluster.run_until_leader();
    (0..300).for_each(|_| cluster.step());
    let follows = |cluster: &Cluster, host: usize, leader: usize| {
        let now = Monotonic(Duration::from_millis(cluster.now));
        let status = cluster.hosts[host].engine.status(SHARD, now).expect("it is here");
        status.role == covey_shared::wire::ReplicaRole::Follower && status.leader == Some(NodeId(leader as u64 + 1))
    };
    let mut leader = cluster.run_until_leader();
    while !follows(&cluster, (leader + 1) % 3, leader) {
        cluster.step();
        leader = cluster.run_until_leader();
    }
    let of = |host: usize| replica(host as u64 + 1);
    let (follower, other) = ((leader + 1) % 3, (leader + 2) % 3);
    let now = Monotonic(Duration::from_millis(cluster.now));
    let engine = &mut cluster.hosts[follower].engine;
    let term = engine.status(SHARD, now).expect("it is here").term.0;
    let call = |from: usize, term: u64| RaftMessage {
        term,
        ..message(RaftMessageKind::TimeoutNow, of(from), of(follower))
    };
    engine.step(call(other, term), now, 0);
    engine.step(call(leader, term + 1), now, 0);
    assert_eq!(engine.dropped().malformed, 2);
    assert_eq!(engine.status(SHARD, now).expect("it is here").term.0, term);
    engine.step(call(leader, term), now, 0);
    assert_eq!(engine.status(SHARD, now).expect("it is here").term.0, term + 1);
}

#[test]
fn leadership_goes_to_the_named_member_unless_it_lacks_too_much_or_has_no_vote() {
    let mut cluster = Cluster::new(4);
    let first = cluster.run_until_leader();
    cluster.deliver();
    let (to, third) = ((first + 1) % 3, (first + 2) % 3);
    let node = |host: usize| NodeId(host as u64 + 1);
    let ask = |cluster: &mut Cluster, of: usize, to| cluster.hosts[of].engine.transfer(SHARD, to);
    let stranger = Err(ShardError::Transfer(TransferFault::NotAVoter(NodeId(9))));
    assert_eq!(ask(&mut cluster, first, NodeId(9)), stranger);
    let hint = Some(node(first));
    assert_eq!(ask(&mut cluster, to, node(third)), Err(ShardError::NotLeader { hint }));
    cluster.cut = Some(third);
    for number in 0..1_100 {
        cluster.hosts[first]
            .engine
            .propose(SHARD, FIRST_EPOCH, vec![1], Ticket(number));
        cluster.settle(first);
        cluster.deliver();
    }
    let behind = ask(&mut cluster, first, node(third));
    assert!(
        matches!(
            behind,
            Err(ShardError::Transfer(TransferFault::Behind { entries: 1_100.. }))
        ),
        "{behind:?}"
    );
    assert_eq!(ask(&mut cluster, first, node(to)), Ok(true));
    assert_eq!(ask(&mut cluster, first, node(to)), Ok(false), "one offer at a time");
    cluster.settle(first);
    cluster.deliver();
    assert_eq!(cluster.leader(), Some(to));
}
