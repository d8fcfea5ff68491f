//! Which worker gets what.

use super::*;

fn task(shard: u64) -> ApplyTask {
    ApplyTask {
        shard: ShardId(shard),
        entries: Vec::new(),
    }
}

fn shards(jobs: &mut Jobs) -> Vec<(u64, bool)> {
    let jobs = std::iter::from_fn(|| jobs.try_recv().ok());
    jobs.map(|job| match job {
        Job::Apply(task) => (task.shard.0, false),
        Job::Destroy(shard) => (shard.0, true),
        other => panic!("nobody has sent {other:?}"),
    })
    .collect()
}

#[test]
fn a_shard_keeps_its_lane_whatever_else_comes_and_goes() {
    let (lanes, mut inputs) = ApplyLanes::new(2);
    for shard in [1, 7, 4, 1] {
        lanes.submit(task(shard));
    }
    lanes.destroy(ShardId(7));
    lanes.submit(task(7));
    assert_eq!(shards(&mut inputs[0]), [(4, false)]);
    assert_eq!(
        shards(&mut inputs[1]),
        [(1, false), (7, false), (1, false), (7, true), (7, false)],
        "in the order in which they were sent"
    );
}

#[test]
fn a_lane_has_room_for_all_replicas_of_a_node() {
    let (lanes, _inputs) = ApplyLanes::new(1);
    for shard in 1..=MAX_REPLICAS as u64 {
        lanes.submit(task(shard));
        lanes.destroy(ShardId(shard));
    }
}

#[tokio::test(start_paused = true)]
async fn a_repair_that_nobody_takes_up_ends() {
    let (lanes, inputs) = ApplyLanes::new(1);
    assert_eq!(lanes.repair(ShardId(1), Vec::new()).await, None);
    drop(inputs);
    assert_eq!(lanes.repair(ShardId(1), Vec::new()).await, None);
}
