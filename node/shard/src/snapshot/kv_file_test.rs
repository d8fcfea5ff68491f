//! The bytes of a file of pairs, and what is not one.

use covey_env::Env;

use super::*;

const SHARD: ShardId = ShardId(7);

const GOLDEN: &[u8; 45] = b"COVEYKVS\x01\0\0\0\x07\0\0\0\0\0\0\0\
    \x03\0\0\0\x05\0\0\0keyvalue\x01\0\0\0\0\0\0\0k";

type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

struct Dir {
    env: Env,
    dir: tempfile::TempDir,
}

impl Dir {
    fn new() -> Dir {
        Dir {
            env: Env::production(1).unwrap(),
            dir: tempfile::tempdir().unwrap(),
        }
    }

    fn read(&self, name: &str) -> Result<Pairs, ShardStoreError> {
        let mut pairs = Pairs::new();
        read(&*self.env.disk, &self.dir.path().join(name), SHARD, |key, value| {
            pairs.push((key.to_vec(), value.to_vec()));
            Ok(())
        })?;
        Ok(pairs)
    }

    fn read_bytes(&self, bytes: &[u8]) -> Result<Pairs, ShardStoreError> {
        self.env
            .disk
            .replace_file(&self.dir.path().join("bytes"), bytes)
            .unwrap();
        self.read("bytes")
    }
}

fn golden() -> Pairs {
    vec![(b"key".to_vec(), b"value".to_vec()), (b"k".to_vec(), Vec::new())]
}

#[test]
fn a_file_has_these_bytes() {
    let dir = Dir::new();
    let mut writer = KvFiles::new(&*dir.env.disk, dir.dir.path(), SHARD);
    golden()
        .iter()
        .for_each(|(key, value)| writer.push(key, value).unwrap());
    let paths = writer.finish().unwrap();
    assert_eq!(paths, [dir.dir.path().join("kv-0000")]);
    assert_eq!(dir.env.disk.read_file(&paths[0], 100).unwrap(), GOLDEN);
    assert_eq!(dir.read("kv-0000").unwrap(), golden());
}

#[test]
fn a_file_that_ends_within_a_pair_is_refused() {
    let dir = Dir::new();
    let ends = [20, 36, GOLDEN.len()];
    for len in 0..GOLDEN.len() {
        let read = dir.read_bytes(&GOLDEN[..len]);
        if ends.contains(&len) {
            assert!(read.is_ok(), "{len} bytes are whole pairs");
        } else {
            let damaged = matches!(read, Err(ShardStoreError::Snapshot(SnapshotError::Damaged { .. })));
            assert!(damaged, "{len} bytes: {read:?}");
        }
    }
}

#[test]
fn lengths_are_not_believed() {
    let dir = Dir::new();
    // Behind the header lie the lengths of the first key and value.
    for (at, length) in [
        (20, u32::MAX),
        (20, 1021),
        (20, 0),
        (24, u32::MAX),
        (24, (16 << 20) + 1),
        (24, 100),
    ] {
        let mut bytes = GOLDEN.to_vec();
        bytes[at..at + 4].copy_from_slice(&length.to_le_bytes());
        let refused = dir.read_bytes(&bytes);
        match refused {
            Err(ShardStoreError::Snapshot(SnapshotError::Damaged { offset, .. })) => {
                let expected = if length == 100 { 28 } else { 20 };
                assert_eq!(offset, expected, "length {length} at {at}");
            }
            other => panic!("length {length} at {at}: {other:?}"),
        }
    }
}

#[test]
fn another_file_a_newer_one_and_one_of_another_shard_are_told_apart() {
    let dir = Dir::new();
    let with = |at: usize, byte: u8| {
        let mut bytes = GOLDEN.to_vec();
        bytes[at] = byte;
        match dir.read_bytes(&bytes) {
            Err(ShardStoreError::Snapshot(error)) => error,
            other => panic!("{other:?}"),
        }
    };
    assert!(matches!(with(0, b'c'), SnapshotError::Damaged { offset: 0, .. }));
    assert!(matches!(with(8, 0), SnapshotError::Damaged { offset: 0, .. }));
    assert!(matches!(with(8, 2), SnapshotError::Newer { found: 2, known: 1, .. }));
    assert!(matches!(
        with(12, 8),
        SnapshotError::OtherShard { found: ShardId(8), .. }
    ));
}

#[test]
fn many_pairs_are_spread_over_files_and_come_back_in_order() {
    let dir = Dir::new();
    let mut writer = KvFiles::new(&*dir.env.disk, dir.dir.path(), SHARD);
    // 50 MB: small pairs, some larger than a buffer, and one as large as can be.
    let value = |n: u32| vec![n as u8; if n.is_multiple_of(1000) { 3 << 20 } else { 1000 }];
    let mut pairs: Pairs = (0..8000).map(|n: u32| (n.to_be_bytes().to_vec(), value(n))).collect();
    pairs.push((vec![1; MAX_KEY - GENERATION], vec![2; MAX_VALUE]));
    for (n, (key, value)) in pairs.iter().enumerate() {
        writer.push(key, value).unwrap();
        if n == 7000 {
            writer.end_file().unwrap();
        }
    }
    let paths = writer.finish().unwrap();
    assert_eq!(paths.len(), 3, "the second ends early");
    let mut read = Pairs::new();
    for (number, path) in paths.iter().enumerate() {
        assert!(path.ends_with(kv_name(number)));
        read.extend(dir.read(&kv_name(number)).unwrap());
    }
    assert!(read == pairs);
}
