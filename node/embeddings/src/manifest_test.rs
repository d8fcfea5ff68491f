//! Tests of the manifest.

use covey_ann::Metric;
use covey_env::{Env, OpenMode};

use super::*;
use crate::envelope::tests::resealed;
use crate::fixture::{env, space};

const GOLDEN: &[u8; 74] = b"CVMANIF\n\x18\x31\x8b\x23\
    \x1a\0\0\0\x01\0\x07\0\0\0\0\0\0\0content\x08\0\0\0\x02\0\0\0\0\
    \x01\0\x05\0\0\0\x02\0\0\0\0\0\0\0\x01\0\0\0\x07\0\0\0\x01\x04\0\0\0\x07\0\0\0\0";

/// An empty directory of a partition.
struct Dir {
    env: Env,
    dir: tempfile::TempDir,
}

impl Dir {
    fn new() -> Dir {
        Dir {
            env: env(),
            dir: tempfile::tempdir().unwrap(),
        }
    }

    fn open(&self) -> Result<Manifest, PartitionError> {
        Manifest::open(&*self.env.disk, &space(8, Metric::L2), self.dir.path())
    }

    fn write(&self, manifest: &Manifest) {
        manifest
            .write(&*self.env.disk, &space(8, Metric::L2), self.dir.path())
            .unwrap();
    }

    fn content(&self) -> Vec<u8> {
        self.env
            .disk
            .read_file(&self.dir.path().join(MANIFEST), MAX_BYTES)
            .unwrap()
    }

    fn set_content(&self, content: &[u8]) {
        let file = self
            .env
            .disk
            .open(&self.dir.path().join(MANIFEST), OpenMode::ReadWrite)
            .unwrap();
        file.write_at(content, 0).unwrap();
        file.set_len(content.len() as u64).unwrap();
    }
}

fn entry(folder: u32) -> FolderEntry {
    FolderEntry {
        folder,
        rows: 7,
        sealed: folder == 1,
    }
}

fn manifest() -> Manifest {
    Manifest {
        next_folder: 5,
        folders: vec![entry(1), entry(4)],
    }
}

#[test]
fn a_manifest_has_these_bytes() {
    let dir = Dir::new();
    dir.write(&manifest());
    assert_eq!(dir.content(), GOLDEN);
    assert_eq!(dir.open().unwrap(), manifest());
}

#[test]
fn a_manifest_with_any_flipped_byte_or_cut_is_refused() {
    let dir = Dir::new();
    dir.write(&manifest());
    for at in 0..GOLDEN.len() {
        let mut damaged = *GOLDEN;
        damaged[at] ^= 1;
        dir.set_content(&damaged);
        assert!(matches!(dir.open(), Err(PartitionError::Damaged { .. })), "byte {at}");
        dir.set_content(&GOLDEN[..at]);
        assert!(matches!(dir.open(), Err(PartitionError::Damaged { .. })), "cut at {at}");
    }
}

#[test]
fn a_newer_list_in_a_frame_of_today_is_told_apart_from_damage() {
    let dir = Dir::new();
    dir.write(&manifest());
    dir.set_content(&resealed(GOLDEN, 42, 2));
    let refused = dir.open();
    assert!(
        matches!(refused, Err(PartitionError::Newer { found: 2, known: 1, .. })),
        "{refused:?}"
    );
}

#[test]
fn numbers_that_make_no_sense_are_refused() {
    let dir = Dir::new();
    for folders in [vec![entry(1), entry(1)], vec![entry(5)]] {
        dir.write(&Manifest {
            next_folder: 5,
            folders,
        });
        assert!(matches!(dir.open(), Err(PartitionError::Damaged { .. })));
    }
}

#[test]
fn a_new_partition_gets_a_manifest_before_its_first_folder_so_a_lost_one_is_noticed() {
    let dir = Dir::new();
    assert_eq!(dir.open().unwrap(), Manifest::default());
    assert_eq!(dir.content().len(), 56);
    assert_eq!(dir.open().unwrap(), Manifest::default());
    let disk = &*dir.env.disk;
    disk.create_dir_all(&FolderId(3).dir(dir.dir.path())).unwrap();
    assert_eq!(dir.open().unwrap(), Manifest::default(), "a leftover of a crash");
    disk.remove_file(&dir.dir.path().join(MANIFEST)).unwrap();
    let refused = dir.open();
    assert!(matches!(refused, Err(PartitionError::Damaged { .. })), "{refused:?}");
}
