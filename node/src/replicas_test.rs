//! Replicas come and go.

use covey_shared::ids::Term;
use covey_shared::members::ShardDescriptor;
use covey_shared::wire::{NotReady, ReplicaRole, ShardError, ShardRead};

use super::*;
use crate::raft::GroupStatus;
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
    assert_eq!((reply.about.epoch, reply.about.applied), (view.epoch(), LogIndex(3)));
}

#[actix::test]
async fn a_replica_that_may_be_older_than_a_read_allows_refuses_it() {
    let (disk, config) = (Disk::new(), config(3));
    let (set, descriptor) = (set(&disk), founding(&config));
    let store = disk.store(&config, &descriptor);
    let _applied = host(&set, FOUNDING, &store.view());
    let replica = set.get(descriptor.shard).expect("it is hosted");
    let clock = disk.env.clock.clone();
    let ask = |max_age_ms| {
        let mut read = read(descriptor.shard, clock.monotonic());
        read.accept.max_age_ms = max_age_ms;
        read.work = Box::new(|_, _| {
            Ok(covey_shard::Read {
                value: (),
                visited: 0,
                partial: false,
                damaged: 0,
            })
        });
        let answer = replica.actor.send(read);
        async { answer.await.expect("the actor lives").result }
    };
    let stale = Err(ShardError::NotReady(NotReady::Stale));
    let status = |fresh_as_of| status(&descriptor, fresh_as_of);
    set.shared.board.publish(descriptor.shard, status(None));
    assert_eq!(ask(None).await, Ok(()));
    assert_eq!(ask(Some(u32::MAX - 1)).await, stale, "nobody knows its age");
    set.shared
        .board
        .publish(descriptor.shard, status(Some(clock.monotonic())));
    assert_eq!(ask(Some(60_000)).await, Ok(()));
    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    assert_eq!(ask(Some(10)).await, stale);
}

fn status(descriptor: &ShardDescriptor, fresh_as_of: Option<covey_env::Monotonic>) -> GroupStatus {
    GroupStatus {
        replica: FOUNDING,
        descriptor: Arc::new(descriptor.clone()),
        conf_index: LogIndex(0),
        role: ReplicaRole::Follower,
        leader: None,
        term: Term(1),
        first: LogIndex(1),
        last: LogIndex(3),
        committed: LogIndex(3),
        applied: LogIndex(3),
        frozen: false,
        log_bytes: 0,
        fresh_as_of,
    }
}

fn read(shard: ShardId, now: covey_env::Monotonic) -> Read<()> {
    Read {
        accept: ShardRead::of(shard, 1),
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
