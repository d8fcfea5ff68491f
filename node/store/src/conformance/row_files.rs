//! What every row file must do.

use std::path::Path;

use crate::rows::{HEADER_BYTES, MAX_DESCRIPTION, RowError, RowFile, RowFileSpec};

/// Makes (with a spec) or opens (with a number of rows) a row file.
pub enum RowFileAt<'a> {
    /// A new file.
    Create(&'a Path, RowFileSpec),
    /// An existing file of which so many rows count.
    Open(&'a Path, u64),
}

type Opener<'a> = dyn FnMut(RowFileAt<'_>) -> Result<Box<dyn RowFile>, RowError> + 'a;

fn row(ordinal: u64) -> Vec<u8> {
    (0..24).map(|i| (ordinal * 7 + i) as u8).collect()
}

fn rows(range: std::ops::Range<u64>) -> Vec<u8> {
    range.flat_map(row).collect()
}

/// Appends, reads, bounds, truncation, sealing, reopening. `dir` is an empty directory.
pub fn row_file_rules(dir: &Path, open: &mut Opener<'_>) {
    let path = dir.join("rows");
    let spec = RowFileSpec {
        row_bytes: 24,
        capacity: 10,
        description: b"dim 12 f16".to_vec(),
    };
    let mut file = open(RowFileAt::Create(&path, spec.clone())).expect("a file is made");
    assert!(
        matches!(open(RowFileAt::Create(&path, spec.clone())), Err(RowError::Io { .. })),
        "the name is taken"
    );
    assert_eq!(
        (file.len(), file.is_empty(), file.spec(), file.path()),
        (0, true, &spec, path.as_path())
    );
    assert!(file.rows(0..0).expect("no rows are fine").is_empty());

    assert_eq!(file.append(&row(0)).expect("a row is appended"), 0);
    assert_eq!(file.append(&rows(1..6)).expect("rows are appended"), 1);
    assert_eq!(file.append(&[]).expect("no rows are fine"), 6);
    assert_eq!(*file.row(3).expect("a row is read"), row(3));
    assert_eq!(*file.rows(1..6).expect("rows are read"), rows(1..6));
    refusals(&*file);
    file.append(&rows(6..10)).expect("the last rows are appended");
    assert!(matches!(
        file.append(&row(10)),
        Err(RowError::Full { capacity: 10, .. })
    ));
    file.sync().expect("a file syncs");

    file.truncate(4).expect("a file is cut");
    assert!(matches!(file.truncate(5), Err(RowError::Range { .. })));
    assert_eq!(
        file.append(&rows(100..102)).expect("rows are appended after the cut"),
        4
    );
    assert_eq!(
        *file.rows(3..6).expect("rows are read"),
        [row(3), rows(100..102)].concat()
    );
    file.sync().expect("a file syncs");
    drop(file);

    let mut file = open(RowFileAt::Open(&path, 5)).expect("the file opens");
    assert_eq!((file.len(), file.spec()), (5, &spec));
    assert_eq!(
        *file.rows(0..5).expect("rows are read"),
        [rows(0..4), row(100)].concat()
    );
    file.append(&row(200)).expect("a row is appended");
    file.seal().expect("a file is sealed");
    assert_eq!(file.spec().capacity, 6);
    assert!(matches!(file.append(&row(7)), Err(RowError::Full { capacity: 6, .. })));
    assert_eq!(*file.row(5).expect("a row is read"), row(200));
    drop(file);

    assert!(matches!(
        open(RowFileAt::Open(&path, 7)),
        Err(RowError::Short {
            capacity: 6,
            rows: 7,
            ..
        })
    ));
    let file = open(RowFileAt::Open(&path, 6)).expect("the sealed file opens");
    assert_eq!(*file.rows(4..6).expect("rows are read"), [row(100), row(200)].concat());
    specs(dir, open);
}

fn refusals(file: &dyn RowFile) {
    assert!(matches!(
        file.append(&[0; 23]),
        Err(RowError::Length {
            bytes: 23,
            row_bytes: 24,
            ..
        })
    ));
    assert!(
        matches!(file.append(&rows(6..11)), Err(RowError::Full { .. })),
        "all rows fit or none is appended"
    );
    assert_eq!(file.len(), 6);
    assert!(matches!(
        file.row(6),
        Err(RowError::Range {
            start: 6,
            end: 7,
            len: 6,
            ..
        })
    ));
    assert!(matches!(file.row(u64::MAX), Err(RowError::Range { .. })));
    #[expect(clippy::reversed_empty_ranges, reason = "it must be refused")]
    let inverted = file.rows(4..3);
    assert!(matches!(inverted, Err(RowError::Range { .. })));
}

fn specs(dir: &Path, open: &mut Opener<'_>) {
    let spec = |row_bytes, capacity, description| RowFileSpec {
        row_bytes,
        capacity,
        description: vec![1; description],
    };
    for bad in [
        spec(0, 1, 0),
        spec(1 << 21, 1, 0),
        spec(8, 0, 0),
        spec(8, 1, HEADER_BYTES),
        spec(8, u64::MAX, 0),
    ] {
        let refused = open(RowFileAt::Create(&dir.join("bad"), bad));
        assert!(matches!(refused, Err(RowError::Spec { .. })), "{refused:?}");
    }
    let largest = spec(8, 1, MAX_DESCRIPTION);
    let file = open(RowFileAt::Create(&dir.join("largest"), largest.clone())).expect("the largest description fits");
    drop(file);
    let file = open(RowFileAt::Open(&dir.join("largest"), 0)).expect("the file opens");
    assert_eq!(file.spec(), &largest);
}
