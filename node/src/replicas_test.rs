//! Replicas come and go.

use covey_shared::wire::{NotReady, ShardError, ShardRead};

use super::*;
use crate::shard::Read;
use crate::startup::fixture::{Disk, FOUNDING, config, founding};

fn set(disk: &Disk) -> ReplicaSet {
    ReplicaSet::new(Shared {
        env: disk.env.clone(),
        board: Arc::default(),
        permits: Arc::new(Semaphore::new(1)),
        mailbox: 16,
        start: Box::new(actix::Actor::start),
    })
}

fn host(set: &ReplicaSet, me: ReplicaId, view: &Arc<ShardView>) -> watch::Sender<LogIndex> {
    let (applied, seen) = watch::channel(LogIndex(3));
    set.host(me, Arc::new(ArcSwap::new(view.clone())), seen);
    applied
}

#[actix::test]
async fn a_replica_is_found_until_it_is_removed_and_a_read_that_has_it_ends() {
    let (disk, config) = (Disk::new(), config(3));
    let (set, descriptor) = (set(&disk), founding(&config));
    let store = disk.store(&config, &descriptor);
    let (shard, view) = (descriptor.shard, store.view());
    assert!(set.get(shard).is_none() && set.all().is_empty());
    let _applied = host(&set, FOUNDING, &view);
    let replica = set.get(shard).expect("it is hosted");
    assert_eq!(
        (replica.me, replica.applied().descriptor(shard)),
        (FOUNDING, descriptor)
    );
    set.remove(shard);
    assert!(set.get(shard).is_none() && set.all().is_empty());
    let reply = replica.actor.send(read(shard, disk.env.clock.monotonic()));
    let reply = reply.await.expect("the actor lives as long as it is held");
    assert_eq!(
        reply.result,
        Err(ShardError::NotReady(NotReady::Starting)),
        "its group is gone"
    );
    assert_eq!((reply.epoch, reply.applied), (view.epoch(), LogIndex(3)));
}

fn read(shard: ShardId, now: covey_env::Monotonic) -> Read<()> {
    Read {
        accept: ShardRead {
            shard,
            range_ver: 1,
            min_index: LogIndex(0),
        },
        deadline: now.plus(std::time::Duration::from_secs(5)),
        work: Box::new(|_, _| panic!("it is not let through")),
        span: tracing::Span::none(),
    }
}

#[actix::test]
async fn a_node_takes_so_many_and_no_more() {
    let (disk, config) = (Disk::new(), config(3));
    let (set, store) = (set(&disk), disk.store(&config, &founding(&config)));
    for shard in 1..=MAX_REPLICAS as u64 {
        assert!(set.has_room(), "{shard}");
        host(&set, ReplicaId::new(0, ShardId(shard), FOUNDING.node()), &store.view());
    }
    assert!(!set.has_room());
    assert!(set.all().is_sorted_by_key(|replica| replica.shard));
}
