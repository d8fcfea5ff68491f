//! What makes a partition, and what does not.

use covey_ann::Metric;

use super::*;
use crate::fixture::{Fixture, env, small_options, space};
use crate::{Partition, PartitionOptions, Step};

/// Copies a file that will not change.
fn copy(disk: &dyn Disk, from: &Path, to: &Path) {
    let content = disk.read_file(from, 1 << 30).unwrap();
    disk.create_dir_all(to.parent().unwrap()).unwrap();
    disk.replace_file(to, &content).unwrap();
}

#[test]
fn copied_folders_become_a_partition_that_finds_the_same() {
    for metric in [Metric::Cosine, Metric::InnerProduct] {
        let mut source = Fixture::new(8, metric, small_options());
        let maintainer = source.partition().maintainer();
        (1..=64 * 3 + 1).for_each(|post| source.put(post, 1));
        (0..3).for_each(|_| assert!(matches!(maintainer.step(), Ok(Step::Sealed { rows: 64 }))));
        assert!(matches!(maintainer.step(), Ok(Step::Merged { .. })));
        (200..=264).for_each(|post| source.put(post, 1));
        assert!(matches!(maintainer.step(), Ok(Step::Sealed { rows: 64 })));
        // One folder with dead rows, and deletes that the copy learns from its caller.
        (1..=20).for_each(|post| source.delete(post));
        let ((), export) = source.partition().reader().export(|| ());
        assert!(export.folders.len() > 1, "a test of more than one folder");
        let mut copy_of = Fixture::new(8, metric, small_options());
        copy_of.partition = None;
        let (disk, dir) = (env().disk, copy_of.file(""));
        disk.remove_dir_all(&dir).unwrap();
        let files = || export.folders.iter().flat_map(|folder| &folder.files);
        assert!(files().any(|file| file.name.ends_with("/meta")));
        files().for_each(|file| copy(&*disk, &file.path, &dir.join(&file.name)));
        let folders: Vec<(u32, u32)> = export.folders.iter().map(|f| (f.id, f.rows)).collect();
        install(&*disk, &dir, &space(8, metric), &folders).unwrap();
        copy_of.posts = source.posts.clone();
        copy_of.open().unwrap();
        let mut tail = Vec::new();
        export.for_each_tail_row(|meta, row| {
            tail.push((*meta, row.to_vec()));
            true
        });
        for (meta, row) in tail {
            copy_of.partition().append(meta, &row).unwrap();
        }
        copy_of.check_exact(400);
        // It goes on with numbers of its own.
        (1000..1200).for_each(|post| copy_of.put(post, 1));
        copy_of.settle();
        copy_of.check_exact(600);
        copy_of.partition().checkpoint().unwrap();
        copy_of.open().unwrap();
        copy_of.check_exact(600);
    }
}

#[test]
fn numbers_that_make_no_sense_and_a_partition_in_place_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let disk = env().disk;
    let refused = |folders: &[(u32, u32)]| install(&*disk, dir.path(), &space(8, Metric::L2), folders);
    for folders in [&[(1, 3), (1, 4)][..], &[(u32::MAX, 1)]] {
        let refused = refused(folders);
        assert!(
            matches!(refused, Err(PartitionError::NotInstallable { .. })),
            "{folders:?}: {refused:?}"
        );
    }
    refused(&[]).unwrap();
    assert!(
        matches!(refused(&[]), Err(PartitionError::NotInstallable { .. })),
        "twice"
    );
}

#[test]
fn missing_and_short_files_are_refused_when_it_is_opened() {
    let mut source = Fixture::new(8, Metric::L2, small_options());
    (1..=65).for_each(|post| source.put(post, 1));
    assert_eq!(source.settle(), [Step::Sealed { rows: 64 }]);
    let disk = env().disk;
    let open = |dir: &Path| {
        let options = PartitionOptions { ..small_options() };
        Partition::open(env(), dir.to_owned(), space(8, Metric::L2), options, &|_| true).map(|(_, report)| report)
    };
    let install_with = |rows: u32, files: &[&str]| {
        let dir = tempfile::tempdir().unwrap();
        disk.create_dir_all(&dir.path().join("000000")).unwrap();
        for name in files {
            copy(&*disk, &source.file(name), &dir.path().join(name));
        }
        install(&*disk, dir.path(), &space(8, Metric::L2), &[(0, rows)]).unwrap();
        open(dir.path())
    };
    let whole = ["000000/rows.emb", "000000/rows.ids", "000000/meta"];
    assert_eq!(install_with(64, &whole).unwrap().live_rows, 64);
    assert_eq!(
        install_with(64, &whole[..2]).unwrap().live_rows,
        64,
        "all rows are checked then"
    );
    assert!(install_with(65, &whole).is_err());
    assert!(install_with(64, &whole[..1]).is_err());
    let nowhere = install(
        &*disk,
        tempfile::tempdir().unwrap().path(),
        &space(8, Metric::L2),
        &[(0, 1)],
    );
    assert!(matches!(nowhere, Err(PartitionError::Io { .. })), "{nowhere:?}");
}
