//! Members change under any schedule: what was answered stays, and nobody who was removed disturbs.

use covey_shared::ids::NodeId;
use covey_shared::layout::FIRST_EPOCH;
use raft::{Config, RawNode};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::*;
use crate::raft::engines::{Cluster, assert_one_order};
use crate::raft::fixture::{SHARD, founding, replica};
use crate::raft::log_view::LogView;
use crate::raft::slog_bridge;

/// Whoever asks for changes: says them again until they have happened.
struct Mover {
    ticket: u64,
}

impl Mover {
    fn new() -> Mover {
        Mover { ticket: 1_000_000 }
    }

    /// One try, at the present leader; its answer if there is one at once.
    fn ask(&mut self, cluster: &mut Cluster, kind: ChangeKind) -> Option<Result<(), ShardError>> {
        let leader = cluster.leader()?;
        self.ticket += 1;
        let expected = cluster.status(leader)?.descriptor.epoch.conf_ver;
        let engine = &mut cluster.hosts[leader].engine;
        engine.change_members(SHARD, &MemberChange { expected, kind }, Ticket(self.ticket));
        cluster.settle(leader);
        let answers = &cluster.hosts[leader].answers;
        let answer = answers.iter().find(|(ticket, _)| ticket.0 == self.ticket);
        answer.map(|(_, outcome)| outcome.clone().map(|_| ()))
    }

    /// Until the leader's members are as wanted.
    fn until(&mut self, cluster: &mut Cluster, kind: &ChangeKind, done: impl Fn(&Members) -> bool) {
        cluster.run_until(&format!("{kind:?}"), |cluster| {
            let Some(leader) = cluster.leader() else {
                return false;
            };
            if cluster.status(leader).is_some_and(|s| done(&s.descriptor.members)) {
                return true;
            }
            let _ = self.ask(cluster, kind.clone());
            (0..20).for_each(|_| cluster.step());
            false
        });
    }

    fn add(&mut self, cluster: &mut Cluster, node: u64) -> ReplicaId {
        let node = NodeId(node);
        cluster.run_until(&format!("a learner on {node:?}"), |cluster| {
            let Some(leader) = cluster.leader() else {
                return false;
            };
            let shard = cluster.status(leader).expect("it leads").descriptor;
            if shard.members.on(node).is_none() {
                let kind = shard.add_learner(node).kind;
                let _ = self.ask(cluster, kind);
            }
            (0..20).for_each(|_| cluster.step());
            shard.members.on(node).is_some()
        });
        let leader = cluster.run_until_leader();
        let shard = cluster.status(leader).expect("it leads").descriptor;
        shard.members.on(node).expect("it was added")
    }

    fn enter(&mut self, cluster: &mut Cluster, promote: ReplicaId, demote: ReplicaId) {
        let (promote, demote) = (vec![promote], vec![demote]);
        let kind = ChangeKind::Replace { promote, demote };
        self.until(cluster, &kind, Members::is_joint);
    }

    /// Leaves the joint configuration; a leader that would have no vote hands over first.
    fn leave(&mut self, cluster: &mut Cluster) {
        cluster.run_until("leaving", |cluster| {
            let Some(leader) = cluster.leader() else {
                return false;
            };
            let members = &cluster.status(leader).expect("it leads").descriptor.members;
            if !members.is_joint() {
                return true;
            }
            let answer = self.ask(cluster, ChangeKind::LeaveJoint);
            if matches!(answer, Some(Err(ShardError::Members(MembersError::Leads(_))))) {
                let mut voters = members.voters.iter().map(|voter| voter.node());
                let to = voters.find(|node| cluster.cut != Some(node.0 as usize - 1));
                let _ = cluster.hosts[leader]
                    .engine
                    .transfer(SHARD, to.expect("only one is cut off"));
                cluster.settle(leader);
            }
            (0..20).for_each(|_| cluster.step());
            false
        });
    }

    fn remove(&mut self, cluster: &mut Cluster, gone: ReplicaId) {
        self.until(cluster, &ChangeKind::Remove(gone), |members| !members.has(gone));
    }

    /// The whole way.
    fn move_replica(&mut self, cluster: &mut Cluster, from: ReplicaId, to: u64) -> ReplicaId {
        let new = self.add(cluster, to);
        self.enter(cluster, new, from);
        self.leave(cluster);
        self.remove(cluster, from);
        new
    }
}

/// Writes at the leader, if there is one.
fn write(cluster: &mut Cluster, ticket: u64) {
    if let Some(leader) = cluster.leader() {
        let data = ticket.to_le_bytes().to_vec();
        let engine = &mut cluster.hosts[leader].engine;
        engine.propose(SHARD, FIRST_EPOCH, data, Ticket(ticket));
        cluster.settle(leader);
    }
}

fn assert_nothing_is_lost(cluster: &mut Cluster) {
    cluster.cut = None;
    (0..8_000).for_each(|_| cluster.step());
    assert_one_order(cluster);
    let leader = cluster.run_until_leader();
    let answers = cluster.hosts.iter().flat_map(|host| &host.answers);
    let acknowledged = answers.filter_map(|(ticket, outcome)| outcome.as_ref().ok().map(|_| ticket.0));
    for ticket in acknowledged.filter(|ticket| *ticket < 1_000_000) {
        let data = ticket.to_le_bytes();
        let there = cluster.hosts[leader]
            .store
            .applied
            .iter()
            .any(|(_, applied)| *applied == data);
        assert!(there, "acknowledged {ticket} is lost");
    }
    let members = cluster.status(leader).expect("it leads").descriptor;
    for member in members.members.all() {
        let host = &cluster.hosts[member.node().0 as usize - 1];
        assert_eq!(host.store.members, *members, "store of {member:?}");
        assert_eq!(
            host.store.applied, cluster.hosts[leader].store.applied,
            "store of {member:?}"
        );
    }
}

#[test]
fn replicas_move_under_writes_and_cut_wires() {
    for seed in 0..12 {
        println!("seed {seed}");
        let mut cluster = Cluster::of(5, seed);
        let mut mover = Mover::new();
        let mut at = [replica(1), replica(2), replica(3)];
        for round in 0..4_u64 {
            let from = (round % 3) as usize;
            let used: Vec<NodeId> = at.iter().map(|r| r.node()).collect();
            let to = (1..=5)
                .find(|node| !used.contains(&NodeId(*node)))
                .expect("two are free");
            for ticket in 0..20 {
                write(&mut cluster, round * 100 + ticket + 1);
                (0..10).for_each(|_| cluster.step());
            }
            // Each time another host has no wires: a member, or one that is none.
            cluster.cut = Some(((seed + round) % 5) as usize).filter(|host| *host as u64 + 1 != to);
            (0..500).for_each(|_| cluster.step());
            at[from] = mover.move_replica(&mut cluster, at[from], to);
            cluster.cut = None;
            // Who was removed is destroyed, else its node could not have another one.
            for host in 0..5 {
                let gone = cluster.status(host).is_some_and(|status| !at.contains(&status.replica));
                if gone {
                    cluster.hosts[host].engine.remove(SHARD);
                    cluster.settle(host);
                }
            }
            (0..2_000).for_each(|_| cluster.step());
        }
        assert_nothing_is_lost(&mut cluster);
    }
}

#[test]
fn shard_leader_dies_between_enter_and_leave() {
    let mut cluster = Cluster::of(4, 1);
    let mut mover = Mover::new();
    let leader = cluster.run_until_leader();
    let gone = replica((leader as u64 + 1) % 3 + 1);
    let new = mover.add(&mut cluster, 4);
    write(&mut cluster, 1);
    mover.enter(&mut cluster, new, gone);
    cluster.cut = cluster.leader();
    cluster.run_until("an election", |cluster| cluster.leader().is_some());
    let next = cluster.run_until_leader();
    assert_ne!(Some(next), cluster.cut);
    mover.leave(&mut cluster);
    mover.remove(&mut cluster, gone);
    assert_nothing_is_lost(&mut cluster);
}

#[test]
fn target_dies_in_joint() {
    let mut cluster = Cluster::of(4, 2);
    let mut mover = Mover::new();
    cluster.run_until_leader();
    let new = mover.add(&mut cluster, 4);
    mover.enter(&mut cluster, new, replica(2));
    cluster.cut = Some(3);
    (0..200).for_each(|_| cluster.step());
    write(&mut cluster, 1);
    mover.leave(&mut cluster);
    let leader = cluster.run_until_leader();
    let status = cluster.status(leader).expect("it leads");
    assert_eq!(status.descriptor.members.learners, [replica(2)]);
    assert_nothing_is_lost(&mut cluster);
}

#[test]
fn leader_is_the_one_demoted() {
    let mut cluster = Cluster::of(4, 3);
    let mut mover = Mover::new();
    let leader = cluster.run_until_leader();
    let gone = replica(leader as u64 + 1);
    let new = mover.add(&mut cluster, 4);
    mover.enter(&mut cluster, new, gone);
    if cluster.leader() == Some(leader) {
        cluster.run_until("the store to be there", |cluster| {
            let refused = Some(Err(ShardError::Members(MembersError::Leads(gone))));
            mover.ask(cluster, ChangeKind::LeaveJoint) == refused
        });
    }
    mover.leave(&mut cluster);
    assert_ne!(cluster.leader(), Some(leader));
    write(&mut cluster, 1);
    mover.remove(&mut cluster, gone);
    assert_nothing_is_lost(&mut cluster);
}

#[test]
fn conf_change_dropped_as_no_op_is_told() {
    let mut cluster = Cluster::of(5, 4);
    let mut mover = Mover::new();
    let leader = cluster.run_until_leader();
    let last = |cluster: &Cluster| cluster.status(leader).expect("it is here").last;
    cluster.run_until("its first entry", |cluster| {
        cluster.status(leader).is_some_and(|s| s.applied == s.last)
    });
    let shard = cluster.status(leader).expect("it leads").descriptor;
    assert_eq!(mover.ask(&mut cluster, shard.add_learner(NodeId(4)).kind), None);
    // The first one is not committed: nobody has answered.
    let before = last(&cluster);
    let second = mover.ask(&mut cluster, shard.add_learner(NodeId(5)).kind);
    assert_eq!(second, Some(Err(SOON)));
    assert_eq!(last(&cluster), before, "not even an empty entry is left of it");
    cluster.deliver();
    let third = mover.ask(&mut cluster, shard.add_learner(NodeId(5)).kind);
    let overtaken = MembersError::BadId(ReplicaId::new(2, SHARD, NodeId(5)));
    assert_eq!(third, Some(Err(ShardError::Members(overtaken))));
}

#[test]
fn removed_replica_comes_back_and_campaigns() {
    let mut cluster = Cluster::of(4, 5);
    let mut mover = Mover::new();
    let leader = cluster.run_until_leader();
    let away = (leader + 1) % 3;
    cluster.cut = Some(away);
    mover.move_replica(&mut cluster, replica(away as u64 + 1), 4);
    let leader = cluster.run_until_leader();
    let term = cluster.status(leader).expect("it leads").term;
    cluster.cut = None;
    // Time passes for it alone, so that nobody else stands for election.
    for _ in 0..200 {
        cluster.hosts[away].engine.tick(|| 0);
        cluster.settle(away);
        cluster.deliver();
    }
    let role = cluster.status(away).expect("it does not know").role;
    assert_eq!(role, covey_shared::wire::ReplicaRole::Candidate);
    assert_eq!(cluster.leader(), Some(leader));
    assert_eq!(cluster.status(leader).expect("it leads").term, term, "nobody listened");
    let members = cluster.status(leader).expect("it leads").descriptor.members.all();
    for member in members {
        let engine = &cluster.hosts[member.node().0 as usize - 1].engine;
        assert!(engine.dropped().misaddressed > 0, "{member:?}");
    }
    assert_nothing_is_lost(&mut cluster);
}

#[test]
fn a_follower_that_lags_obeys_a_leader_it_does_not_know() {
    let mut cluster = Cluster::of(5, 6);
    let mut mover = Mover::new();
    let leader = cluster.run_until_leader();
    let (lags, other) = ((leader + 1) % 3, (leader + 2) % 3);
    cluster.cut = Some(lags);
    mover.move_replica(&mut cluster, replica(other as u64 + 1), 4);
    mover.move_replica(&mut cluster, replica(leader as u64 + 1), 5);
    let now = cluster.run_until_leader();
    assert!(now >= 3, "host {now} leads, which the one that lags does not know");
    cluster.cut = None;
    cluster.run_until("it catches up", |cluster| {
        let [lagging, leading] = [lags, now].map(|host| cluster.status(host));
        lagging
            .zip(leading)
            .is_some_and(|(a, b)| a.descriptor == b.descriptor && a.applied == b.applied)
    });
}

#[test]
fn a_learner_gets_a_vote_only_once_it_has_the_log() {
    let mut cluster = Cluster::of(4, 7);
    let mut mover = Mover::new();
    let leader = cluster.run_until_leader();
    let new = mover.add(&mut cluster, 4);
    cluster.cut = Some(3);
    for ticket in 0..1_200 {
        write(&mut cluster, ticket + 1);
        cluster.deliver();
    }
    let replace = |promote, demote| ChangeKind::Replace { promote, demote };
    let early = mover.ask(&mut cluster, replace(vec![new], vec![replica(leader as u64 + 1)]));
    let Some(Err(ShardError::Members(MembersError::Behind { replica, entries }))) = early else {
        panic!("{early:?}");
    };
    assert!(replica == new && entries > MAX_BEHIND);
    cluster.cut = None;
    mover.enter(&mut cluster, new, crate::raft::fixture::replica(leader as u64 + 1));
    assert_nothing_is_lost(&mut cluster);
}

#[test]
fn a_learner_that_is_not_there_yet_gets_no_vote_in_a_young_shard_either() {
    let mut cluster = Cluster::of(4, 8);
    let mut mover = Mover::new();
    let leader = cluster.run_until_leader();
    cluster.cut = Some(3);
    let new = mover.add(&mut cluster, 4);
    let (promote, demote) = (vec![new], vec![replica(leader as u64 + 1)]);
    let early = mover.ask(&mut cluster, ChangeKind::Replace { promote, demote });
    let behind = matches!(early, Some(Err(ShardError::Members(MembersError::Behind { .. }))));
    assert!(behind, "{early:?}");
}

#[test]
fn members_are_what_the_library_makes_of_the_same_changes() {
    for seed in 0..40 {
        println!("seed {seed}");
        let mut rng = StdRng::seed_from_u64(seed);
        let mut shard = founding();
        let view = LogView::new(Default::default(), conf_state(&shard.members), (0, 0), vec![]);
        let config = Config {
            id: replica(1).0,
            ..Config::default()
        };
        let mut raw = RawNode::new(&config, view, &slog_bridge::logger(1)).unwrap();
        for _ in 0..250 {
            let kind = any(&shard, &mut rng);
            let expected = shard.epoch.conf_ver;
            let (before, change) = (shard.members.clone(), MemberChange { expected, kind });
            if shard.change(&change).is_err() {
                continue;
            }
            let mut conf = ConfState::default();
            for step in for_library(&change.kind, &before) {
                conf = raw.apply_conf_change(&step).unwrap();
            }
            assert!(same(&conf, &shard.members), "{change:?}: {conf:?} {shard:?}");
        }
        assert!(shard.epoch.conf_ver > 50, "{:?}", shard.epoch);
    }
}

fn any(shard: &ShardDescriptor, rng: &mut StdRng) -> ChangeKind {
    let some = |list: &[ReplicaId], rng: &mut StdRng| -> Vec<ReplicaId> {
        list.iter().copied().filter(|_| rng.random_bool(0.4)).collect()
    };
    let members = &shard.members;
    match rng.random_range(0..40) {
        0..10 => shard.add_learner(NodeId(rng.random_range(1..12))).kind,
        10..20 => ChangeKind::LeaveJoint,
        20 => shard.recover(members.voters[0], 0).kind,
        21..30 => ChangeKind::Replace {
            promote: some(&members.learners, rng),
            demote: some(&members.voters, rng),
        },
        _ => match some(&members.learners, rng).first() {
            Some(learner) => ChangeKind::Remove(*learner),
            None => ChangeKind::LeaveJoint,
        },
    }
}
