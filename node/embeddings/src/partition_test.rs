//! Tests of a partition's life: appends, deletes, seals, merges, crashes, damage.

use covey_ann::{IndexSpec, Metric};
use covey_env::OpenMode;
use covey_shared::ids::{ModelEpoch, UserId};
use covey_shared::slots::Slot;

use super::*;
use crate::fixture::{Fixture, damage, env, posts_and_scores, small_options};
use crate::{MaintenanceWorker, PartitionOptions, SearchRequest, SpaceSpec, Step};

fn fixture() -> Fixture {
    Fixture::new(8, Metric::Cosine, small_options())
}

#[test]
fn a_row_is_found_as_soon_as_it_is_appended_until_it_is_deleted_or_replaced() {
    let mut fixture = fixture();
    for post in 1..=5 {
        fixture.put(post, 1);
        fixture.check_exact(10);
    }
    fixture.put(3, 2);
    fixture.check_exact(10);
    fixture.delete(1);
    fixture.delete(1);
    fixture.check_exact(10);
    let reader = fixture.partition().reader();
    assert_eq!(reader.vector(PostId(3)).unwrap(), fixture.posts[&3]);
    assert_eq!(reader.vector(PostId(1)), None);
    assert_eq!((reader.view().rows(), reader.view().live_rows()), (6, 4));
}

#[test]
fn an_older_or_equal_version_changes_nothing() {
    let mut fixture = fixture();
    fixture.put(1, 5);
    let (meta, row) = fixture.posts[&1].clone();
    for version in [4, 5] {
        let meta = RowMeta {
            version: Version(version),
            ..meta
        };
        assert_eq!(fixture.partition().append(meta, &row), Ok(Appended::AlreadyThere));
    }
    assert_eq!(fixture.partition().reader().view().rows(), 1);
}

#[test]
fn bad_rows_are_refused() {
    let mut fixture = fixture();
    let meta = RowMeta {
        post: PostId(1),
        author: UserId(1),
        version: Version(1),
        tag: 0,
        slot: Slot(0),
    };
    let short = fixture.partition().append(meta, &[f16::ONE; 8]);
    assert_eq!(short, Err(AppendError::WrongLength { expected: 32, got: 8 }));
    let mut row = [f16::ONE; 32];
    row[2] = f16::NAN;
    assert_eq!(
        fixture.partition().append(meta, &row),
        Err(AppendError::NotFinite { position: 2 })
    );
}

#[test]
fn pressure_grows_with_unsealed_rows_and_falls_when_they_are_sealed() {
    let mut fixture = fixture();
    (1..=4 * 64).for_each(|post| fixture.put(post, 1));
    assert_eq!(fixture.partition().pressure(), 1.0);
    fixture.settle();
    assert_eq!(
        fixture.partition().pressure(),
        0.25,
        "the active tail is full but not closed yet"
    );
}

#[test]
fn segments_merge_and_dead_ones_disappear_without_changing_an_answer() {
    let mut fixture = fixture();
    let mut merged = 0;
    for post in 1..=1000 {
        fixture.put(post, 1);
        if post % 7 == 0 {
            fixture.delete(post - 3);
        }
        if post % 100 == 0 {
            merged += fixture
                .settle()
                .iter()
                .filter(|step| matches!(step, Step::Merged { .. }))
                .count();
            fixture.check_exact(20);
        }
    }
    assert!(merged >= 4, "{merged} merges");
    let status = fixture.partition().reader().status();
    assert!(status.segments <= 6, "{status:?}");
    for post in 1..=1000 {
        fixture.delete(post);
    }
    fixture.partition().seal();
    let steps = fixture.settle();
    assert!(matches!(steps.last(), Some(Step::Dropped { .. })), "{steps:?}");
    let status = fixture.partition().reader().status();
    assert_eq!((status.segments, status.rows, status.live_rows), (0, 0, 0));
    fixture.put(5000, 1);
    fixture.check_exact(20);
}

#[test]
fn deletes_and_replacements_during_seals_and_merges_are_honoured() {
    for seed in 0..5 {
        let mut fixture = fixture();
        (1..=640).for_each(|post| fixture.put(post, 1));
        let maintainer = fixture.partition().maintainer();
        std::thread::scope(|scope| {
            let worker = scope.spawn(|| while maintainer.step().unwrap() != Step::Idle {});
            for post in (1..=640).filter(|post| post % 3 == seed % 3) {
                if post % 2 == 0 {
                    fixture.delete(post)
                } else {
                    fixture.put(post, 2)
                }
                fixture.check_exact(5);
            }
            worker.join().unwrap();
        });
        fixture.settle();
        fixture.check_exact(640);
        let view = fixture.partition().reader().view();
        assert_eq!(view.live_rows(), fixture.posts.len(), "round {seed}");
        for (meta, row) in fixture.posts.values() {
            assert_eq!(
                fixture.partition.as_ref().unwrap().reader().vector(meta.post),
                Some((*meta, row.clone()))
            );
        }
    }
}

#[test]
fn rows_behind_the_last_checkpoint_are_gone_after_a_crash_and_can_be_appended_again() {
    let mut fixture = fixture();
    (1..=150).for_each(|post| fixture.put(post, 1));
    fixture.settle();
    assert_eq!(fixture.partition().checkpoint().unwrap(), 150);
    (151..=180).for_each(|post| fixture.put(post, 1));
    // A flush whose manifest was never written, torn in the middle of a row; and a folder that nobody lists.
    let disk = env().disk;
    let tail = disk
        .open(&fixture.file("000002/rows.emb"), OpenMode::ReadWrite)
        .unwrap();
    tail.write_at(&[0xAA; 100], 4096 + 22 * 64).unwrap();
    disk.create_dir_all(&fixture.file("000004")).unwrap();
    disk.open(&fixture.file("000004/rows.emb"), OpenMode::CreateNew)
        .unwrap();
    let report = fixture.open().unwrap();
    assert_eq!((report.durable_rows, report.live_rows), (150, 150));
    assert!(!disk.exists(&fixture.file("000004")).unwrap());
    for (meta, row) in fixture.posts.clone().into_values() {
        let expected = if meta.post.0 <= 150 {
            Appended::AlreadyThere
        } else {
            Appended::Stored
        };
        assert_eq!(fixture.partition().append(meta, &row), Ok(expected));
    }
    fixture.check_exact(200);
    fixture.partition().seal();
    fixture.settle();
    fixture.partition().checkpoint().unwrap();
    assert_eq!(fixture.open().unwrap().durable_rows, 180);
    fixture.check_exact(200);
}

#[test]
fn the_caller_decides_at_open_which_rows_are_still_alive() {
    let mut fixture = fixture();
    (1..=100).for_each(|post| fixture.put(post, 1));
    (90..=110).for_each(|post| fixture.put(post, 2));
    fixture.settle();
    fixture.partition().checkpoint().unwrap();
    // Deleted after the checkpoint, in the caller's own store.
    (1..=10).for_each(|post| drop(fixture.posts.remove(&post)));
    let report = fixture.open().unwrap();
    assert_eq!((report.durable_rows, report.live_rows), (121, 100));
    fixture.check_exact(200);
}

#[test]
fn an_index_survives_a_restart_and_is_rebuilt_when_its_file_is_damaged() {
    let options = PartitionOptions {
        seal_rows: 1024,
        min_train_rows: 700,
        ..PartitionOptions::default()
    };
    let mut fixture = Fixture::new(32, Metric::InnerProduct, options);
    (1..=1500).for_each(|post| fixture.put(post, 1));
    fixture.settle();
    fixture.partition().checkpoint().unwrap();
    fixture.open().unwrap();
    let status = fixture.partition().reader().status();
    assert_eq!((status.ivf_rows, status.unsealed_rows), (1024, 476));
    assert!(status.last_recall.unwrap() > 0.9);
    assert!(fixture.recall(20, &SearchRequest::nearest(10)) >= 0.95);
    damage(&fixture.file("000000/ann.faiss"), 5000);
    fixture.open().unwrap();
    assert_eq!(fixture.partition().reader().status().ivf_rows, 0);
    fixture.check_exact(10);
    assert_eq!(fixture.settle(), [Step::Indexed { rows: 1024 }]);
    assert_eq!(fixture.partition().reader().status().ivf_rows, 1024);
    fixture.open().unwrap();
    assert_eq!(fixture.settle(), []);
}

#[test]
fn an_index_below_the_least_recall_is_not_served() {
    let options = PartitionOptions {
        seal_rows: 1024,
        min_train_rows: 700,
        min_recall: 1.0,
        kk_min: 1,
        kk_factor: 1,
        index: IndexSpec::parse("IVF16,PQ2x4fs", Metric::L2, 32).unwrap(),
        ..PartitionOptions::default()
    };
    let mut fixture = Fixture::new(32, Metric::L2, options);
    (1..=1025).for_each(|post| fixture.put(post, 1));
    fixture.settle();
    let status = fixture.partition().reader().status();
    assert_eq!(
        (status.low_recall_builds, status.low_recall_segments, status.ivf_rows),
        (1, 1, 0)
    );
    assert_eq!(
        fixture.recall(10, &SearchRequest::nearest(10)),
        1.0,
        "it is scanned exactly instead"
    );
    fixture.open().unwrap();
    assert_eq!(fixture.settle(), [], "it waits for the next merge");
}

#[test]
fn a_damaged_row_is_never_served() {
    let mut fixture = fixture();
    (1..=65).for_each(|post| fixture.put(post, 1));
    fixture.settle();
    damage(&fixture.file("000000/rows.emb"), 4096 + 10 * 64 + 1);
    fixture.open().unwrap();
    let vector = fixture.source.vector();
    let outcome = fixture.search(
        &vector,
        &SearchRequest {
            exact: true,
            ..SearchRequest::nearest(65)
        },
    );
    let truth = fixture.truth(&vector, 65, |_| true);
    assert_eq!(outcome.damaged, 1);
    assert!(outcome.hits.len() + 2 >= truth.len() && outcome.hits.iter().all(|hit| hit.meta.post.0 != 11));
    assert!(posts_and_scores(&outcome).iter().all(|hit| truth.contains(hit)));
    assert_eq!(fixture.partition().reader().vector(PostId(11)), None);
    assert_eq!(fixture.partition().reader().status().damaged_rows, 1);
}

#[test]
fn damaged_tails_ids_and_manifests_are_refused_at_open() {
    for (name, at) in [
        ("000000/rows.emb", 4096 + 70),
        ("000000/rows.ids", 20),
        ("MANIFEST", 30),
    ] {
        let mut fixture = fixture();
        (1..=20).for_each(|post| fixture.put(post, 1));
        fixture.partition().checkpoint().unwrap();
        fixture.partition = None;
        damage(&fixture.file(name), at);
        let error = fixture.open().unwrap_err();
        assert!(matches!(error, PartitionError::Damaged { .. }), "{name}: {error}");
    }
}

#[test]
fn damaged_ids_of_a_sealed_folder_are_refused_and_a_lost_meta_is_made_again() {
    let mut fixture = fixture();
    (1..=65).for_each(|post| fixture.put(post, 1));
    fixture.settle();
    damage(&fixture.file("000000/meta"), 60);
    fixture.open().unwrap();
    assert_eq!(fixture.settle(), [Step::Indexed { rows: 64 }]);
    fixture.posts.remove(&65);
    fixture.check_exact(70);
    damage(&fixture.file("000000/rows.ids"), 4096 + 40 * 5);
    let error = fixture.open().unwrap_err();
    assert!(matches!(error, PartitionError::Damaged { .. }), "{error}");
    damage(&fixture.file("000000/meta"), 60);
    let error = fixture.open().unwrap_err();
    assert!(matches!(error, PartitionError::Damaged { .. }), "{error}");
}

#[test]
fn files_of_another_space_are_refused() {
    let mut fixture = fixture();
    fixture.put(1, 1);
    fixture.partition().checkpoint().unwrap();
    let space = fixture.space.clone();
    for other in [
        SpaceSpec {
            dim: 9,
            ..space.clone()
        },
        SpaceSpec {
            model_epoch: ModelEpoch(2),
            ..space.clone()
        },
        SpaceSpec {
            name: "other".into(),
            ..space.clone()
        },
    ] {
        fixture.space = other;
        assert!(matches!(fixture.open(), Err(PartitionError::WrongSpace { .. })));
    }
    fixture.space = SpaceSpec { dim: 0, ..space };
    assert!(matches!(fixture.open(), Err(PartitionError::BadSpace { .. })));
}

#[test]
fn an_open_view_outlives_the_folders_that_a_merge_removed() {
    let mut fixture = fixture();
    (1..=200).for_each(|post| fixture.put(post, 1));
    let maintainer = fixture.partition().maintainer();
    (0..3).for_each(|_| assert!(matches!(maintainer.step(), Ok(Step::Sealed { .. }))));
    let old = fixture.partition().reader().view();
    assert!(matches!(maintainer.step(), Ok(Step::Merged { .. })));
    let vector = fixture.source.vector();
    let outcome = old
        .search(
            &vector,
            &SearchRequest {
                exact: true,
                ..SearchRequest::nearest(300)
            },
        )
        .unwrap();
    assert_eq!(
        posts_and_scores(&outcome),
        fixture.truth(&vector, 300, |_| true),
        "deletes reach it too"
    );
}

#[test]
fn the_worker_seals_and_merges_by_itself_and_ends_when_told() {
    let mut fixture = fixture();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let env = env();
    let builds = Arc::new(crate::Builds::new(Arc::clone(&env.clock), u64::MAX));
    let worker = MaintenanceWorker::start(&env, std::time::Duration::from_millis(1), builds).unwrap();
    worker.maintain(fixture.partition().maintainer()).unwrap();
    (1..=300).for_each(|post| fixture.put(post, 1));
    while fixture.partition().reader().status().unsealed_rows > 64 {
        std::thread::yield_now();
    }
    fixture.check_exact(300);
    let maintainer = fixture.partition().maintainer();
    fixture.partition = None;
    assert!(matches!(maintainer.step(), Err(PartitionError::Stopped)));
    runtime
        .block_on(worker.stop(std::time::Duration::from_secs(60)))
        .unwrap();
}
