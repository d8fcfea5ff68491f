//! Replicas come and go under their worker.

use bytes::Bytes;
use covey_shared::ids::NodeId;
use covey_store::log::{HardState, LogPosition};

use super::super::ApplyLanes;
use super::*;
use crate::raft::Fetched;
use crate::startup::fixture::{Disk, FOUNDING, config, founding};

const SHARD: ShardId = ShardId(1);

struct Bench {
    disk: Disk,
    lanes: ApplyLanes,
    worker: ApplyWorker,
    done: Completions,
}

impl Bench {
    fn new() -> Bench {
        let (disk, done) = (Disk::new(), Completions::new());
        let (lanes, mut inputs) = ApplyLanes::new(1);
        let worker = ApplyWorker {
            shards: BTreeMap::new(),
            jobs: inputs.remove(0),
            kv: disk.kv.clone(),
            done: done.clone(),
            observer: None,
            damage: DamageWatch::new(disk.env.disk.clone(), disk.path()),
            hashes: Arc::new(Hashes::new(done.clone()).0),
            left: None,
        };
        Bench {
            disk,
            lanes,
            worker,
            done,
        }
    }

    /// A new replica that was built from a snapshot at `index`.
    fn arrival(&self, index: u64, seat: Option<Seat>) -> Arrival {
        let descriptor = founding(&config(3));
        let generation = Incarnation::begin(&*self.disk.kv, SHARD).expect("a generation");
        let store = self.disk.store_of(&config(3), &descriptor, generation);
        Arrival {
            shard: SHARD,
            me: FOUNDING,
            store: Box::new(store),
            generation,
            fetched: Fetched {
                at: LogPosition { index, term: 1 },
                descriptor,
            },
            hard_state: HardState::default(),
            seat,
        }
    }

    fn seat(arrival: &Arrival) -> (Seat, watch::Receiver<LogIndex>) {
        let (applied, seen) = watch::channel(LogIndex(0));
        let view = Arc::new(ArcSwap::new(arrival.store.view()));
        (Seat { applied, view }, seen)
    }

    /// Works off what was handed over, and tells what came of it.
    async fn end(self) -> (Disk, Vec<Completion>) {
        drop(self.lanes);
        self.worker.run().await;
        (self.disk, self.done.take())
    }
}

fn task(index: u64, change: &MemberChange) -> ApplyTask {
    let data = codec::encode_versioned(MEMBER_CHANGE_VERSION, change).expect("a few ids");
    let entry = LogEntry {
        index,
        term: 1,
        kind: EntryKind::ConfChange,
        data: Bytes::from(data),
    };
    ApplyTask {
        shard: SHARD,
        entries: vec![entry],
    }
}

#[tokio::test]
async fn what_is_meant_for_a_replica_that_is_gone_is_dropped() {
    let bench = Bench::new();
    let change = founding(&config(3)).add_learner(NodeId(4));
    bench.lanes.submit(task(1, &change));
    bench.lanes.install(bench.arrival(7, None));
    bench.lanes.destroy(SHARD);
    let (disk, done) = bench.end().await;
    assert!(
        matches!(done[..], [Completion::Destroyed { shard: SHARD, .. }]),
        "{done:?}"
    );
    let known = Incarnation::load(&*disk.kv, SHARD).expect("a record");
    assert_eq!(
        known.generation,
        Incarnation::NONE,
        "the snapshot has not become the replica"
    );
}

#[tokio::test]
async fn a_new_replica_takes_its_seat_and_applies_and_leaves_it() {
    let bench = Bench::new();
    let arrival = bench.arrival(0, None);
    let (seat, seen) = Bench::seat(&arrival);
    let (generation, view, change) = (
        arrival.generation,
        seat.view.clone(),
        founding(&config(3)).add_learner(NodeId(4)),
    );
    bench.lanes.install(Arrival {
        seat: Some(seat),
        ..arrival
    });
    bench.lanes.submit(task(1, &change));
    bench.lanes.destroy(SHARD);
    let (disk, done) = bench.end().await;
    let [
        Completion::Installed { replaced, .. },
        Completion::Applied(applied),
        Completion::Destroyed { replaced: gone, .. },
    ] = &done[..]
    else {
        panic!("{done:?}")
    };
    assert_eq!(replaced.strong_count(), 0, "there was nothing before");
    assert_eq!((applied.index, applied.results.len()), (1, 1));
    assert_eq!(seen.get(), LogIndex(1));
    let current = Incarnation::load(&*disk.kv, SHARD).expect("a record").generation;
    assert_eq!(current, generation);
    let mut expected = founding(&config(3));
    expected.change(&change).expect("it is made for these members");
    assert_eq!(view.load().applied().descriptor(SHARD), expected);
    assert!(gone.upgrade().is_some(), "somebody still reads it");
    drop(view);
    assert_eq!(gone.strong_count(), 0);
    assert!(
        seen.wait_for(|index| index > LogIndex(1)).await.is_err(),
        "nothing comes any more"
    );
}

#[tokio::test]
async fn who_leaves_during_a_checkpoint_is_gone_when_that_has_ended() {
    let bench = Bench::new();
    let first = bench.arrival(0, None);
    let (seat, _seen) = Bench::seat(&first);
    let view = seat.view.clone();
    let before = Arc::downgrade(&view.load_full());
    bench.lanes.install(Arrival {
        seat: Some(seat),
        ..first
    });
    bench.lanes.install(bench.arrival(0, None));
    let (lane, lanes, done) = (bench.lanes.all()[0].clone(), bench.lanes.clone(), bench.done.clone());
    let checkpoint = async move {
        let begun = lane.begin_checkpoint().await.expect("the worker runs");
        lanes.destroy(SHARD);
        assert_eq!(lanes.repair(SHARD, Vec::new()).await, None, "it is gone");
        let so_far = done.take();
        let [Completion::Installed { .. }, Completion::Installed { replaced, .. }] = &so_far[..] else {
            panic!("its files are still written to: {so_far:?}")
        };
        assert!(replaced.ptr_eq(&before) && replaced.strong_count() == 0);
        let written = begun
            .into_iter()
            .map(|(shard, begun)| (shard, begun.run().expect("a disk")));
        lane.finish_checkpoint(written.collect())
            .await
            .expect("the worker runs")
    };
    let (finished, (_disk, done)) = futures::join!(checkpoint, bench.end());
    assert_eq!(finished, []);
    assert!(
        matches!(done[..], [Completion::Destroyed { shard: SHARD, .. }]),
        "{done:?}"
    );
}
