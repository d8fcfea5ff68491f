//! Damaged rows get a sound copy, and no crash in between loses one.

use covey_ann::Metric;
use covey_env::Env;
use covey_shared::ids::{UserId, Version};
use covey_shared::slots::Slot;
use covey_store::test_disk::{Fault, TestDisk};

use super::*;
use crate::fixture::{Fixture, damage, env, posts_and_scores, small_options, space};
use crate::{PartitionOptions, RowMeta, SearchRequest, Step};

/// Two sealed folders that will merge, and a tail of one row; all durable.
fn two_sealed(merge_factor: usize) -> Fixture {
    let options = PartitionOptions {
        merge_factor,
        ..small_options()
    };
    let mut fixture = Fixture::new(8, Metric::Cosine, options);
    (1..=129).for_each(|post| fixture.put(post, 1));
    let maintainer = fixture.partition().maintainer();
    (0..2).for_each(|_| assert!(matches!(maintainer.step(), Ok(Step::Sealed { rows: 64 }))));
    fixture.partition().checkpoint().unwrap();
    fixture
}

fn found(partition: &Partition) -> Vec<DamagedRow> {
    let mut scrub = partition.reader().scrub();
    while scrub.step().is_some() {}
    scrub.report().damaged.clone()
}

/// Damages the row of a post of the first folder and finds it.
fn damaged(fixture: &mut Fixture, post: u64) -> DamagedRow {
    damage(&fixture.file("000000/rows.emb"), 4096 + (post - 1) * 64 + 1);
    let found = found(fixture.partition());
    *found
        .iter()
        .find(|row| row.post == PostId(post))
        .expect("the scrub finds it")
}

fn heal(fixture: &mut Fixture, row: &DamagedRow) -> Repaired {
    let copy = fixture.posts[&row.post.0].1.clone();
    fixture.partition().repair(row, &copy)
}

#[test]
fn a_repaired_row_is_served_again_and_its_folder_merges() {
    let mut fixture = two_sealed(2);
    let row = damaged(&mut fixture, 11);
    assert_eq!(fixture.partition().reader().vector(PostId(11)), None);
    let maintainer = fixture.partition().maintainer();
    assert!(maintainer.step().is_err(), "a merge does not copy a damaged row");
    assert_eq!(fixture.partition().reader().damaged_rows(), 1, "and says so");
    assert_eq!(heal(&mut fixture, &row), Repaired::Done);
    assert_eq!(
        fixture.partition().reader().vector(PostId(11)).unwrap(),
        fixture.posts[&11]
    );
    fixture.check_exact(129);
    assert_eq!(fixture.settle(), [Step::Merged { segments: 2, rows: 127 }]);
    fixture.check_exact(129);
    fixture.open().unwrap();
    fixture.check_exact(129);
    assert_eq!(found(fixture.partition()), []);
}

#[test]
fn what_is_not_what_was_written_is_refused_whoever_gives_it() {
    let mut fixture = two_sealed(8);
    let row = damaged(&mut fixture, 11);
    let sound = fixture.posts[&11].1.clone();
    let mut wrong = sound.clone();
    wrong[0] = -wrong[0];
    for copy in [&wrong[..], &sound[..8], &fixture.posts[&12].1.clone(), &[]] {
        assert_eq!(fixture.partition().repair(&row, copy), Repaired::DoesNotMatch);
    }
    assert_eq!(fixture.partition().reader().vector(PostId(11)), None);
}

#[test]
fn rows_that_were_replaced_deleted_or_repaired_meanwhile_are_left_alone() {
    let mut fixture = two_sealed(8);
    let rows = [11, 12, 13].map(|post| damaged(&mut fixture, post));
    let copies = rows.map(|row| fixture.posts[&row.post.0].1.clone());
    let reader = fixture.partition().reader();
    assert!(rows.iter().all(|row| reader.still_has(row)));
    fixture.put(11, 2);
    fixture.delete(12);
    assert_eq!(heal(&mut fixture, &rows[2]), Repaired::Done);
    let again: Vec<Repaired> = rows
        .iter()
        .zip(&copies)
        .map(|(row, copy)| fixture.partition().repair(row, copy))
        .collect();
    assert_eq!(again, [Repaired::NotDamaged, Repaired::NoSuchRow, Repaired::NotDamaged]);
    assert!(!rows.iter().any(|row| reader.still_has(row)));
    fixture.check_exact(129);
}

#[test]
fn a_crash_before_the_next_checkpoint_leaves_the_damaged_row_to_be_found_again() {
    let mut fixture = two_sealed(8);
    let row = damaged(&mut fixture, 11);
    assert_eq!(heal(&mut fixture, &row), Repaired::Done);
    fixture.open().unwrap();
    assert_eq!(found(fixture.partition()), [row]);
    assert_eq!(heal(&mut fixture, &row), Repaired::Done);
    fixture.partition().checkpoint().unwrap();
    // Both are on the disk now, at one version: the later one counts.
    fixture.open().unwrap();
    assert_eq!(found(fixture.partition()), []);
    fixture.check_exact(129);
}

#[test]
fn the_folder_of_repaired_rows_is_copied_away_from_its_bad_place_when_asked() {
    let mut fixture = two_sealed(8);
    let rows = [11, 60].map(|post| damaged(&mut fixture, post));
    assert_eq!(heal(&mut fixture, &rows[0]), Repaired::Done);
    fixture.partition().reader().rewrite(&rows);
    let maintainer = fixture.partition().maintainer();
    assert!(maintainer.step().is_err(), "one is still damaged");
    assert_eq!(maintainer.step().unwrap(), Step::Idle, "it is not tried for ever");
    assert_eq!(heal(&mut fixture, &rows[1]), Repaired::Done);
    fixture.partition().reader().rewrite(&rows);
    assert_eq!(fixture.settle(), [Step::Merged { segments: 1, rows: 62 }]);
    assert!(!env().disk.exists(&fixture.file("000000")).unwrap());
    fixture.check_exact(129);
}

#[test]
fn a_repair_into_a_full_tail_begins_another_one() {
    let mut fixture = two_sealed(8);
    (130..=192).for_each(|post| fixture.put(post, 1));
    let row = damaged(&mut fixture, 11);
    assert_eq!(heal(&mut fixture, &row), Repaired::Done);
    fixture.settle();
    fixture.check_exact(192);
}

/// 129 rows on a disk that can lose power, two folders sealed, all durable, row 11 damaged.
fn on_test_disk(disk: &TestDisk, options: &PartitionOptions) -> Partition {
    let mut partition = open(disk, options);
    for post in 1..=129 {
        let meta = RowMeta {
            post: PostId(post),
            author: UserId(1),
            version: Version(1),
            tag: 0,
            slot: Slot::of(UserId(1)),
        };
        partition.append(meta, &copy_of(post)).unwrap();
    }
    let maintainer = partition.maintainer();
    (0..2).for_each(|_| assert!(matches!(maintainer.step(), Ok(Step::Sealed { rows: 64 }))));
    partition.checkpoint().unwrap();
    drop(partition);
    disk.tamper("/part/000000/rows.emb".as_ref(), |content| content[4096 + 10 * 64] ^= 4);
    open(disk, options)
}

fn open(disk: &TestDisk, options: &PartitionOptions) -> Partition {
    let env = Env {
        disk: disk.shared(),
        ..env()
    };
    let opened = Partition::open(env, "/part".into(), space(8, Metric::L2), options.clone(), &|_| true);
    opened.expect("what was written can be opened").0
}

fn copy_of(post: u64) -> Vec<f16> {
    (0..32)
        .map(|at| f16::from_f32(if at == 0 { post as f32 } else { 0.0 }))
        .collect()
}

#[test]
fn no_power_loss_while_a_repaired_folder_is_merged_or_rewritten_or_dropped_loses_the_row() {
    for (what, merge_factor) in [("merged", 2), ("rewritten", 8), ("dropped", 8)] {
        let options = PartitionOptions {
            merge_factor,
            ..small_options()
        };
        for lost_at in 1..400 {
            let disk = TestDisk::new();
            let mut partition = on_test_disk(&disk, &options);
            let row = found(&partition)[0];
            assert_eq!(partition.repair(&row, &copy_of(11)), Repaired::Done);
            match what {
                "rewritten" => partition.reader().rewrite(&[row]),
                "dropped" => (1..=64)
                    .filter(|post| *post != 11)
                    .for_each(|post| _ = partition.delete(PostId(post))),
                _ => {}
            }
            disk.plan([(lost_at, Fault::PowerLoss)]);
            let maintainer = partition.maintainer();
            let steps: Vec<_> = (0..2).map(|_| maintainer.step()).collect();
            let off = disk.is_off();
            drop(partition);
            let mut partition = open(&disk.after_power_loss(|| false), &options);
            if let Some(row) = found(&partition).first() {
                assert_eq!(partition.repair(row, &copy_of(11)), Repaired::Done);
            }
            let copy = partition.reader().vector(PostId(11)).map(|(_, copy)| copy);
            assert_eq!(copy, Some(copy_of(11)), "{what}, power lost at {lost_at}: {steps:?}");
            if !off {
                assert!(lost_at > 5, "{what}: {steps:?}");
                break;
            }
        }
    }
}

#[test]
fn a_search_between_damage_and_repair_leaves_the_row_out_and_counts_it() {
    let mut fixture = two_sealed(8);
    let row = damaged(&mut fixture, 11);
    let vector = fixture.source.vector();
    let exact = SearchRequest {
        exact: true,
        ..SearchRequest::nearest(129)
    };
    assert_eq!(fixture.partition().reader().damaged_rows(), 0);
    assert!(
        posts_and_scores(&fixture.search(&vector, &exact))
            .iter()
            .all(|hit| hit.0 != 11)
    );
    assert_eq!(fixture.partition().reader().damaged_rows(), 1);
    assert_eq!(heal(&mut fixture, &row), Repaired::Done);
    fixture.check_exact(129);
    assert_eq!(fixture.partition().reader().damaged_rows(), 1);
}
