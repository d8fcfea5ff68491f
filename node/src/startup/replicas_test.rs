//! Which replicas a node opens, and what their groups begin with.

use bytes::Bytes;
use covey_config::Config;
use covey_shard::Incarnation;
use covey_shared::members::{Members, ShardDescriptor};
use covey_store::log::{EntryKind, LogEntry, LogPosition, RecoveredGroup};

use super::*;
use crate::startup::fixture::{Disk, FOUNDING, ME, config, founding};

/// After node 1 has left and come back: its replica of `born`, and two others.
fn moved(config: &Config, born: u64) -> (ReplicaId, ShardDescriptor) {
    let mut descriptor = founding(config);
    let me = ReplicaId::new(born, descriptor.shard, ME);
    let others = descriptor.members.voters.into_iter().filter(|other| *other != FOUNDING);
    descriptor.members = Members::of(others.chain([me]));
    descriptor.epoch.conf_ver = born + 2;
    (me, descriptor)
}

fn tombstone() -> RecoveredGroup {
    RecoveredGroup {
        tombstone: true,
        ..RecoveredGroup::default()
    }
}

/// A log that begins behind entry 5.
fn late() -> RecoveredGroup {
    RecoveredGroup {
        compacted: LogPosition { index: 5, term: 1 },
        ..RecoveredGroup::default()
    }
}

/// What the groups begin with; `None`: they have to be asked for.
fn groups(replicas: &mut Replicas) -> Vec<(ReplicaId, Option<(ShardDescriptor, bool)>)> {
    let begins = |start: GroupStart| (start.descriptor, start.damaged);
    let groups = replicas.take_groups().into_iter();
    groups.map(|(me, start)| (me, start.map(begins))).collect()
}

#[test]
fn an_empty_disk_has_lost_what_the_cluster_was_founded_with() {
    let (disk, config) = (Disk::new(), config(3));
    let mut replicas = disk.open(&config, &[]).expect("it opens");
    assert_eq!(groups(&mut replicas), [(FOUNDING, None)]);
    assert!(replicas.pulls().is_lost(FOUNDING.shard()));
}

#[test]
fn a_group_of_the_log_begins_with_what_its_store_says_wherever_the_shard_was_founded() {
    let (disk, config) = (Disk::new(), config(3));
    let (me, descriptor) = moved(&config, 4);
    drop(disk.store(&config, &descriptor));
    let log = [(FOUNDING, tombstone()), (me, RecoveredGroup::default())];
    let mut replicas = disk.open(&config, &log).expect("it opens");
    assert_eq!(groups(&mut replicas), [(me, Some((descriptor, false)))]);
    assert_eq!(replicas.gone(), BTreeSet::from([FOUNDING]));
}

#[test]
fn one_that_is_no_member_any_more_is_opened_all_the_same() {
    let (disk, config) = (Disk::new(), config(3));
    let (_, without) = moved(&config, 4);
    drop(disk.store(&config, &without));
    let mut replicas = disk
        .open(&config, &[(FOUNDING, RecoveredGroup::default())])
        .expect("it opens");
    assert_eq!(groups(&mut replicas), [(FOUNDING, Some((without, false)))]);
}

#[test]
fn one_that_has_left_stays_away_whether_the_log_says_so_or_the_store() {
    let (disk, config) = (Disk::new(), config(3));
    let mut by_log = disk.open(&config, &[(FOUNDING, tombstone())]).expect("it opens");
    assert_eq!(groups(&mut by_log), []);
    drop(disk.store(&config, &founding(&config)));
    Incarnation::retire(&*disk.kv, FOUNDING.shard()).expect("a record");
    let mut by_store = disk.open(&config, &[]).expect("it opens");
    assert_eq!(groups(&mut by_store), []);
}

#[test]
fn a_store_whose_log_is_gone_is_lost_under_the_id_that_it_names() {
    let (disk, config) = (Disk::new(), config(3));
    let (me, descriptor) = moved(&config, 4);
    let (shard, kv) = (me.shard(), &*disk.kv);
    drop(disk.store(&config, &descriptor));
    // As after a snapshot: only then is there a record.
    Incarnation::begin(kv, shard).expect("a generation");
    let mut replicas = disk.open(&config, &[]).expect("it opens");
    assert_eq!(groups(&mut replicas), [(me, None)]);
    assert!(replicas.pulls().is_lost(shard));
}

#[test]
fn a_damaged_store_begins_anew_with_the_members_that_it_had() {
    let (disk, config) = (Disk::new(), config(3));
    let (me, descriptor) = moved(&config, 4);
    disk.store(&config, &descriptor).view().condemn().expect("it is noted");
    for again in 0..2 {
        let mut replicas = disk.open(&config, &[(me, late())]).expect("it opens");
        assert_eq!(
            groups(&mut replicas),
            [(me, Some((descriptor.clone(), true)))],
            "{again}"
        );
    }
}

#[test]
fn without_a_store_who_came_later_or_has_not_the_whole_log_knows_nobody() {
    let config = config(3);
    let mut nobody = founding(&config);
    (nobody.members, nobody.epoch.conf_ver) = (Members::default(), 0);
    // Its log may have let go of changes of the members.
    for me in [FOUNDING, moved(&config, 4).0] {
        let mut replicas = Disk::new().open(&config, &[(me, late())]).expect("it opens");
        assert_eq!(groups(&mut replicas), [(me, Some((nobody.clone(), true)))]);
    }
}

#[test]
fn a_cluster_that_was_founded_otherwise_is_refused() {
    let (disk, founded) = (Disk::new(), config(3));
    drop(disk.store(&founded, &founding(&founded)));
    let log = [(FOUNDING, RecoveredGroup::default())];
    let mut sliced = config(3);
    sliced.cluster.shards = 2;
    let mut fewer = config(3);
    fewer.cluster.replication = 1;
    for other in [sliced, fewer] {
        let refused = disk.open(&other, &log).err();
        assert!(matches!(refused, Some(StartError::LayoutChanged { .. })), "{refused:?}");
    }
    assert!(disk.open(&founded, &log).is_ok());
}

#[test]
fn log_and_store_of_different_times_are_refused() {
    let (disk, config) = (Disk::new(), config(1));
    let entry = LogEntry {
        index: 9,
        term: 1,
        kind: EntryKind::Normal,
        data: Bytes::new(),
    };
    let mut log = late();
    (log.compacted.index, log.entries) = (8, vec![entry]);
    let refused = disk.open(&config, &[(FOUNDING, log)]).err();
    assert!(
        matches!(refused, Some(StartError::LogAndStore { first: 9, last: 9, .. })),
        "{refused:?}"
    );
}
