//! A small cluster for tests.

use std::collections::{BTreeMap, BTreeSet};

use covey_shared::command::ItemResult;
use covey_shared::ids::{LogIndex, NodeId, OperationId, ReplicaId, ShardId, Term, UnixMillis};
use covey_shared::layout::Layout;
use covey_shared::members::{ChangeKind, MemberChange, ShardDescriptor};
use covey_shared::metadata::{
    AuditRecord, Ending, MetadataChange, NodePlace, Operation, OperationFault, OperationProgress, OperationRecord,
    Start,
};
use covey_shared::wire::{MemberProgress, ShardReport};

use crate::pace::Forecast;
use crate::schedule::{Action, Limits, Plan, Sights, schedule};
use crate::state::Metadata;

/// When tests begin.
pub(crate) const BEGIN: UnixMillis = UnixMillis(1_000_000);
pub(crate) const HOUR_MS: u64 = 3_600_000;
pub(crate) const LIMITS: Limits = Limits {
    max_down_ms: Some(600_000),
    moves: 2,
    move_limit_ms: HOUR_MS,
    replicas: 3,
};

pub(crate) fn place(node: u64, zone: &str) -> NodePlace {
    NodePlace {
        node: NodeId(node),
        listen: format!("host{node}:7100"),
        zone: zone.to_owned(),
    }
}

pub(crate) fn start(what: Operation) -> Start {
    Start {
        what,
        by: "ann".to_owned(),
        parent: None,
        limit_ms: HOUR_MS,
    }
}

pub(crate) fn moves(shard: u64, from: u64, to: u64) -> Operation {
    Operation::Move {
        shard: ShardId(shard),
        from: NodeId(from),
        to: NodeId(to),
    }
}

pub(crate) fn drain(node: u64) -> Operation {
    let node = NodeId(node);
    Operation::Drain { node }
}

pub(crate) fn repair(node: u64) -> Operation {
    let node = NodeId(node);
    Operation::Repair { node }
}

pub(crate) fn add(node: u64) -> Operation {
    let node = NodeId(node);
    Operation::Add { node }
}

pub(crate) fn maintenance(node: u64, until: UnixMillis) -> Operation {
    let node = NodeId(node);
    Operation::Maintenance { node, until }
}

/// The metadata, and what its leader sees. The time stands still unless a test moves it.
pub(crate) struct Bed {
    pub(crate) state: Metadata,
    pub(crate) now: UnixMillis,
    pub(crate) up: BTreeSet<NodeId>,
    pub(crate) silent: BTreeMap<NodeId, u64>,
    pub(crate) reports: BTreeMap<ShardId, ShardReport>,
    pub(crate) forecast: Forecast,
    pub(crate) log: Vec<(LogIndex, UnixMillis, MetadataChange)>,
    pub(crate) audit: Vec<AuditRecord>,
    /// Of each shard, except the metadata.
    pub(crate) replicas: usize,
}

impl Bed {
    /// `shards` shards and the metadata, each on three of `nodes` nodes without zones, all observed and heard of.
    pub(crate) fn new(nodes: u64, shards: u16) -> Bed {
        Bed::of(nodes, shards, 3)
    }

    /// The same, with so many replicas.
    pub(crate) fn of(nodes: u64, shards: u16, replicas: usize) -> Bed {
        let ids: Vec<NodeId> = (1..=nodes).map(NodeId).collect();
        let layout = Layout::fixed(shards, replicas, &ids);
        let mut bed = Bed {
            state: Metadata::default(),
            now: BEGIN,
            up: ids.iter().copied().collect(),
            silent: BTreeMap::new(),
            reports: BTreeMap::new(),
            forecast: Forecast::default(),
            log: Vec::new(),
            audit: Vec::new(),
            replicas,
        };
        bed.apply(MetadataChange::Register(
            (1..=nodes).map(|node| place(node, "")).collect(),
        ));
        for plan in layout.groups() {
            bed.show(ShardDescriptor::founding(plan));
        }
        bed.observe();
        bed
    }

    pub(crate) fn apply(&mut self, change: MetadataChange) -> ItemResult {
        let index = LogIndex(self.log.len() as u64 + 1);
        let effect = self.state.apply(index, self.now, &change);
        self.log.push((index, self.now, change));
        self.audit.extend(effect.audit);
        effect.result
    }

    fn asked(&mut self, change: MetadataChange) -> Result<OperationId, OperationFault> {
        match self.apply(change) {
            ItemResult::Operation(outcome) => outcome,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn start(&mut self, what: Operation) -> Result<OperationId, OperationFault> {
        self.asked(MetadataChange::Start(start(what)))
    }

    pub(crate) fn child(&mut self, what: Operation, parent: OperationId) -> Result<OperationId, OperationFault> {
        let parent = Some(parent);
        self.asked(MetadataChange::Start(Start { parent, ..start(what) }))
    }

    pub(crate) fn cancel(&mut self, operation: OperationId) -> Result<OperationId, OperationFault> {
        let by = "ann".to_owned();
        self.asked(MetadataChange::Cancel { operation, by })
    }

    pub(crate) fn undrain(&mut self, node: u64) -> Result<OperationId, OperationFault> {
        let (node, by) = (NodeId(node), "ann".to_owned());
        self.asked(MetadataChange::Undrain { node, by })
    }

    pub(crate) fn announce(&mut self, place: NodePlace) -> Result<OperationId, OperationFault> {
        let by = "node".to_owned();
        self.asked(MetadataChange::Join { place, by })
    }

    pub(crate) fn remove(&mut self, node: u64) -> Result<OperationId, OperationFault> {
        let (node, by) = (NodeId(node), "ann".to_owned());
        self.asked(MetadataChange::Remove { node, by })
    }

    pub(crate) fn end(&mut self, operation: OperationId, ending: Ending) {
        self.apply(MetadataChange::End { operation, ending });
    }

    pub(crate) fn away(&mut self, node: u64, since: Option<UnixMillis>) {
        let node = NodeId(node);
        match since {
            Some(_) => {
                self.up.remove(&node);
                self.silent.insert(node, 0);
            }
            None => {
                self.up.insert(node);
                self.silent.remove(&node);
            }
        }
        self.apply(MetadataChange::Away { node, since });
        let descriptors: Vec<_> = self.reports.values().map(|report| report.descriptor.clone()).collect();
        descriptors.into_iter().for_each(|descriptor| self.show(descriptor));
    }

    /// The leader, who was it before or else is the first that is up, says this of a shard. Who is up has the whole log.
    pub(crate) fn show(&mut self, descriptor: ShardDescriptor) {
        let there = |replica: &ReplicaId| self.up.contains(&replica.node());
        let led = self.reports.get(&descriptor.shard).map(|report| report.replica);
        let led = led.filter(|led| there(led) && descriptor.members.votes(*led));
        let leader = led.or_else(|| descriptor.members.voters.iter().copied().find(there));
        let Some(replica) = leader else {
            self.reports.remove(&descriptor.shard);
            return;
        };
        let member = |replica: ReplicaId| MemberProgress {
            replica,
            matched: LogIndex(if there(&replica) { 9 } else { 0 }),
            heard: there(&replica),
            fit: true,
        };
        let report = ShardReport {
            replica,
            leader,
            term: Term(1),
            last: LogIndex(9),
            applied: LogIndex(9),
            members: descriptor.members.all().into_iter().map(member).collect(),
            descriptor,
        };
        self.reports.insert(report.descriptor.shard, report);
    }

    /// The members of a shard change, and its leader says so.
    pub(crate) fn change(&mut self, shard: u64, kind: ChangeKind) {
        let mut descriptor = self.reports[&ShardId(shard)].descriptor.clone();
        let expected = descriptor.epoch.conf_ver;
        descriptor
            .change(&MemberChange { expected, kind })
            .expect("a test asks for changes that are allowed");
        self.show(descriptor);
    }

    /// A node without replicas joins the cluster.
    pub(crate) fn join(&mut self, node: u64, zone: &str) {
        self.apply(MetadataChange::Register(vec![place(node, zone)]));
        self.up.insert(NodeId(node));
    }

    /// Moves the vote of a shard, as a move that ran to its end.
    pub(crate) fn moved(&mut self, shard: u64, from: u64, to: u64) {
        let (new, old) = (
            self.learner(shard, to),
            self.member(shard, from).expect("it has a vote there"),
        );
        let (promote, demote) = (vec![new], vec![old]);
        self.change(shard, ChangeKind::Replace { promote, demote });
        self.change(shard, ChangeKind::LeaveJoint);
        self.change(shard, ChangeKind::Remove(old));
    }

    /// A learner joins a shard.
    pub(crate) fn learner(&mut self, shard: u64, node: u64) -> ReplicaId {
        let change = self.reports[&ShardId(shard)].descriptor.add_learner(NodeId(node));
        self.change(shard, change.kind);
        self.member(shard, node).expect("it was added just now")
    }

    /// A shard's leader hears of a member, or does not.
    pub(crate) fn hear(&mut self, shard: u64, node: u64, heard: bool) {
        let report = self.reports.get_mut(&ShardId(shard)).expect("it has a leader");
        let mut members = report.members.iter_mut();
        let member = members.find(|member| member.replica.node() == NodeId(node));
        member.expect("it is a member").heard = heard;
    }

    pub(crate) fn member(&self, shard: u64, node: u64) -> Option<ReplicaId> {
        self.reports[&ShardId(shard)].descriptor.members.on(NodeId(node))
    }

    /// The metadata take in what leaders say.
    pub(crate) fn observe(&mut self) {
        let all = self.reports.values().map(|report| report.descriptor.clone()).collect();
        self.apply(MetadataChange::Observe(all));
    }

    pub(crate) fn sights(&self) -> Sights<'_> {
        Sights {
            now: self.now,
            up: &self.up,
            silent: &self.silent,
            reports: &self.reports,
            forecast: &self.forecast,
        }
    }

    pub(crate) fn plan(&self) -> Plan {
        schedule(&self.state, &self.sights(), &LIMITS)
    }

    /// Plans, and writes what was proposed into the log.
    pub(crate) fn turn(&mut self) -> Plan {
        let plan = self.plan();
        for action in &plan.actions {
            if let Action::Propose(change) = action {
                self.apply(change.clone());
            }
        }
        plan
    }

    pub(crate) fn pass(&mut self, ms: u64) {
        self.now.0 += ms;
        self.silent.values_mut().for_each(|silence| *silence += ms);
    }

    pub(crate) fn record(&self, id: OperationId) -> &OperationRecord {
        &self.state.operations[&id]
    }

    pub(crate) fn progress(&self, id: OperationId) -> OperationProgress {
        self.plan().progress.remove(&id).expect("it runs")
    }

    /// The end of an operation that is proposed now.
    pub(crate) fn ending(&self, id: OperationId) -> Option<Ending> {
        let ends = |action: Action| match action {
            Action::Propose(MetadataChange::End { operation, ending }) if operation == id => Some(ending),
            _ => None,
        };
        self.plan().actions.into_iter().find_map(ends)
    }
}

/// The operations that a plan begins.
pub(crate) fn begun(plan: &Plan) -> Vec<Operation> {
    let begun = |action: &Action| match action {
        Action::Propose(MetadataChange::Start(start)) => Some(start.what),
        _ => None,
    };
    plan.actions.iter().filter_map(begun).collect()
}
