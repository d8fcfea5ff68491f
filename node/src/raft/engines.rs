//! Some engines in one thread, with wires that are cut and messages in any order. The first three found the shard; the others
//! join when its leader sends them its log.

use std::collections::VecDeque;
use std::time::Duration;

use covey_env::Monotonic;
use covey_shared::command::ItemResult;
use covey_shared::ids::{NodeId, ReplicaId};
use covey_shared::members::ShardDescriptor;
use covey_shared::wire::{RaftMessage, ReplicaRole};
use covey_store::log::{EntryKind, HardState, LogPosition, RecoveredGroup};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::engine::Answer;
use super::fixture::{FOUNDERS, SHARD, founding, limits, replica};
use super::{AppliedTask, ApplyTask, Effects, Engine, Fetched, GroupStart, GroupStatus, Restore, membership};

/// The payloads that were applied, the last one's position, and the members then.
#[derive(Clone)]
pub(super) struct Store {
    pub(super) applied: Vec<(u64, Vec<u8>)>,
    pub(super) members: ShardDescriptor,
    last: LogPosition,
}

/// A host: an engine, its store and its wires.
pub(super) struct Host {
    pub(super) engine: Engine,
    pub(super) store: Store,
    /// Fetched from the leader.
    arrived: Option<Store>,
    pub(super) inbox: VecDeque<RaftMessage>,
    pub(super) answers: Vec<Answer>,
    pub(super) compactions: usize,
}

pub(super) struct Cluster {
    pub(super) hosts: Vec<Host>,
    rng: StdRng,
    pub(super) now: u64,
    pub(super) cut: Option<usize>,
    /// A process that stands still; what is sent to it waits.
    pub(super) stopped: Option<usize>,
    /// Whose disks are slow.
    pub(super) unfit: Vec<bool>,
}

impl Cluster {
    pub(super) fn new(seed: u64) -> Cluster {
        Cluster::of(FOUNDERS, seed)
    }

    pub(super) fn of(hosts: usize, seed: u64) -> Cluster {
        let mut rng = StdRng::seed_from_u64(seed);
        let host = |host: usize| {
            let founder = (host < FOUNDERS).then(|| (replica(host as u64 + 1), Some(GroupStart::fresh())));
            Host {
                engine: Engine::new(NodeId(host as u64 + 1), founder, limits(), || rng.random_range(0..1000)),
                store: Store {
                    applied: vec![],
                    members: founding(),
                    last: LogPosition::default(),
                },
                arrived: None,
                inbox: VecDeque::new(),
                answers: vec![],
                compactions: 0,
            }
        };
        Cluster {
            hosts: (0..hosts).map(host).collect(),
            rng,
            now: 0,
            cut: None,
            stopped: None,
            unfit: vec![false; hosts],
        }
    }

    /// Runs `host` until it has nothing more to do; its log and store answer at once.
    pub(super) fn settle(&mut self, host: usize) {
        let mut effects = Effects::default();
        self.hosts[host].engine.collect(&mut effects);
        loop {
            let Effects {
                mut send,
                append,
                apply,
                install,
                damaged,
                strangers,
            } = std::mem::take(&mut effects);
            assert_eq!(damaged, [], "no store is damaged");
            let now = Monotonic(Duration::from_millis(self.now));
            self.hosts[host].engine.stamp(&mut send, now);
            for (to, mut message) in send {
                message.unfit = self.unfit[host];
                let to = (to.0 - 1) as usize;
                if self.cut != Some(host) && self.cut != Some(to) {
                    self.hosts[to].inbox.push_back(message);
                }
            }
            for (me, from) in strangers {
                self.join(host, me, (from.0 - 1) as usize);
            }
            for (_, from) in self.hosts[host].engine.take_pulls() {
                self.pull(host, (from.0 - 1) as usize);
            }
            let target = &mut self.hosts[host];
            for (_, index) in install {
                target.store = target.arrived.take().expect("only what has arrived is installed");
                target.engine.installed(SHARD, index);
                target.engine.collect(&mut effects);
            }
            target.compactions += append.iter().filter(|a| a.compacted.is_some()).count();
            let recorded = append.iter().filter(|a| a.ready > 0);
            let readies: Vec<_> = recorded.map(|a| (a.shard, a.ready)).collect();
            let idle = readies.is_empty() && apply.is_empty();
            target.engine.persisted(&readies, &mut effects, || 0);
            apply.into_iter().for_each(|task| target.apply(task));
            target.engine.collect(&mut effects);
            let more = !(effects.append.is_empty() && effects.apply.is_empty() && effects.install.is_empty());
            if idle && !more && effects.send.is_empty() {
                break;
            }
        }
        let answers = self.hosts[host].engine.take_answers();
        self.hosts[host].answers.extend(answers);
    }

    /// `host` fetches what the store of `from` holds, if that leads and knows of the new replica.
    fn join(&mut self, host: usize, me: ReplicaId, from: usize) {
        let store = self.hosts[from].store.clone();
        let Some(status) = self.status(from).filter(|status| status.role == ReplicaRole::Leader) else {
            return;
        };
        if !store.members.members.has(me) {
            return;
        }
        let LogPosition { index, term } = store.last;
        let hard_state = HardState {
            term: status.term.0.max(term),
            vote: 0,
            commit: index,
        };
        let start = GroupStart {
            log: RecoveredGroup {
                hard_state,
                compacted: store.last,
                ..RecoveredGroup::default()
            },
            applied: index,
            descriptor: store.members.clone(),
            damaged: false,
        };
        let target = &mut self.hosts[host];
        target.store = store;
        target.engine.host(me);
        target.engine.begin(SHARD, start);
    }

    /// `host` lacks entries that its leader, `from`, does not have any more.
    fn pull(&mut self, host: usize, from: usize) {
        let store = self.hosts[from].store.clone();
        let fetched = Fetched {
            at: store.last,
            descriptor: store.members.clone(),
        };
        let target = &mut self.hosts[host];
        if store.members.members.on(NodeId(host as u64 + 1)).is_some()
            && target.engine.restore(SHARD, &fetched) == Restore::Taken
        {
            target.arrived = Some(store);
        }
    }

    pub(super) fn step(&mut self) {
        let host = self.rng.random_range(0..self.hosts.len());
        let random = self.rng.random_range(0..1000);
        if self.stopped == Some(host) {
            self.now += 30;
            return;
        }
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

    /// Steps until `done` says so.
    pub(super) fn run_until(&mut self, what: &str, mut done: impl FnMut(&mut Cluster) -> bool) {
        for _ in 0..50_000 {
            if done(self) {
                return;
            }
            self.step();
        }
        let hosts: Vec<_> = (0..self.hosts.len())
            .map(|host| (host + 1, self.status(host)))
            .collect();
        panic!("{what} did not happen in 50 000 steps: {hosts:#?}");
    }

    /// All messages arrive; no time passes.
    pub(super) fn deliver(&mut self) {
        while let Some(host) = (0..self.hosts.len()).find(|host| !self.hosts[*host].inbox.is_empty()) {
            let message = self.hosts[host].inbox.pop_front().expect("it is not empty");
            let now = Monotonic(Duration::from_millis(self.now));
            self.hosts[host].engine.step(message, now, host);
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

    pub(super) fn status(&self, host: usize) -> Option<GroupStatus> {
        let now = Monotonic(Duration::from_millis(self.now));
        self.hosts[host].engine.status(SHARD, now)
    }

    pub(super) fn leader(&self) -> Option<usize> {
        let leads = |host: &usize| self.status(*host).is_some_and(|s| s.role == ReplicaRole::Leader);
        (0..self.hosts.len()).filter(|i| self.cut != Some(*i)).find(leads)
    }

    pub(super) fn run_until_leader(&mut self) -> usize {
        self.run_until("an election", |cluster| cluster.leader().is_some());
        self.leader().expect("there is one now")
    }
}

impl Host {
    fn apply(&mut self, task: ApplyTask) {
        let Some(last) = task.entries.last() else {
            return;
        };
        let store = &mut self.store;
        store.last = LogPosition {
            index: last.index,
            term: last.term,
        };
        for entry in &task.entries {
            if entry.kind == EntryKind::ConfChange {
                let change = membership::decode(&entry.data).expect("only what decodes is in a log");
                // One that was overtaken changes nothing.
                let _ = store.members.change(&change);
            }
            store.applied.push((entry.index, entry.data.to_vec()));
        }
        let result = |e: &covey_store::log::LogEntry| (e.index, e.term, vec![ItemResult::Ok]);
        let results = task.entries.iter().map(result).collect();
        let (shard, index) = (SHARD, store.last.index);
        self.engine.applied(AppliedTask { shard, index, results });
        self.engine.checkpointed(SHARD, index);
    }
}

/// Every log is a prefix of the longest one.
pub(super) fn assert_one_order(cluster: &Cluster) {
    let logs = cluster.hosts.iter().map(|h| &h.store.applied);
    let longest = logs.max_by_key(|a| a.len()).expect("there are hosts");
    for host in &cluster.hosts {
        let applied = &host.store.applied;
        assert_eq!(applied[..], longest[..applied.len()]);
    }
}
