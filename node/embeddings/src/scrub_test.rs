//! What a scrub finds, and what becomes of damaged files beside the rows.

use covey_ann::Metric;
use covey_store::rows::HEADER_BYTES;

use super::*;
use crate::fixture::{Fixture, damage, env, small_options};
use crate::{PartitionOptions, SearchRequest, Step};

/// Bytes of a row of eight dimensions.
const ROW: u64 = 64;

/// Two sealed folders that do not merge, and a tail of two rows; all durable.
fn fixture() -> Fixture {
    let options = PartitionOptions {
        merge_factor: 8,
        ..small_options()
    };
    let mut fixture = Fixture::new(8, Metric::Cosine, options);
    (1..=130).for_each(|post| fixture.put(post, 1));
    fixture.settle();
    fixture.partition().checkpoint().unwrap();
    fixture
}

fn scrub(fixture: &mut Fixture) -> ScrubReport {
    let mut scrub = fixture.partition().reader().scrub();
    while scrub.step().is_some() {}
    scrub.report().clone()
}

fn names(report: &ScrubReport) -> Vec<String> {
    let name = |path: &PathBuf| {
        let folder = path.parent().and_then(std::path::Path::file_name).unwrap();
        format!("{}/{}", folder.display(), path.file_name().unwrap().display())
    };
    report.files.iter().map(name).collect()
}

#[test]
fn a_scrub_of_sound_files_reads_every_byte_of_the_live_rows_and_finds_nothing() {
    let mut fixture = fixture();
    fixture.delete(3);
    let mut scrub = fixture.partition().reader().scrub();
    while scrub.step().is_some() {}
    let report = scrub.report();
    assert_eq!(report.rows, 127);
    assert!(scrub.total_bytes() == 128 * (ROW + RECORD as u64) && report.bytes > scrub.total_bytes());
    assert_eq!(
        (&report.damaged[..], report.unnamed, &report.files[..]),
        (&[][..], 0, &[][..])
    );
    assert_eq!(fixture.settle(), []);
}

#[test]
fn damaged_rows_are_named_unless_they_are_dead() {
    let mut fixture = fixture();
    for row in [0, 10, 63] {
        damage(&fixture.file("000000/rows.emb"), HEADER_BYTES as u64 + row * ROW + 5);
    }
    damage(&fixture.file("000001/rows.emb"), HEADER_BYTES as u64 + 1);
    fixture.delete(11);
    let report = scrub(&mut fixture);
    let posts: Vec<u64> = report.damaged.iter().map(|row| row.post.0).collect();
    assert_eq!((posts, report.unnamed), (vec![1, 64, 65], 0));
    assert_eq!(names(&report), Vec::<String>::new());
}

#[test]
fn a_row_whose_sector_cannot_be_read_is_damaged_and_its_neighbours_are_not() {
    let mut fixture = fixture();
    let disk = env().disk;
    let file = disk
        .open(&fixture.file("000001/rows.emb"), covey_env::OpenMode::ReadWrite)
        .unwrap();
    // Reads behind its end fail, as those of a bad sector do.
    file.set_len(HEADER_BYTES as u64 + 60 * ROW).unwrap();
    let report = scrub(&mut fixture);
    let posts: Vec<u64> = report.damaged.iter().map(|row| row.post.0).collect();
    assert_eq!(posts, [125, 126, 127, 128]);
    assert_eq!(names(&report), ["000001/rows.emb"]);
}

#[test]
fn damaged_files_beside_sound_rows_are_written_again_from_memory() {
    for name in ["rows.ids", "meta"] {
        let mut fixture = fixture();
        for at in [HEADER_BYTES as u64 + 40 * 5, 40] {
            if name == "meta" && at > 4096 {
                continue;
            }
            let folder = fixture.partition().reader().view().segments[0].folder.name();
            damage(&fixture.file(&format!("{folder}/{name}")), at);
            let report = scrub(&mut fixture);
            assert_eq!(names(&report), [format!("{folder}/{name}")], "at {at}");
            assert_eq!(fixture.settle(), [Step::Merged { segments: 1, rows: 64 }]);
            assert_eq!(names(&scrub(&mut fixture)), Vec::<String>::new());
        }
        fixture.open().unwrap();
        fixture.check_exact(130);
        assert_eq!(fixture.settle(), []);
    }
}

#[test]
fn a_damaged_header_of_sound_rows_and_lost_names_are_healed_too() {
    let mut fixture = fixture();
    damage(&fixture.file("000000/rows.emb"), 100);
    env().disk.remove_file(&fixture.file("000001/rows.emb")).unwrap();
    env().disk.remove_file(&fixture.file("000001/meta")).unwrap();
    let report = scrub(&mut fixture);
    assert_eq!(names(&report), ["000000/rows.emb", "000001/rows.emb", "000001/meta"]);
    assert_eq!(report.damaged, []);
    assert_eq!(fixture.settle(), [Step::Merged { segments: 1, rows: 64 }; 2]);
    assert_eq!(fixture.open().unwrap().live_rows, 130);
    fixture.check_exact(130);
}

#[test]
fn a_damaged_index_is_built_again() {
    let options = PartitionOptions {
        seal_rows: 1024,
        min_train_rows: 700,
        ..PartitionOptions::default()
    };
    let mut fixture = Fixture::new(32, Metric::InnerProduct, options);
    (1..=1500).for_each(|post| fixture.put(post, 1));
    fixture.settle();
    damage(&fixture.file("000000/ann.faiss"), 5000);
    assert_eq!(names(&scrub(&mut fixture)), ["000000/ann.faiss"]);
    assert!(
        fixture.recall(10, &SearchRequest::nearest(10)) > 0.9,
        "the one in memory serves on"
    );
    assert_eq!(
        fixture.settle(),
        [Step::Merged {
            segments: 1,
            rows: 1024
        }]
    );
    assert_eq!(names(&scrub(&mut fixture)), Vec::<String>::new());
    fixture.partition().checkpoint().unwrap();
    fixture.open().unwrap();
    assert_eq!(fixture.partition().reader().status().ivf_rows, 1024);
}

#[test]
fn a_damaged_or_lost_manifest_is_written_again_at_once() {
    let mut fixture = fixture();
    let path = fixture.file("MANIFEST");
    damage(&path, 30);
    assert_eq!(names(&scrub(&mut fixture)), ["part/MANIFEST"]);
    env().disk.remove_file(&path).unwrap();
    assert_eq!(names(&scrub(&mut fixture)), ["part/MANIFEST"]);
    assert_eq!(names(&scrub(&mut fixture)), Vec::<String>::new());
    assert_eq!(fixture.open().unwrap().live_rows, 130);
    fixture.check_exact(130);
}

#[test]
fn what_a_merge_took_away_during_a_scrub_is_no_damage() {
    let mut fixture = Fixture::new(8, Metric::Cosine, small_options());
    (1..=129).for_each(|post| fixture.put(post, 1));
    let maintainer = fixture.partition().maintainer();
    (0..2).for_each(|_| assert!(matches!(maintainer.step(), Ok(Step::Sealed { .. }))));
    let mut scrub = fixture.partition().reader().scrub();
    assert_eq!(scrub.step(), Some(0), "the manifest");
    assert!(matches!(maintainer.step(), Ok(Step::Merged { .. })));
    while scrub.step().is_some() {}
    assert_eq!(
        (&scrub.report().damaged[..], &scrub.report().files[..]),
        (&[][..], &[][..])
    );
    assert_eq!(fixture.settle(), []);
}

#[test]
fn more_damage_than_is_named_is_counted() {
    let options = PartitionOptions {
        seal_rows: 6000,
        min_train_rows: 10_000,
        ..small_options()
    };
    let mut fixture = Fixture::new(8, Metric::Cosine, options);
    (1..=6001).for_each(|post| fixture.put(post, 1));
    fixture.settle();
    let file = fixture.file("000000/rows.emb");
    let file = env().disk.open(&file, covey_env::OpenMode::ReadWrite).unwrap();
    file.write_at(&vec![0xA5; 5000 * ROW as usize], HEADER_BYTES as u64)
        .unwrap();
    let report = scrub(&mut fixture);
    assert_eq!(
        (report.damaged.len(), report.unnamed),
        (MAX_DAMAGED, 5000 - MAX_DAMAGED as u64)
    );
}
