//! Only a snapshot of this very group, new enough, is fetched.

use covey_shared::ids::{LogIndex, NodeId, Term};
use covey_shared::layout::Layout;
use covey_shared::slots::SlotRange;

use super::*;

#[test]
fn snapshots_of_other_shards_and_members_and_old_ones_are_refused() {
    let nodes: Vec<NodeId> = (1..=3).map(NodeId).collect();
    let plans = Layout::fixed(2, 3, &nodes).shards;
    let bar = Bar {
        term: Term(6),
        last: LogIndex(90),
    };
    let manifest = SnapshotManifest {
        shard: plans[0].shard,
        epoch: plans[0].epoch,
        slots: plans[0].slots,
        index: LogIndex(90),
        term: Term(5),
        voters: plans[0].voters.iter().map(|place| place.replica.0).collect(),
        learners: vec![],
        files: vec![],
        folders: vec![],
    };
    assert_eq!(check(&plans[0], bar, &manifest), Ok(()));
    let refused = |change: fn(&mut SnapshotManifest)| {
        let mut other = manifest.clone();
        change(&mut other);
        check(&plans[0], bar, &other).expect_err("it is another one")
    };
    assert_eq!(
        check(&plans[1], bar, &manifest),
        Err("the snapshot is of another shard")
    );
    assert_eq!(
        refused(|m| m.slots = SlotRange { start: 0, end: 1 }),
        "the snapshot is of another shard"
    );
    assert_eq!(refused(|m| m.voters.truncate(2)), "the snapshot is of other members");
    assert_eq!(refused(|m| m.learners.push(9)), "the snapshot is of other members");
    assert_eq!(refused(|m| m.index = LogIndex(89)), "the snapshot is too old");
}
