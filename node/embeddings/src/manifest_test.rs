//! Tests of the manifest.

use covey_ann::Metric;
use covey_env::Env;
use covey_shared::ids::ModelEpoch;

use super::*;

#[test]
fn a_manifest_is_read_as_written_and_refused_when_its_numbers_make_no_sense() {
    let dir = tempfile::tempdir().unwrap();
    let env = Env::production(1).unwrap();
    let space = SpaceSpec {
        name: "content".into(),
        dim: 8,
        metric: Metric::L2,
        model_epoch: ModelEpoch(0),
    };
    let read = || Manifest::read(&*env.disk, &space, dir.path());
    assert_eq!(read().unwrap(), Manifest::default());
    let entry = |folder| FolderEntry {
        folder,
        rows: 7,
        sealed: folder == 1,
    };
    let manifest = Manifest {
        next_folder: 5,
        folders: vec![entry(1), entry(4)],
    };
    manifest.write(&*env.disk, &space, dir.path()).unwrap();
    assert_eq!(read().unwrap(), manifest);
    for folders in [vec![entry(1), entry(1)], vec![entry(5)]] {
        Manifest {
            next_folder: 5,
            folders,
        }
        .write(&*env.disk, &space, dir.path())
        .unwrap();
        assert!(matches!(read(), Err(PartitionError::Damaged { .. })));
    }
}
