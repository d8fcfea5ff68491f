//! Which lists of files make up a snapshot.

use covey_shared::ids::*;
use covey_shared::members::{Members, ShardDescriptor};
use covey_shared::slots::SlotRange;
use covey_shared::wire::SnapshotFile;

use super::*;

fn manifest(files: &[&str], folders: &[u32]) -> SnapshotManifest {
    let file = |name: &&str| SnapshotFile {
        name: (*name).to_owned(),
        bytes: 1,
        hash: [0; 32],
    };
    SnapshotManifest {
        descriptor: ShardDescriptor {
            shard: ShardId(7),
            slots: SlotRange::ALL,
            epoch: ShardEpoch::default(),
            members: Members::default(),
        },
        index: LogIndex(1),
        term: Term(1),
        files: files.iter().map(file).collect(),
        folders: folders.iter().map(|&id| SnapshotFolder { id, rows: 1 }).collect(),
    }
}

#[test]
fn key_value_files_are_read_by_number_and_folders_may_lack_what_can_be_built_again() {
    let files = [
        "000012/rows.emb",
        "kv-0001",
        "000012/rows.ids",
        "1234567/rows.ids",
        "1234567/ann.faiss",
        "1234567/meta",
        "1234567/rows.emb",
        "kv-0000",
    ];
    let manifest = manifest(&files, &[1_234_567, 12]);
    let names = names(&manifest).unwrap();
    assert_eq!(names.kv, ["kv-0000", "kv-0001"]);
    let vectors = [
        "1234567/rows.emb",
        "1234567/rows.ids",
        "1234567/meta",
        "1234567/ann.faiss",
        "000012/rows.emb",
        "000012/rows.ids",
    ];
    assert_eq!(names.vectors, vectors);
}

#[test]
fn any_other_name_is_refused() {
    let names_of_no_file = [
        "../MANIFEST",
        "000001/../../kv-0000",
        "/etc/passwd",
        "",
        "kv-0002",
        "kv-1",
        "kv-00001",
        "MANIFEST",
        "000001/rows.emb.tmp",
        "1/rows.emb",
        "000002/rows.emb",
        "000001\\meta",
        "kv-0000",
    ];
    for name in names_of_no_file {
        let manifest = manifest(&["kv-0000", "000001/rows.emb", "000001/rows.ids", name], &[1]);
        match names(&manifest) {
            Err(SnapshotError::Name { name: refused }) => assert_eq!(refused, name),
            other => panic!("{name}: {:?}", other.map(|names| names.vectors.len())),
        }
    }
}

#[test]
fn a_list_that_lacks_a_file_is_refused() {
    let lacking = [
        (&["kv-0001"][..], &[][..], "kv-0000"),
        (&["kv-0000", "000001/rows.emb"], &[1], "000001/rows.ids"),
        (&["kv-0000", "000001/rows.ids", "000001/meta"], &[1], "000001/rows.emb"),
        (
            &["kv-0000", "000001/rows.emb", "000001/rows.ids", "000001/ann.faiss"],
            &[1],
            "000001/meta",
        ),
    ];
    for (files, folders, lacks) in lacking {
        match names(&manifest(files, folders)) {
            Err(SnapshotError::Missing { name }) => assert_eq!(name, lacks),
            other => panic!("{lacks}: {:?}", other.map(|names| names.vectors.len())),
        }
    }
}

#[test]
fn a_folder_twice_and_one_behind_which_no_other_can_follow_are_refused() {
    let (one, last) = (["kv-0000", "000001/rows.emb", "000001/rows.ids"], "4294967295/rows.emb");
    assert!(matches!(
        names(&manifest(&one, &[1, 1])),
        Err(SnapshotError::Folder { folder: 1 })
    ));
    let last = manifest(&["kv-0000", last], &[u32::MAX]);
    assert!(matches!(names(&last), Err(SnapshotError::Folder { folder: u32::MAX })));
}
