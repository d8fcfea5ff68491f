//! Exported folders stay where they are.

use covey_ann::Metric;

use super::*;
use crate::Step;
use crate::fixture::{Fixture, small_options};

/// Two sealed folders that will merge, and a tail of one row.
fn two_sealed() -> Fixture {
    let mut fixture = Fixture::new(8, Metric::L2, small_options());
    (1..=129).for_each(|post| fixture.put(post, 1));
    let maintainer = fixture.partition().maintainer();
    (0..2).for_each(|_| assert!(matches!(maintainer.step(), Ok(Step::Sealed { rows: 64 }))));
    fixture
}

fn contents(fixture: &mut Fixture, export: &PartitionExport) -> Vec<(String, Vec<u8>)> {
    let disk = Arc::clone(&fixture.partition().shared.env.disk);
    let files = export.folders.iter().flat_map(|folder| &folder.files);
    let content = |file: &ExportedFile| (file.name.clone(), disk.read_file(&file.path, 1 << 30).unwrap());
    files.map(content).collect()
}

fn exists(fixture: &mut Fixture, folder: &str) -> bool {
    let path = fixture.file(folder);
    fixture.partition().shared.env.disk.exists(&path).unwrap()
}

#[test]
fn pinned_folders_survive_a_merge_until_the_last_pin_is_gone() {
    let mut fixture = two_sealed();
    let reader = fixture.partition().reader();
    let (first, second) = (reader.export(|| ()).1, reader.export(|| ()).1);
    assert_eq!(
        first.folders.iter().map(|f| (f.id, f.rows)).collect::<Vec<_>>(),
        [(0, 64), (1, 64)]
    );
    let before = contents(&mut fixture, &first);
    assert_eq!(before.len(), 6, "rows, ids and meta of two folders that are scanned");
    let maintainer = fixture.partition().maintainer();
    assert!(matches!(maintainer.step(), Ok(Step::Merged { segments: 2, .. })));
    drop(first);
    assert_eq!(maintainer.step().unwrap(), Step::Idle);
    assert_eq!(contents(&mut fixture, &second), before);
    drop(second);
    assert!(exists(&mut fixture, "000000"), "removed by maintenance only");
    assert_eq!(maintainer.step().unwrap(), Step::Idle);
    assert!(!exists(&mut fixture, "000000") && !exists(&mut fixture, "000001"));
    assert!(fixture.partition().shared.state.lock().pins.is_empty());
    fixture.check_exact(129);
}

#[test]
fn pinned_folders_without_a_live_row_stay_too() {
    let mut fixture = two_sealed();
    let ((), export) = fixture.partition().reader().export(|| ());
    (1..=128).for_each(|post| fixture.delete(post));
    assert!(matches!(
        fixture.partition().maintainer().step(),
        Ok(Step::Dropped { segments: 2 })
    ));
    assert_eq!(contents(&mut fixture, &export).len(), 6);
}

#[test]
fn an_index_that_has_still_to_be_built_is_left_out_so_that_no_exported_file_changes() {
    let mut fixture = two_sealed();
    fixture.partition().checkpoint().unwrap();
    let disk = Arc::clone(&fixture.partition().shared.env.disk);
    disk.remove_file(&fixture.file("000000/meta")).unwrap();
    fixture.open().unwrap();
    let ((), export) = fixture.partition().reader().export(|| ());
    let names: Vec<&str> = export
        .folders
        .iter()
        .flat_map(|f| &f.files)
        .map(|f| f.name.as_str())
        .collect();
    let all = [
        "000000/rows.emb",
        "000000/rows.ids",
        "000001/rows.emb",
        "000001/rows.ids",
        "000001/meta",
    ];
    assert_eq!(names, all);
    let before = contents(&mut fixture, &export);
    assert!(matches!(
        fixture.partition().maintainer().step(),
        Ok(Step::Indexed { rows: 64 })
    ));
    assert_eq!(contents(&mut fixture, &export), before);
}

#[test]
fn a_merge_during_the_moment_makes_another_one_so_that_no_row_of_it_is_missing() {
    let mut fixture = two_sealed();
    let (reader, maintainer) = (fixture.partition().reader(), fixture.partition().maintainer());
    let mut moments = 0;
    let (moment, export) = reader.export(|| {
        moments += 1;
        if moments == 1 {
            assert!(matches!(maintainer.step(), Ok(Step::Merged { .. })));
        }
        moments
    });
    assert_eq!(moment, 2);
    assert_eq!(export.folders.iter().map(|f| f.rows).collect::<Vec<_>>(), [128]);
    assert_eq!(fixture.partition().shared.state.lock().pins.len(), 1);
}

#[test]
fn a_view_that_never_rests_is_exported_all_the_same() {
    let mut fixture = two_sealed();
    let shared = Arc::clone(&fixture.partition().shared);
    let reader = fixture.partition().reader();
    let (_, export) = reader.export(|| shared.publish(&mut shared.state.lock(), |_| {}));
    assert_eq!(export.folders.len(), 2);
}

#[test]
fn rows_of_the_tails_are_visited_in_order_with_the_dead_ones() {
    let mut fixture = Fixture::new(
        8,
        Metric::L2,
        crate::PartitionOptions {
            seal_rows: 600,
            ..small_options()
        },
    );
    (1..=700).for_each(|post| fixture.put(post, 1));
    fixture.put(3, 2);
    fixture.delete(4);
    let ((), export) = fixture.partition().reader().export(|| ());
    assert!(export.folders.is_empty());
    let mut seen = Vec::new();
    export.for_each_tail_row(|meta, row| {
        assert_eq!(row.len(), 32);
        seen.push((meta.post.0, meta.version.0));
        true
    });
    let expected: Vec<(u64, u64)> = (1..=700).map(|post| (post, 1)).chain([(3, 2)]).collect();
    assert_eq!(seen, expected);
    let mut visits = 0;
    export.for_each_tail_row(|_, _| {
        visits += 1;
        visits < 300
    });
    assert_eq!(visits, 300);
}

#[test]
fn an_index_is_exported_where_it_is_served() {
    let space = crate::fixture::space(8, Metric::L2);
    let index = covey_ann::IndexSpec::parse("HNSW8", Metric::L2, space.row_len()).unwrap();
    let options = crate::PartitionOptions {
        index,
        min_train_rows: 1,
        min_recall: 0.0,
        ..small_options()
    };
    let mut fixture = Fixture::new(8, Metric::L2, options);
    (1..=65).for_each(|post| fixture.put(post, 1));
    assert_eq!(fixture.settle(), [Step::Sealed { rows: 64 }]);
    let ((), export) = fixture.partition().reader().export(|| ());
    let names: Vec<&str> = export.folders[0].files.iter().map(|f| f.name.as_str()).collect();
    assert_eq!(
        names,
        ["000000/rows.emb", "000000/rows.ids", "000000/meta", "000000/ann.faiss"]
    );
    assert_eq!(contents(&mut fixture, &export).len(), 4);
}
