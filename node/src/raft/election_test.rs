//! Elections end, also where a vote takes most of an election timeout to reach the disk.

use std::collections::VecDeque;

use covey_env::Monotonic;
use covey_shared::ids::{NodeId, ShardId};
use covey_shared::wire::RaftMessage;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::raft::fixture::{FOUNDERS, SHARD, limits, replica};
use crate::raft::{Effects, Engine, GroupStart};

/// An engine whose disk takes one turn after the other.
struct Host {
    engine: Engine,
    inbox: Vec<RaftMessage>,
    /// What the turn that runs writes, and when it ends.
    turn: Option<(u64, Vec<(ShardId, u64)>)>,
    waiting: VecDeque<(ShardId, u64)>,
}

/// Three of them that tick together; a message takes one, and a turn of the disk `sync` at least.
struct Hosts {
    hosts: Vec<Host>,
    rng: StdRng,
    tick: u64,
    sync: u64,
}

impl Hosts {
    fn new(seed: u64, sync: u64) -> Hosts {
        let mut rng = StdRng::seed_from_u64(seed);
        let host = |node| Host {
            engine: Engine::new(
                NodeId(node),
                [(replica(node), Some(GroupStart::fresh()))],
                limits(),
                || rng.random_range(0..1000),
            ),
            inbox: vec![],
            turn: None,
            waiting: VecDeque::new(),
        };
        let hosts = (1..=FOUNDERS as u64).map(host).collect();
        Hosts {
            hosts,
            rng,
            tick: 0,
            sync,
        }
    }

    fn step(&mut self) {
        self.tick += 1;
        let mut sent = vec![];
        for host in &mut self.hosts {
            let random = self.rng.random_range(0..1000);
            let mut effects = Effects::default();
            let ended = host.turn.take_if(|(end, _)| *end <= self.tick);
            let ready = ended.map_or(vec![], |(_, ready)| ready);
            host.engine.persisted(&ready, &mut effects, || random);
            for message in host.inbox.drain(..) {
                host.engine.step(message, Monotonic::default(), random);
            }
            host.engine.tick(|| random);
            host.engine.collect(&mut effects);
            sent.append(&mut effects.send);
            host.waiting.extend(
                effects
                    .append
                    .iter()
                    .filter(|a| a.ready > 0)
                    .map(|a| (a.shard, a.ready)),
            );
            if host.turn.is_none() && !host.waiting.is_empty() {
                // Turns of one disk do not end together with those of another.
                let ends = self.tick + self.sync + random as u64 % 2;
                host.turn = Some((ends, host.waiting.drain(..).collect()));
            }
        }
        for (to, message) in sent {
            self.hosts[to.0 as usize - 1].inbox.push(message);
        }
    }

    /// Ticks until all know the same leader, 100 election timeouts at most.
    fn elect(&mut self) {
        loop {
            let status = |host: &Host| host.engine.status(SHARD, Monotonic::default()).expect("it is hosted");
            let known: Vec<_> = self.hosts.iter().map(|host| status(host).leader).collect();
            if known[0].is_some() && known.iter().all(|leader| *leader == known[0]) {
                return;
            }
            assert!(self.tick < 1_000, "no election: {known:?}");
            self.step();
        }
    }
}

#[test]
fn elections_end_though_a_vote_takes_most_of_an_election_timeout_to_be_written() {
    for sync in [1, 4, 6, 8] {
        for seed in 0..50 {
            println!("seed {seed}, {sync} ticks per turn");
            Hosts::new(seed, sync).elect();
        }
    }
}
