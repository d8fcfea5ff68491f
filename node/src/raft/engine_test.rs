//! Three engines in one thread: what is answered is on a majority, in one order, whatever the schedule.

use covey_shared::layout::FIRST_EPOCH;

use super::*;
use crate::raft::engines::{Cluster, assert_one_order};
use crate::raft::fixture::SHARD;

#[test]
fn answered_proposals_are_applied_everywhere_in_one_order() {
    for seed in 0..20 {
        println!("seed {seed}");
        let mut cluster = Cluster::new(seed);
        let mut ticket = 0;
        for round in 0..6 {
            let leader = cluster.run_until_leader();
            for _ in 0..10 {
                ticket += 1;
                let data = u64::to_le_bytes(ticket).to_vec();
                cluster.hosts[leader]
                    .engine
                    .propose(SHARD, FIRST_EPOCH, data, Ticket(ticket));
                cluster.settle(leader);
            }
            (0..300).for_each(|_| cluster.step());
            // Every other round the leader loses its wires and comes back.
            cluster.cut = if round % 2 == 0 { Some(leader) } else { None };
        }
        cluster.cut = None;
        (0..5_000).for_each(|_| cluster.step());
        assert_one_order(&cluster);
        let applied: BTreeSet<Vec<u8>> = cluster.hosts[0].store.applied.iter().map(|(_, d)| d.clone()).collect();
        let acknowledged: Vec<u64> = cluster
            .hosts
            .iter()
            .flat_map(|h| &h.answers)
            .filter_map(|(ticket, outcome)| outcome.as_ref().ok().map(|_| ticket.0))
            .collect();
        assert!(
            acknowledged.len() >= 20,
            "only {} of {ticket} proposals went through",
            acknowledged.len()
        );
        for ticket in acknowledged {
            assert!(
                applied.contains(ticket.to_le_bytes().as_slice()),
                "acknowledged {ticket} is lost"
            );
        }
        assert!(
            cluster.hosts.iter().all(|h| h.compactions > 0),
            "logs are compacted once all have the entries"
        );
    }
}

#[test]
fn a_follower_refuses_a_write_with_a_leader_hint() {
    let mut cluster = Cluster::new(7);
    let leader = cluster.run_until_leader();
    (0..200).for_each(|_| cluster.step());
    let follower = (leader + 1) % 3;
    cluster.hosts[follower]
        .engine
        .propose(SHARD, FIRST_EPOCH, vec![1], Ticket(1));
    let hint = Some(NodeId(leader as u64 + 1));
    assert_eq!(
        cluster.hosts[follower].engine.take_answers(),
        [(Ticket(1), Err(ShardError::NotLeader { hint }))]
    );
}

#[test]
fn a_stale_epoch_or_foreign_shard_is_refused() {
    let mut cluster = Cluster::new(8);
    let leader = cluster.run_until_leader();
    let engine = &mut cluster.hosts[leader].engine;
    engine.propose(
        SHARD,
        ShardEpoch {
            range_ver: 9,
            conf_ver: 1,
        },
        vec![],
        Ticket(1),
    );
    engine.propose(ShardId(99), FIRST_EPOCH, vec![], Ticket(2));
    let answers = engine.take_answers();
    assert!(matches!(
        answers[0].1,
        Err(ShardError::StaleEpoch { current: FIRST_EPOCH })
    ));
    assert!(matches!(answers[1].1, Err(ShardError::NotHere(ShardId(99)))));
}

#[test]
fn malformed_and_misaddressed_messages_are_dropped_and_counted() {
    let mut cluster = Cluster::new(9);
    cluster.run_until_leader();
    let message = (0..2000).find_map(|_| {
        cluster.step();
        cluster.hosts.iter_mut().find_map(|h| h.inbox.pop_front())
    });
    let mut message = message.expect("somebody talks");
    let engine = &mut cluster.hosts[(message.to.0 & 0xffff) as usize - 1].engine;
    message.kind = RaftMessageKind::Append;
    message.entries = vec![covey_shared::wire::WireEntry {
        term: 1,
        index: message.index + 7,
        kind: 0,
        data: vec![],
    }];
    engine.step(message.clone(), Monotonic::default(), 0);
    message.to = ReplicaId(4711);
    engine.step(message, Monotonic::default(), 0);
    assert_eq!((engine.dropped().malformed, engine.dropped().misaddressed), (1, 1));
}
