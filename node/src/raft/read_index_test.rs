//! An index that is answered covers everything that was acknowledged, by whomever, before it was asked for.

use std::collections::BTreeMap;

use covey_shared::layout::FIRST_EPOCH;

use super::*;
use crate::raft::engines::Cluster;
use crate::raft::fixture::SHARD;

/// Asks `host`; what it answers at once.
fn ask(cluster: &mut Cluster, host: usize, ticket: u64) {
    cluster.hosts[host]
        .engine
        .read_index(SHARD, FIRST_EPOCH, Ticket(ticket));
    cluster.settle(host);
}

fn outcome(cluster: &Cluster, host: usize, ticket: u64) -> Option<Result<u64, ShardError>> {
    let answers = cluster.hosts[host].answers.iter();
    let of = |(other, outcome): &Answer| {
        let index = |reply: &WriteReply| reply.index.0;
        (*other == Ticket(ticket)).then(|| outcome.as_ref().map(index).map_err(Clone::clone))
    };
    answers.filter_map(of).next()
}

#[test]
fn a_leader_answers_once_a_majority_has_and_others_refuse() {
    let mut cluster = Cluster::new(1);
    cluster.run_until_leader();
    cluster.deliver();
    let leader = cluster.leader().expect("no time has passed");
    cluster.hosts[leader]
        .engine
        .propose(SHARD, FIRST_EPOCH, vec![1], Ticket(1));
    cluster.settle(leader);
    cluster.deliver();
    let written = outcome(&cluster, leader, 1)
        .expect("it is done")
        .expect("it is written");
    for ticket in 2..5 {
        ask(&mut cluster, leader, ticket);
        assert_eq!(outcome(&cluster, leader, ticket), None, "nobody has answered yet");
    }
    cluster.deliver();
    for ticket in 2..5 {
        let index = outcome(&cluster, leader, ticket).expect("they have now");
        assert!(index.clone().is_ok_and(|index| index >= written), "{index:?}");
    }
    ask(&mut cluster, (leader + 1) % 3, 9);
    let refused = outcome(&cluster, (leader + 1) % 3, 9);
    assert!(
        matches!(refused, Some(Err(ShardError::NotLeader { .. }))),
        "{refused:?}"
    );
}

#[test]
fn a_leader_that_is_cut_off_answers_nobody() {
    let mut cluster = Cluster::new(2);
    cluster.run_until_leader();
    cluster.deliver();
    let old = cluster.leader().expect("no time has passed");
    cluster.cut = Some(old);
    ask(&mut cluster, old, 1);
    cluster.run_until("another leader", |cluster| {
        cluster.leader().is_some_and(|leader| leader != old)
    });
    cluster.run_until("the old leader steps down", |cluster| {
        outcome(cluster, old, 1).is_some()
    });
    let refused = outcome(&cluster, old, 1);
    assert!(matches!(refused, Some(Err(ShardError::Uncertain))), "{refused:?}");
}

#[test]
fn whatever_is_cut_and_when_no_answer_is_older_than_its_question() {
    let (mut answered, mut refused) = (0, 0);
    for seed in 0..40 {
        let mut cluster = Cluster::new(seed);
        cluster.run_until_leader();
        let (mut written, mut asked) = (0, BTreeMap::new());
        for ticket in 1..1_500_u64 {
            cluster.cut = match ticket % 200 {
                120.. => Some((ticket / 200 + seed) as usize % 3),
                _ => None,
            };
            let host = (ticket % 3) as usize;
            if ticket % 2 == 0 {
                cluster.hosts[host]
                    .engine
                    .propose(SHARD, FIRST_EPOCH, vec![0], Ticket(ticket));
                cluster.settle(host);
            } else {
                asked.insert(Ticket(ticket), written);
                ask(&mut cluster, host, ticket);
            }
            (0..5).for_each(|_| cluster.step());
            for (done, outcome) in cluster
                .hosts
                .iter_mut()
                .flat_map(|host| std::mem::take(&mut host.answers))
            {
                match (asked.remove(&done), outcome) {
                    (Some(before), Ok(reply)) => {
                        answered += 1;
                        assert!(reply.index.0 >= before, "seed {seed}: {} < {before}", reply.index.0);
                    }
                    (None, Ok(reply)) => written = written.max(reply.index.0),
                    (_, Err(_)) => refused += 1,
                }
            }
        }
    }
    println!("{answered} answered, {refused} refused");
    assert!(answered > 1_000 && refused > 1_000);
}
