//! Rows survive the way through a file.

use super::{Encoder, GROUP_ROWS, TableError, read};
use crate::rows::testing::{action, served};
use crate::rows::{ActionRow, Row, ServedRow};

fn file<R: Row>(rows: impl IntoIterator<Item = R>) -> Vec<u8> {
    let mut encoder = Encoder::new().unwrap();
    for row in rows {
        encoder.push(vec![row]).unwrap();
    }
    encoder.finish().unwrap().0
}

#[test]
fn rows_are_read_back_as_they_were() {
    for count in [0, 1, 2, 500] {
        let rows: Vec<ServedRow> = read(file((0..count).map(served))).unwrap();
        assert_eq!(rows, (0..count).map(served).collect::<Vec<_>>());
        let rows: Vec<ActionRow> = read(file((0..count).map(action))).unwrap();
        assert_eq!(rows, (0..count).map(action).collect::<Vec<_>>());
    }
}

#[test]
fn many_rows_make_several_groups() {
    let count = GROUP_ROWS as u64 + 3;
    let mut encoder = Encoder::new().unwrap();
    encoder.push((0..GROUP_ROWS as u64).map(action).collect()).unwrap();
    encoder.push((GROUP_ROWS as u64..count).map(action).collect()).unwrap();
    let (file, written) = encoder.finish().unwrap();
    assert_eq!(written, count);
    assert_eq!(
        read::<ActionRow>(file).unwrap(),
        (0..count).map(action).collect::<Vec<_>>()
    );
}

#[test]
fn a_file_of_the_other_kind_is_refused() {
    let error = read::<ServedRow>(file([action(1)])).unwrap_err();
    assert!(matches!(error, TableError::Columns { .. }), "{error}");
}

#[test]
fn a_damaged_file_is_an_error() {
    let whole = file((0..10).map(served));
    for len in 0..whole.len() {
        assert!(read::<ServedRow>(whole[..len].to_vec()).is_err(), "cut to {len}");
    }
}
