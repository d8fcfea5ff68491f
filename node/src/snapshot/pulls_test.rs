//! What gives way to what, when several things are wanted of one replica.

use covey_shared::ids::NodeId;

use super::*;

const SHARD: ShardId = ShardId(2);
const NOW: Monotonic = Monotonic(Duration::from_secs(1));

fn me() -> ReplicaId {
    ReplicaId::new(0, SHARD, NodeId(1))
}

fn work(pulls: &Pulls) -> Option<Work> {
    pulls.work(NOW).first().map(|(_, work)| *work)
}

#[test]
fn damage_that_is_found_again_and_again_does_not_keep_a_replica_from_leaving() {
    let (pulls, damaged) = (Pulls::default(), Want::Damaged(LogIndex(5)));
    pulls.want(SHARD, damaged, NOW);
    pulls.leave(me()).unwrap();
    pulls.want(SHARD, damaged, NOW);
    assert_eq!(work(&pulls), Some(Work::Leave(me())));
    pulls.retire(SHARD, Weak::new());
    pulls.want(SHARD, damaged, NOW);
    assert_eq!(work(&pulls), Some(Work::Retire));
}

#[test]
fn who_lost_everything_goes_on_asking_the_others_when_it_is_told_to_leave() {
    let pulls = Pulls::default();
    pulls.want(SHARD, Want::Lost, NOW);
    pulls.leave(me()).unwrap_err();
    assert_eq!(work(&pulls), Some(Work::Build(Want::Lost)));
    assert!(pulls.is_lost(SHARD));
}

#[test]
fn leftovers_are_removed_before_a_replica_leaves() {
    let pulls = Pulls::default();
    pulls.clean_up(SHARD, Weak::new());
    pulls.leave(me()).unwrap_err();
    assert_eq!(work(&pulls), Some(Work::CleanUp));
    pulls.forget(SHARD);
    pulls.leave(me()).unwrap();
    assert_eq!(work(&pulls), Some(Work::Leave(me())));
}

#[test]
fn nothing_is_begun_for_a_shard_whose_replica_goes() {
    let (pulls, from) = (Pulls::default(), NodeId(3));
    pulls.leave(me()).unwrap();
    pulls.leaving(SHARD);
    for want in [
        Want::Join { me: me(), from },
        Want::Lagging(from),
        Want::Damaged(LogIndex(5)),
        Want::Lost,
    ] {
        pulls.want(SHARD, want, NOW);
        assert_eq!(work(&pulls), Some(Work::Leaving), "{want:?}");
    }
    pulls.leave(me()).unwrap();
    assert_eq!(work(&pulls), Some(Work::Leaving));
    assert!(pulls.status(NOW).is_empty(), "it is not rebuilt");
}

#[test]
fn a_replica_does_not_leave_while_another_is_on_its_way_into_its_place() {
    let pulls = Pulls::default();
    pulls.want(SHARD, Want::Lagging(NodeId(3)), NOW);
    pulls.handed_over(SHARD);
    pulls.leave(me()).unwrap_err();
    pulls.not_needed(SHARD);
    assert_eq!(work(&pulls), Some(Work::CleanUp));
}

#[test]
fn a_build_that_rests_leaves_at_once() {
    let pulls = Pulls::default();
    pulls.want(SHARD, Want::Lagging(NodeId(3)), NOW);
    pulls.rest(SHARD, NOW.plus(Duration::from_secs(600)));
    assert_eq!(work(&pulls), None);
    pulls.leave(me()).unwrap();
    assert_eq!(work(&pulls), Some(Work::Leave(me())));
}
