//! Sizes of directories.

use super::*;

#[test]
fn each_store_of_a_node_counts_for_itself() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: usize| {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, vec![1; bytes]).unwrap();
    };
    write("wal/1", 100_000);
    write("kv/a/b", 200_000);
    write("shard-0001.1/000001/rows.emb", 300_000);
    write("shard-0002.1/MANIFEST", 50_000);
    let disk = NodeDisk::of(dir.path());
    for (bytes, least) in [(disk.log, 100_000), (disk.store, 200_000), (disk.vectors, 350_000)] {
        assert!((least..least + 64_000).contains(&bytes), "{disk:?}");
    }
    assert_eq!(NodeDisk::of(&dir.path().join("none")), NodeDisk::default());
}
