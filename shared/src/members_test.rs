//! Every change from every state is either a next version, or refused and nothing.

use super::*;
use crate::codec::encode_versioned;
use crate::layout::Layout;

fn shard() -> ShardDescriptor {
    let nodes = [NodeId(1), NodeId(2), NodeId(3)];
    ShardDescriptor::founding(&Layout::fixed(2, 3, &nodes).shards[1])
}

fn founder(node: u64) -> ReplicaId {
    ReplicaId::new(0, ShardId(2), NodeId(node))
}

fn change(shard: &mut ShardDescriptor, kind: ChangeKind) -> Result<(), MembersError> {
    let expected = shard.epoch.conf_ver;
    shard.change(&MemberChange { expected, kind })
}

fn add(shard: &mut ShardDescriptor, node: u64) -> ReplicaId {
    let change = shard.add_learner(NodeId(node));
    shard.change(&change).unwrap();
    shard.members.on(NodeId(node)).unwrap()
}

#[test]
fn an_id_tells_its_birth_its_shard_and_its_node() {
    let id = ReplicaId::new(7, ShardId(1024), NodeId(65_535));
    assert_eq!((id.born(), id.shard(), id.node()), (7, ShardId(1024), NodeId(65_535)));
    // As they are on the disks of clusters that were founded before ids had a birth.
    assert_eq!(founder(3), ReplicaId(2 << 16 | 3));
    assert_eq!(shard().members.voters, [founder(1), founder(2), founder(3)]);
}

#[test]
fn a_replica_moves_from_node_1_to_node_4() {
    let mut shard = shard();
    let new = add(&mut shard, 4);
    assert_eq!((new.born(), shard.epoch.conf_ver), (2, 2));
    let (promote, demote) = (vec![new], vec![founder(1)]);
    change(&mut shard, ChangeKind::Replace { promote, demote }).unwrap();
    assert_eq!(
        shard.members,
        Members {
            voters: vec![founder(2), founder(3), new],
            outgoing: vec![founder(1), founder(2), founder(3)],
            learners: vec![],
            learners_next: vec![founder(1)],
        }
    );
    assert!(shard.members.is_joint() && shard.members.votes(founder(1)) && shard.members.votes(new));
    change(&mut shard, ChangeKind::LeaveJoint).unwrap();
    assert_eq!(shard.members.learners, [founder(1)]);
    assert!(!shard.members.votes(founder(1)));
    change(&mut shard, ChangeKind::Remove(founder(1))).unwrap();
    assert_eq!(shard.members, Members::of([founder(2), founder(3), new]));
    assert_eq!(shard.epoch.conf_ver, 5);
    // A replica that comes back to a node is another one.
    assert_eq!(add(&mut shard, 1).born(), 6);
}

#[test]
fn what_cannot_be_changes_nothing() {
    use ChangeKind::{AddLearner, LeaveJoint, Remove, Replace};
    let mut shard = shard();
    let learner = add(&mut shard, 4);
    let next = |node| ReplicaId::new(3, ShardId(2), NodeId(node));
    let replace = |promote: &[ReplicaId], demote: &[ReplicaId]| Replace {
        promote: promote.to_vec(),
        demote: demote.to_vec(),
    };
    let before = shard.clone();
    for (kind, error) in [
        (LeaveJoint, MembersError::NotJoint),
        (AddLearner(learner), MembersError::BadId(learner)),
        (AddLearner(next(4)), MembersError::NodeTaken(NodeId(4))),
        (
            AddLearner(ReplicaId::new(3, ShardId(1), NodeId(5))),
            MembersError::BadId(ReplicaId::new(3, ShardId(1), NodeId(5))),
        ),
        (Remove(founder(1)), MembersError::NotALearner(founder(1))),
        (replace(&[founder(1)], &[]), MembersError::NotALearner(founder(1))),
        (replace(&[learner], &[learner]), MembersError::NotAVoter(learner)),
        (replace(&[], &[]), MembersError::Empty),
        (replace(&[], &[founder(1), founder(2), founder(3)]), MembersError::Empty),
    ] {
        assert_eq!(change(&mut shard, kind), Err(error));
        assert_eq!(shard, before);
    }
    let late = MemberChange {
        expected: 1,
        kind: Remove(learner),
    };
    assert_eq!(shard.change(&late), Err(MembersError::Overtaken { have: 2 }));
    change(&mut shard, replace(&[learner], &[founder(3)])).unwrap();
    assert_eq!(change(&mut shard, AddLearner(next(5))), Err(MembersError::Joint));
    assert_eq!(change(&mut shard, Remove(founder(3))), Err(MembersError::Joint));
}

#[test]
fn there_is_a_bound() {
    let mut shard = shard();
    for node in 4..=MAX_MEMBERS as u64 {
        add(&mut shard, node);
    }
    let one_more = shard.add_learner(NodeId(99));
    assert_eq!(shard.change(&one_more), Err(MembersError::Full));
}

#[test]
fn golden_bytes_of_every_change() {
    let check = |kind, golden: &str| {
        let bytes = encode_versioned(MEMBER_CHANGE_VERSION, &MemberChange { expected: 5, kind }).unwrap();
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, format!("0100 0500000000000000 {golden}").replace(' ', ""));
    };
    let (one, two) = (ReplicaId(1), ReplicaId(2));
    check(ChangeKind::AddLearner(one), "00000000 0100000000000000");
    let (promote, demote) = (vec![one], vec![two]);
    check(
        ChangeKind::Replace { promote, demote },
        "01000000 0100000000000000 0100000000000000 0100000000000000 0200000000000000",
    );
    check(ChangeKind::LeaveJoint, "02000000");
    check(ChangeKind::Remove(two), "03000000 0200000000000000");
    let recover = ChangeKind::Recover { keep: one, conf_ver: 9 };
    check(recover, "04000000 0100000000000000 0900000000000000");
}

#[test]
fn one_replica_goes_on_alone_whatever_was_under_way() {
    let mut joint = shard();
    let learner = add(&mut joint, 4);
    let (promote, demote) = (vec![learner], vec![founder(3)]);
    change(&mut joint, ChangeKind::Replace { promote, demote }).unwrap();
    for mut shard in [shard(), joint] {
        for keep in shard.members.all() {
            let mut alone = shard.clone();
            let recovery = alone.recover(keep, 77);
            alone.change(&recovery).unwrap();
            assert_eq!(alone.members, Members::of([keep]));
            assert_eq!(alone.epoch.conf_ver, 77 + RECOVERY_VERSIONS);
            let again = alone.change(&recovery);
            assert_eq!(
                again,
                Err(MembersError::Overtaken {
                    have: alone.epoch.conf_ver
                })
            );
            // Who comes next has an id that nobody had.
            assert_eq!(add(&mut alone, 9).born(), alone.epoch.conf_ver);
        }
        let (keep, have) = (founder(9), shard.epoch.conf_ver);
        assert_eq!(
            change(&mut shard, ChangeKind::Recover { keep, conf_ver: 99 }),
            Err(MembersError::NotAVoter(keep))
        );
        let back = ChangeKind::Recover {
            keep: founder(1),
            conf_ver: have,
        };
        assert_eq!(change(&mut shard, back), Err(MembersError::Overtaken { have }));
    }
}
