//! Merges that fail, and what they leave.

use covey_ann::Metric;
use futures::FutureExt;

use super::*;
use crate::Step;
use crate::fixture::{Fixture, damage, small_options};

/// Two sealed folders that will merge, and a tail of one row; all durable.
fn two_sealed() -> Fixture {
    let mut fixture = Fixture::new(8, Metric::Cosine, small_options());
    (1..=129).for_each(|post| fixture.put(post, 1));
    let maintainer = fixture.partition().maintainer();
    (0..2).for_each(|_| assert!(matches!(maintainer.step(), Ok(Step::Sealed { rows: 64 }))));
    fixture.partition().checkpoint().unwrap();
    fixture
}

fn folders(fixture: &mut Fixture) -> Vec<u32> {
    let shared = &fixture.partition().shared;
    let entries = shared.env.disk.list(&shared.dir).unwrap();
    let folders = entries.iter().filter_map(|entry| FolderId::of_path(&entry.path));
    folders.map(|folder| folder.0).collect()
}

fn merge(shared: &Shared, sources: &[Arc<Segment>]) -> Result<usize, PartitionError> {
    let merge = shared.merge(sources, &Pace::FULL).now_or_never();
    merge.expect("at full speed it waits for nothing")
}

/// A directory in the place of the manifest's temporary file: as on a full disk, no manifest can be written.
fn block_manifest(shared: &Shared, blocked: bool) {
    let place = shared.dir.join("MANIFEST.tmp");
    let disk = &shared.env.disk;
    if blocked {
        disk.create_dir_all(&place).unwrap();
    } else {
        disk.remove_dir_all(&place).unwrap();
    }
}

#[test]
fn a_merge_that_meets_a_damaged_row_leaves_no_folder_behind_however_often_it_is_tried() {
    let mut fixture = two_sealed();
    damage(&fixture.file("000000/rows.emb"), 4096 + 10 * 64 + 1);
    let maintainer = fixture.partition().maintainer();
    for _ in 0..3 {
        let refused = maintainer.step();
        assert!(matches!(refused, Err(PartitionError::Damaged { .. })), "{refused:?}");
    }
    assert_eq!(folders(&mut fixture), [0, 1, 2]);
}

#[test]
fn a_merge_that_is_stopped_leaves_no_folder_behind() {
    let mut fixture = two_sealed();
    let shared = Arc::clone(&fixture.partition().shared);
    let sources = shared.view.load().segments.clone();
    shared.stopping.store(true, Ordering::Release);
    assert!(matches!(merge(&shared, &sources), Err(PartitionError::Stopped)));
    assert_eq!(folders(&mut fixture), [0, 1, 2]);
}

#[test]
fn merged_folders_are_removed_later_when_the_manifest_could_not_be_written() {
    let mut fixture = two_sealed();
    let shared = Arc::clone(&fixture.partition().shared);
    let maintainer = fixture.partition().maintainer();
    block_manifest(&shared, true);
    for _ in 0..2 {
        let failed = maintainer.step();
        assert!(matches!(failed, Err(PartitionError::Io { .. })), "{failed:?}");
        assert_eq!(
            folders(&mut fixture),
            [0, 1, 2, 3],
            "the manifest still lists the sources"
        );
    }
    fixture.check_exact(129);
    block_manifest(&shared, false);
    assert_eq!(maintainer.step().unwrap(), Step::Idle);
    assert_eq!(folders(&mut fixture), [2, 3]);
    assert_eq!(fixture.open().unwrap().durable_rows, 129);
    fixture.check_exact(129);
}

#[test]
fn dead_folders_are_removed_later_when_the_manifest_could_not_be_written() {
    let mut fixture = two_sealed();
    let shared = Arc::clone(&fixture.partition().shared);
    let maintainer = fixture.partition().maintainer();
    (1..=128).for_each(|post| fixture.delete(post));
    block_manifest(&shared, true);
    assert!(matches!(maintainer.step(), Err(PartitionError::Io { .. })));
    assert_eq!(folders(&mut fixture), [0, 1, 2]);
    block_manifest(&shared, false);
    assert_eq!(maintainer.step().unwrap(), Step::Idle);
    assert_eq!(folders(&mut fixture), [2]);
}
