//! Only a snapshot of this very group, that knows the replica and is new enough, is fetched.

use covey_shared::ids::{LogIndex, NodeId, ShardId, Term};
use covey_shared::layout::Layout;
use covey_shared::members::{ChangeKind, MemberChange, ShardDescriptor};

use super::*;

const SHARD: ShardId = ShardId(1);
const BAR: Bar = Bar {
    term: Term(6),
    last: LogIndex(90),
};

fn manifest() -> SnapshotManifest {
    let nodes: Vec<NodeId> = (1..=3).map(NodeId).collect();
    SnapshotManifest {
        descriptor: ShardDescriptor::founding(&Layout::fixed(2, 3, &nodes).shards[0]),
        index: LogIndex(90),
        term: Term(5),
        files: vec![],
        folders: vec![],
    }
}

fn founder(node: u64) -> ReplicaId {
    ReplicaId::new(0, SHARD, NodeId(node))
}

#[test]
fn snapshots_of_other_shards_and_slots_and_old_ones_are_refused() {
    let me = founder(2);
    let ours = manifest().descriptor.slots;
    assert_eq!(check(me, ours, BAR, &manifest()), Ok(()));
    let other_shard = ReplicaId::new(0, ShardId(2), NodeId(2));
    assert_eq!(
        check(other_shard, ours, BAR, &manifest()),
        Err("the snapshot is of another shard")
    );
    let other_slots = SlotRange { start: 0, end: 1 };
    assert_eq!(
        check(me, other_slots, BAR, &manifest()),
        Err("the snapshot is of another shard")
    );
    let older = SnapshotManifest {
        index: LogIndex(89),
        ..manifest()
    };
    assert_eq!(check(me, ours, BAR, &older), Err("the snapshot is too old"));
}

#[test]
fn a_snapshot_is_taken_by_members_of_any_kind_and_by_nobody_else() {
    let knows = |manifest: &SnapshotManifest, me| check(me, manifest.descriptor.slots, BAR, manifest) == Ok(());
    let mut manifest = manifest();
    let new = ReplicaId::new(2, SHARD, NodeId(4));
    assert_eq!(
        check(new, manifest.descriptor.slots, BAR, &manifest),
        Err("the snapshot knows nothing of this replica yet")
    );
    let change = manifest.descriptor.add_learner(NodeId(4));
    manifest.descriptor.change(&change).unwrap();
    assert!(knows(&manifest, new));
    let replace = MemberChange {
        expected: manifest.descriptor.epoch.conf_ver,
        kind: ChangeKind::Replace {
            promote: vec![new],
            demote: vec![founder(1)],
        },
    };
    manifest.descriptor.change(&replace).unwrap();
    assert!(
        [founder(1), founder(2), founder(3), new]
            .iter()
            .all(|me| knows(&manifest, *me))
    );
    // An earlier life of the replica on node 4, and one on a node that has none.
    let strangers = [founder(4), ReplicaId::new(2, SHARD, NodeId(5))];
    assert!(!strangers.iter().any(|me| knows(&manifest, *me)));
    assert_eq!(fetched(&manifest).descriptor, manifest.descriptor);
}
