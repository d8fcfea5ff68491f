//! One Raft group of this node: a pure state machine over the library's `RawNode`.
//!
//! Order of the log pointers, cited everywhere: persisted ≥ committed is *not* guaranteed on one replica; what is:
//! `compacted ≤ durable applied ≤ applied ≤ committed ≤ last`.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use covey_env::Monotonic;
use covey_shared::ids::{LogIndex, NodeId, ReplicaId, Term};
use covey_shared::members::ShardDescriptor;
use covey_shared::wire::{RaftMessage, RaftMessageKind, ReplicaRole, ShardError};
use raft::eraftpb::{Entry, Message, MessageType};
use raft::{Config, RawNode, Ready, StateRole};

use super::backlog::Backlog;
use super::convert::{self, Envelope};
use super::election;
use super::freshness::{Freshness, News};
use super::group_start::{GroupStart, log_view};
use super::log_room::LogRoom;
use super::log_view::LogView;
use super::proposals::{Proposals, Ticket};
use super::read_index::ReadIndexes;
use super::rebuild::Rebuild;
use super::restore::Restoring;
use super::slog_bridge;
use super::status::GroupStatus;
use super::transfer::HandTo;
use super::{AppendTask, ApplyTask, Effects, RaftLimits};

/// Messages of a ready that may go out only once its entries are on disk.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) number: u64,
    pub(super) messages: Vec<Message>,
    /// It has a new term or vote, before which nothing may be said in that term.
    pub(super) votes: bool,
}

pub(crate) struct Group {
    /// As committed here.
    pub(super) descriptor: Arc<ShardDescriptor>,
    /// An entry up to which it is so: who fetches a replica wants one that has it.
    pub(super) conf_index: u64,
    pub(super) me: ReplicaId,
    pub(super) raw: RawNode<LogView>,
    pub(super) limits: RaftLimits,
    pub(super) held: VecDeque<Held>,
    proposals: Proposals,
    pub(super) backlog: Backlog,
    pub(super) applied: u64,
    pub(super) durable_applied: u64,
    pub(super) all_matched: u64,
    pub(super) log_room: LogRoom,
    /// A snapshot that replaces log and store.
    pub(super) restoring: Option<Restoring>,
    /// The store is damaged.
    pub(super) rebuild: Option<Rebuild>,
    /// To calls to pull a snapshot.
    pub(super) answers: Vec<Message>,
    pub(super) role: (StateRole, u64),
    /// Elections since a leader was known.
    pub(super) elections: u32,
    /// Ticks so far, and at which each member was heard of last: the library forgets that once in an election timeout, all at once.
    pub(super) ticks: u64,
    pub(super) heard: BTreeMap<ReplicaId, u64>,
    /// Members that said with their last message that they would rather not lead.
    pub(super) unfit: BTreeSet<ReplicaId>,
    pub(super) freshness: Freshness,
    pub(super) reads: ReadIndexes,
    /// It goes on alone as soon as its log says so.
    pub(super) recovering: bool,
}

impl Group {
    pub(crate) fn new(me: ReplicaId, start: GroupStart, limits: RaftLimits, election: usize) -> Self {
        let log = log_view(&start.descriptor.members, start.log, start.applied);
        let config = Config {
            id: me.0,
            applied: start.applied,
            election_tick: limits.election_ticks,
            max_election_tick: election::max_ticks(limits.election_ticks),
            heartbeat_tick: limits.heartbeat_ticks,
            max_size_per_msg: limits.max_size_per_msg,
            max_inflight_msgs: limits.max_inflight_msgs,
            max_uncommitted_size: limits.max_uncommitted_bytes,
            max_committed_size_per_ready: limits.max_size_per_msg * 32,
            pre_vote: true,
            check_quorum: true,
            batch_append: true,
            ..Config::default()
        };
        let raw = RawNode::new(&config, log, &slog_bridge::logger(me.shard().0))
            .expect("the configuration is checked at start");
        let role = (raw.raft.state, raw.raft.term);
        let applied = raw.raft.raft_log.applied;
        let mut group = Group {
            freshness: Freshness::default(),
            reads: ReadIndexes::default(),
            recovering: false,
            descriptor: Arc::new(start.descriptor),
            conf_index: start.applied,
            me,
            raw,
            limits,
            held: VecDeque::new(),
            proposals: Proposals::default(),
            backlog: Backlog::new(applied),
            applied: start.applied,
            // What the store has read back may still sit in the page cache only.
            durable_applied: 0,
            all_matched: 0,
            log_room: LogRoom::default(),
            restoring: None,
            rebuild: start.damaged.then(Rebuild::default),
            answers: Vec::new(),
            role,
            elections: 0,
            ticks: 0,
            heard: BTreeMap::new(),
            unfit: BTreeSet::new(),
        };
        group.set_election_timeout(election);
        group
    }

    /// Whether it was heard of within an election timeout.
    pub(super) fn is_heard(&self, replica: ReplicaId) -> bool {
        let heard = self.heard.get(&replica);
        replica == self.me || heard.is_some_and(|at| self.ticks - at <= self.limits.election_ticks as u64)
    }

    pub(crate) fn tick(&mut self, random: usize) {
        self.ticks += 1;
        if self.may_tick() {
            self.raw.tick();
        }
        self.end_late_offer();
        if self.is_frozen() {
            self.hand_over(HandTo::Anyone, random);
        }
        self.after_change(random);
    }

    /// Takes in a message of another member; what does not belong to this incarnation was dropped before.
    /// It was not sent before `sent`.
    pub(crate) fn step(&mut self, wire: RaftMessage, sent: Option<Monotonic>, random: usize) {
        if wire.kind == RaftMessageKind::Append && self.backlog.bytes() > self.append_room() {
            // Flow control by loss: the leader sends again once the store has caught up.
            return;
        }
        match wire.unfit {
            true => self.unfit.insert(wire.from),
            false => self.unfit.remove(&wire.from),
        };
        self.heard.insert(wire.from, self.ticks);
        let news = News::of(&wire, sent);
        // The library answers unknown peers and impossible states with an error; the message is then as good as lost.
        if let Err(error) = self.raw.step(convert::from_wire(wire)) {
            tracing::debug!(target: "raft", shard = self.descriptor.shard.0, %error, "message dropped");
        }
        self.after_change(random);
        self.learn(&news);
    }

    /// Appends `data` to the log if this replica leads.
    pub(crate) fn propose(&mut self, data: Vec<u8>, ticket: Ticket) -> Result<(), ShardError> {
        if !self.serves() {
            return Err(ShardError::NotLeader { hint: self.leader() });
        }
        if self.backlog.bytes() > self.limits.apply_backlog_bytes {
            return Err(ShardError::Overloaded { retry_after_ms: 50 });
        }
        match self.raw.propose(vec![], data) {
            Ok(()) => {
                self.note_proposal(ticket);
                Ok(())
            }
            // Too much is uncommitted: the back-pressure of a group.
            Err(raft::Error::ProposalDropped) => Err(ShardError::Overloaded { retry_after_ms: 50 }),
            Err(_) => Err(ShardError::NotLeader { hint: self.leader() }),
        }
    }

    /// The last entry of the log is what `ticket` waits for.
    pub(super) fn note_proposal(&mut self, ticket: Ticket) {
        let raft = &self.raw.raft;
        self.proposals.insert(raft.raft_log.last_index(), raft.term, ticket);
    }

    /// The log has this ready, and all before it, on disk. Whether a snapshot was among them.
    pub(crate) fn persisted(&mut self, number: u64, effects: &mut Effects) -> bool {
        while self.held.front().is_some_and(|h| h.number <= number) {
            let held = self.held.pop_front().expect("front() was there");
            self.send(held.messages, effects);
        }
        self.raw.on_persist_ready(number);
        self.end_restore(number)
    }

    /// The store has applied everything up to `index`.
    pub(crate) fn applied(&mut self, index: u64) {
        self.backlog.applying = false;
        if index > self.applied {
            self.applied = index;
            self.raw.advance_apply_to(index);
            self.freshness.applied(index);
        }
    }

    /// Resolves the proposal at (`index`, `term`), if it was made here.
    pub(crate) fn take_proposal(&mut self, index: u64, term: u64) -> Option<Ticket> {
        self.proposals.take(index, term)
    }

    /// Proposals whose fate is unknown, and questions without an answer, because this replica no longer leads.
    pub(crate) fn orphans(&mut self) -> Vec<Ticket> {
        if self.leads() {
            Vec::new()
        } else {
            [self.proposals.drain(), self.reads.drain()].concat()
        }
    }

    /// Whose group it was, and the proposals whose fate will not be known here.
    pub(crate) fn end(mut self) -> (ReplicaId, Vec<Ticket>) {
        (self.me, [self.proposals.drain(), self.reads.drain()].concat())
    }

    /// Collects what is to be sent, appended and applied.
    pub(crate) fn collect(&mut self, effects: &mut Effects) {
        self.ask_majority();
        while self.may_go_on(effects) && self.raw.has_ready() {
            let mut ready = self.raw.ready();
            let committed = ready.take_committed_entries();
            self.confirmed(ready.take_read_states());
            self.collect_ready(ready, committed.last().map(Entry::get_index), effects);
            self.commit_members(&committed);
        }
        self.call_to_pull(effects);
        self.compact(effects);
        self.go_on_rebuilding(effects);
        self.submit(effects);
    }

    fn collect_ready(&mut self, mut ready: Ready, committed: Option<u64>, effects: &mut Effects) {
        self.send(ready.take_messages(), effects);
        let (entries, must_sync, number) = (ready.take_entries(), ready.must_sync(), ready.number());
        let hard_state = ready.hs().cloned();
        let snapshot = ready.snapshot().get_metadata().clone();
        let reset = (snapshot.index > 0).then(|| self.begin_restore(&snapshot));
        // The library reads its own entries back from the view at once; the disk follows.
        self.raw.mut_store().append(&entries);
        if let Some(committed) = committed {
            self.backlog.grow(committed, self.raw.store());
        }
        let votes = hard_state.as_ref().is_some_and(|hs| self.raw.store().votes_anew(hs));
        if let Some(hs) = &hard_state {
            self.raw.mut_store().set_hard_state(hs.clone());
        }
        let mut messages = ready.take_persisted_messages();
        if !votes && !self.held.iter().any(|held| held.votes) {
            // That it follows is true whatever the disk still has to do: a slow one makes no leader look alone.
            let follows = |message: &mut Message| message.get_msg_type() == MessageType::MsgHeartbeatResponse;
            let answers = messages.extract_if(.., follows).collect();
            self.send(answers, effects);
        }
        if entries.is_empty() && hard_state.is_none() && reset.is_none() && self.held.is_empty() {
            self.raw.advance_append_async(ready);
            self.send(messages, effects);
            self.raw.on_persist_ready(number);
            return;
        }
        self.held.push_back(Held {
            number,
            messages,
            votes,
        });
        let task = AppendTask {
            ready: number,
            entries: entries.iter().map(convert::log_entry).collect(),
            hard_state: hard_state.map(|hs| covey_store::log::HardState {
                term: hs.term,
                vote: hs.vote,
                commit: hs.commit,
            }),
            reset,
            must_sync,
            ..AppendTask::of(self.me)
        };
        self.raw.advance_append_async(ready);
        match reset {
            Some(_) => self.install_first(task, effects),
            None => effects.append.push(task),
        }
    }

    fn submit(&mut self, effects: &mut Effects) {
        if self.is_frozen() {
            return;
        }
        let entries = self.backlog.give(self.limits.apply_batch_bytes, self.raw.store());
        if !entries.is_empty() {
            effects.apply.push(ApplyTask {
                shard: self.descriptor.shard,
                entries,
            });
        }
    }

    pub(super) fn send(&self, messages: Vec<Message>, effects: &mut Effects) {
        let envelope = self.envelope();
        for message in messages {
            let node = ReplicaId(message.to).node();
            effects
                .send
                .extend(convert::to_wire(message, envelope).map(|wire| (node, wire)));
        }
    }

    fn envelope(&self) -> Envelope {
        let leads = self.leads();
        Envelope {
            shard: self.descriptor.shard,
            epoch: self.descriptor.epoch,
            // Before it has committed in its own term, a leader does not know what its predecessor acknowledged.
            leader_commit: if leads && self.raw.raft.commit_to_current_term() {
                self.raw.raft.raft_log.committed
            } else {
                0
            },
            all_matched: if leads { self.all_matched } else { 0 },
        }
    }

    /// A message to `to` was dropped: the leader must not wait for its answer.
    pub(crate) fn unreachable(&mut self, to: ReplicaId) {
        self.raw.report_unreachable(to.0);
    }

    /// Node of the leader as this replica knows it.
    pub(crate) fn leader(&self) -> Option<NodeId> {
        let leader = self.raw.raft.leader_id;
        let known = leader != raft::INVALID_ID && (!self.leads() || self.serves());
        known.then(|| ReplicaId(leader).node())
    }

    pub(super) fn leads(&self) -> bool {
        self.raw.raft.state == StateRole::Leader
    }

    pub(crate) fn status(&self, now: Monotonic) -> GroupStatus {
        GroupStatus {
            replica: self.me,
            descriptor: self.descriptor.clone(),
            conf_index: LogIndex(self.conf_index),
            role: match self.raw.raft.state {
                StateRole::Leader if self.serves() => ReplicaRole::Leader,
                StateRole::Follower if !self.descriptor.members.votes(self.me) => ReplicaRole::Learner,
                StateRole::Leader | StateRole::Follower => ReplicaRole::Follower,
                StateRole::Candidate | StateRole::PreCandidate => ReplicaRole::Candidate,
            },
            leader: self.leader(),
            term: Term(self.raw.raft.term),
            first: LogIndex(self.raw.store().first()),
            last: LogIndex(self.raw.raft.raft_log.last_index()),
            committed: LogIndex(self.raw.raft.raft_log.committed),
            applied: LogIndex(self.applied),
            frozen: self.is_frozen(),
            log_bytes: self.raw.store().heap_bytes(),
            fresh_as_of: self.fresh_as_of(now),
        }
    }
}
