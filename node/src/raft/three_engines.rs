//! Three engines in one thread, with wires that are cut and messages in any order.

use std::collections::VecDeque;
use std::time::Duration;

use covey_env::Monotonic;
use covey_shared::command::ItemResult;
use covey_shared::ids::NodeId;
use covey_shared::layout::Layout;
use covey_shared::wire::RaftMessage;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::engine::Answer;
use super::fixture::{SHARD, limits};
use super::{AppliedTask, Effects, Engine, GroupStart};

/// A host: an engine, its store (the applied payloads) and its wires.
pub(super) struct Host {
    pub(super) engine: Engine,
    pub(super) applied: Vec<(u64, Vec<u8>)>,
    pub(super) inbox: VecDeque<RaftMessage>,
    pub(super) answers: Vec<Answer>,
    pub(super) compactions: usize,
}

pub(super) struct Cluster {
    pub(super) hosts: Vec<Host>,
    rng: StdRng,
    pub(super) now: u64,
    pub(super) cut: Option<usize>,
    /// Whose disks are slow.
    pub(super) unfit: [bool; 3],
}

impl Cluster {
    pub(super) fn new(seed: u64) -> Cluster {
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
            unfit: [false; 3],
        }
    }

    /// Runs `host` until it has nothing more to do; its log and store answer at once.
    pub(super) fn settle(&mut self, host: usize) {
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
            for (to, mut message) in send {
                message.unfit = self.unfit[host];
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

    pub(super) fn step(&mut self) {
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
    pub(super) fn deliver(&mut self) {
        while let Some(host) = (0..3).find(|host| !self.hosts[*host].inbox.is_empty()) {
            let message = self.hosts[host].inbox.pop_front().expect("it is not empty");
            let now = Monotonic(Duration::from_millis(self.now));
            self.hosts[host].engine.step(message, now, 0);
            self.settle(host);
        }
    }

    /// Time passes at `host` until its heartbeat has been answered.
    pub(super) fn deliver_after_heartbeat(&mut self, host: usize) {
        for _ in 0..limits().heartbeat_ticks {
            self.hosts[host].engine.tick(|| 0);
        }
        self.settle(host);
        self.deliver();
    }

    pub(super) fn leader(&self) -> Option<usize> {
        let now = Monotonic(Duration::from_millis(self.now));
        (0..3).filter(|i| self.cut != Some(*i)).find(|i| {
            self.hosts[*i]
                .engine
                .status(SHARD, now)
                .is_some_and(|s| s.role == covey_shared::wire::ReplicaRole::Leader)
        })
    }

    pub(super) fn run_until_leader(&mut self) -> usize {
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
pub(super) fn assert_one_order(cluster: &Cluster) {
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
