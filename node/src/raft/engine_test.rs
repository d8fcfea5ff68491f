//! Three engines in one thread: what is answered is on a majority, in one order, whatever the schedule.

use std::collections::VecDeque;
use std::time::Duration;

use covey_shared::layout::{FIRST_EPOCH, Layout};
use covey_shared::wire::TransferFault;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::*;
use crate::raft::fixture::{SHARD, limits, message};

/// A host: an engine, its store (the applied payloads) and its wires.
struct Host {
    engine: Engine,
    applied: Vec<(u64, Vec<u8>)>,
    inbox: VecDeque<RaftMessage>,
    answers: Vec<Answer>,
    compactions: usize,
}

struct Cluster {
    hosts: Vec<Host>,
    rng: StdRng,
    now: u64,
    cut: Option<usize>,
}

impl Cluster {
    fn new(seed: u64) -> Cluster {
        let nodes: Vec<NodeId> = (1..=3).map(NodeId).collect();
        let mut rng = StdRng::seed_from_u64(seed);
        let hosts = nodes
            .iter()
            .map(|node| {
                let shards = Layout::fixed(1, 3, &nodes)
                    .shards
                    .into_iter()
                    .map(|p| (p, Some(GroupStart::default())));
                let engine = Engine::new(*node, shards, limits(), || rng.random_range(0..1000));
                Host {
                    engine,
                    applied: vec![],
                    inbox: VecDeque::new(),
                    answers: vec![],
                    compactions: 0,
                }
            })
            .collect();
        Cluster {
            hosts,
            rng,
            now: 0,
            cut: None,
        }
    }

    /// Runs `host` until it has nothing more to do; its log and store answer at once.
    fn settle(&mut self, host: usize) {
        let mut effects = Effects::default();
        self.hosts[host].engine.collect(&mut effects);
        loop {
            let Effects {
                send,
                append,
                apply,
                install,
                damaged,
            } = std::mem::take(&mut effects);
            assert_eq!(
                (install, damaged),
                (vec![], vec![]),
                "nobody has offered or needs a snapshot"
            );
            for (to, message) in send {
                let to = (to.0 - 1) as usize;
                if self.cut != Some(host) && self.cut != Some(to) {
                    self.hosts[to].inbox.push_back(message);
                }
            }
            let target = &mut self.hosts[host];
            target.compactions += append.iter().filter(|a| a.compacted.is_some()).count();
            let readies: Vec<_> = append
                .iter()
                .filter(|a| a.ready > 0)
                .map(|a| (a.shard, a.ready))
                .collect();
            if readies.is_empty() && apply.is_empty() {
                break;
            }
            target.engine.persisted(&readies, &mut effects, || 0);
            for task in apply {
                let results = task
                    .entries
                    .iter()
                    .map(|e| (e.index, e.term, vec![ItemResult::Ok]))
                    .collect();
                let index = task.entries.last().map_or(0, |e| e.index);
                target
                    .applied
                    .extend(task.entries.into_iter().map(|e| (e.index, e.data.to_vec())));
                target.engine.applied(AppliedTask {
                    shard: SHARD,
                    index,
                    results,
                });
                target.engine.checkpointed(SHARD, index);
            }
            target.engine.collect(&mut effects);
        }
        let answers = self.hosts[host].engine.take_answers();
        self.hosts[host].answers.extend(answers);
    }

    fn step(&mut self) {
        let host = self.rng.random_range(0..3);
        let random = self.rng.random_range(0..1000);
        match self.hosts[host].inbox.pop_front() {
            Some(message) => {
                let now = Monotonic(Duration::from_millis(self.now));
                self.hosts[host].engine.step(message, now, random);
            }
            None => {
                self.now += 30;
                self.hosts[host].engine.tick(|| random);
            }
        }
        self.settle(host);
    }

    /// All messages arrive; no time passes.
    fn deliver(&mut self) {
        while let Some(host) = (0..3).find(|host| !self.hosts[*host].inbox.is_empty()) {
            let message = self.hosts[host].inbox.pop_front().expect("it is not empty");
            let now = Monotonic(Duration::from_millis(self.now));
            self.hosts[host].engine.step(message, now, 0);
            self.settle(host);
        }
    }

    fn leader(&self) -> Option<usize> {
        let now = Monotonic(Duration::from_millis(self.now));
        (0..3).filter(|i| self.cut != Some(*i)).find(|i| {
            self.hosts[*i]
                .engine
                .status(SHARD, now)
                .is_some_and(|s| s.role == covey_shared::wire::ReplicaRole::Leader)
        })
    }

    fn run_until_leader(&mut self) -> usize {
        for _ in 0..10_000 {
            if let Some(leader) = self.leader() {
                return leader;
            }
            self.step();
        }
        panic!("no leader after 10 000 steps");
    }
}

/// Every log is a prefix of the longest one.
fn assert_one_order(cluster: &Cluster) {
    let longest = cluster
        .hosts
        .iter()
        .map(|h| &h.applied)
        .max_by_key(|a| a.len())
        .expect("three hosts");
    for host in &cluster.hosts {
        assert_eq!(host.applied[..], longest[..host.applied.len()]);
    }
}

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
        let applied: BTreeSet<Vec<u8>> = cluster.hosts[0].applied.iter().map(|(_, d)| d.clone()).collect();
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

#[test]
fn a_leader_that_hands_over_is_followed_by_another_at_once() {
    for seed in 0..20 {
        println!("seed {seed}");
        let mut cluster = Cluster::new(seed);
        cluster.run_until_leader();
        cluster.deliver();
        let first = cluster.leader().expect("no time has passed since the election");
        cluster.hosts[first].engine.hand_over(|| seed as usize);
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
    assert_eq!(ask(&mut cluster, first, node(to)), Ok(()));
    cluster.settle(first);
    cluster.deliver();
    assert_eq!(cluster.leader(), Some(to));
}

#[test]
fn an_offer_that_nobody_takes_up_holds_proposals_back_for_a_heartbeat_only() {
    let mut cluster = Cluster::new(3);
    cluster.run_until_leader();
    cluster.deliver();
    let leader = cluster.leader().expect("no time has passed since the election");
    let engine = &mut cluster.hosts[leader].engine;
    engine.hand_over(|| 0);
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
    let places = Layout::fixed(1, 3, &[NodeId(1), NodeId(2), NodeId(3)]).shards[0]
        .voters
        .clone();
    let of = |host: usize| {
        let place = places.iter().find(|p| p.node == NodeId(host as u64 + 1));
        place.expect("every node has a replica").replica
    };
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
