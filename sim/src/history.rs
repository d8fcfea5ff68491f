//! What happened in a run, as the observers and writers saw it.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hasher;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use covey_node::Observer;
use covey_shared::ids::{LogIndex, NodeId, OperationId, PostKey, ReplicaId, ShardId, Term, Version};
use covey_shared::members::Members;
use covey_store::log::LogEntry;
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use crate::fates::Fates;
use crate::follows::Edge;
use crate::invariants::Block;
use crate::linearizable::{HotPost, Operation};

/// What a writer was told about one post.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// Stored at this version.
    Put(Version),
    /// Deleted at this version.
    Deleted(Version),
}

/// What hosts have said. Answers overtake each other, so each is compared with what was heard before it was asked for.
#[derive(Clone, Default)]
pub(crate) struct Heard {
    /// The highest `conf_ver` that the leader of each term told of.
    pub(crate) led: BTreeMap<(ShardId, Term), u64>,
    /// The newest replica of each shard that a host was seen to have.
    pub(crate) births: BTreeMap<(NodeId, ShardId), ReplicaId>,
}

/// Everything that the invariants look at.
#[derive(Default)]
pub(crate) struct History {
    /// Term and hash of the entry at each position, from the first replica that applied it.
    pub(crate) entries: BTreeMap<(ShardId, u64), (u64, u64)>,
    /// Who leads in each term.
    pub(crate) leaders: BTreeMap<(ShardId, Term), NodeId>,
    /// The last acknowledgement per post.
    pub(crate) told: BTreeMap<PostKey, Told>,
    /// Deletes that were tried and whose outcome nobody heard.
    pub(crate) maybe_deleted: BTreeMap<PostKey, Version>,
    /// Whether an edge is on, as last acknowledged.
    pub(crate) follows: BTreeMap<Edge, bool>,
    /// Changes of edges that were acknowledged.
    pub(crate) followed: u64,
    /// What those who share posts have asked for and were told, by post, in the order in which they asked.
    pub(crate) shared_posts: BTreeMap<PostKey, Vec<Operation<HotPost>>>,
    /// All posts: whether they are there.
    pub(crate) posts: Fates<PostKey>,
    /// All blocks: whether they hold.
    pub(crate) blocks: Fates<Block>,
    /// Searches and verdicts of coordinators that said that they were complete.
    pub(crate) complete: u64,
    /// Those that did not.
    pub(crate) incomplete: u64,
    /// Posts that feeds showed.
    pub(crate) shown: u64,
    /// What was acknowledged or read of each shard, by anybody: the token of all.
    pub(crate) tokens: BTreeMap<ShardId, LogIndex>,
    /// Events of operations so far.
    events: u64,
    /// The members that each `conf_ver` of a shard means, as anybody said.
    pub(crate) versions: BTreeMap<(ShardId, u64), Members>,
    /// What must not go back.
    pub(crate) heard: Heard,
    /// Where each replica was seen, on the disks that there are now.
    pub(crate) hosts: BTreeMap<ReplicaId, NodeId>,
    /// Moves that were done.
    pub(crate) moves: u64,
    /// Hosts that were emptied.
    pub(crate) drains: u64,
    /// Operations that were taken back.
    pub(crate) cancelled: u64,
    /// Operations that were not possible, or not in time.
    pub(crate) failed: u64,
    /// Repairs that the cluster began by itself.
    pub(crate) repairs: u64,
    /// The newest entry of the metadata that was acknowledged, or that an answer had.
    pub(crate) metadata: LogIndex,
    /// Operations that were acknowledged.
    pub(crate) started: BTreeSet<OperationId>,
    /// Operators who ask for nothing any more.
    pub(crate) operators_done: u64,
    /// What is broken.
    pub(crate) violations: Vec<String>,
    /// Processes that ended because their disk was full.
    pub(crate) ended_full: u64,
    /// Entries applied, over all replicas.
    pub(crate) applied: u64,
    /// Replicas that went on from a snapshot.
    pub(crate) snapshots: u64,
    /// Those of them on a host that had lost something.
    pub(crate) rebuilt: u64,
    /// Hash of every observation in order: two runs of a seed must agree.
    trace: Xxh3,
}

impl History {
    pub(crate) fn trace_hash(&self) -> u64 {
        self.trace.digest()
    }

    /// The number of an event: no other has it, and later ones have greater ones.
    pub(crate) fn event(&mut self) -> u64 {
        self.events += 1;
        self.events
    }

    /// Whoever asks from now on, has seen this.
    pub(crate) fn saw(&mut self, shard: ShardId, index: LogIndex) {
        let token = self.tokens.entry(shard).or_default();
        *token = index.max(*token);
    }

    /// Adds one observation to the trace.
    pub(crate) fn note(&mut self, what: &[u64]) {
        for number in what {
            self.trace.write_u64(*number);
        }
    }
}

/// Shared by all hosts of a run.
#[derive(Clone, Default)]
pub(crate) struct Shared(Arc<Mutex<History>>);

impl Shared {
    pub(crate) fn lock(&self) -> MutexGuard<'_, History> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The observer of one host.
pub(crate) struct Witness {
    pub(crate) node: NodeId,
    pub(crate) history: Shared,
    /// Something, before this life of the host.
    pub(crate) lost: bool,
}

impl Observer for Witness {
    fn applied(&self, shard: ShardId, entry: &LogEntry) {
        let mut history = self.history.lock();
        let hash = xxh3_64(&entry.data);
        let now = turmoil::sim_elapsed().map_or(0, |t| t.as_micros() as u64);
        history.applied += 1;
        history.note(&[now, self.node.0, shard.0, entry.index, entry.term, hash]);
        crate::invariants::one_value_per_index(&mut history, shard, (entry.index, entry.term, hash), self.node);
    }

    fn installed(&self, shard: ShardId, index: u64) {
        let mut history = self.history.lock();
        history.snapshots += 1;
        history.rebuilt += u64::from(self.lost);
        history.note(&[self.node.0, shard.0, index]);
    }

    fn leads(&self, shard: ShardId, term: Term) {
        let mut history = self.history.lock();
        crate::invariants::one_leader_per_term(&mut history, shard, term, self.node);
    }
}
