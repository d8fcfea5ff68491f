//! Checkpoint files.

use super::*;

fn sample() -> Checkpoint {
    Checkpoint {
        input: "jsonl posts.jsonl".into(),
        rows: 500,
        shift_ms: -7,
        client_id: u64::MAX,
        bad: 2,
    }
}

#[test]
fn it_is_read_back_and_removed() {
    let dir = tempfile::tempdir().unwrap();
    let file = CheckpointFile::new(dir.path().join("state"));
    assert_eq!(file.read("jsonl posts.jsonl").unwrap(), None);
    file.write(&sample()).unwrap();
    file.write(&sample()).unwrap();
    assert_eq!(file.read("jsonl posts.jsonl").unwrap(), Some(sample()));
    file.remove().unwrap();
    file.remove().unwrap();
    assert_eq!(file.read("jsonl posts.jsonl").unwrap(), None);
}

#[test]
fn that_of_another_load_or_no_checkpoint_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let file = CheckpointFile::new(dir.path().join("state"));
    file.write(&sample()).unwrap();
    assert!(matches!(file.read("higgs x"), Err(CheckpointError::Other { .. })));
    fs::write(file.path(), "garbage").unwrap();
    assert!(matches!(file.read("higgs x"), Err(CheckpointError::Content { .. })));
}
