//! What is written is what a reader sees.

use super::{Encoder, GROUP_ROWS};
use crate::look::first;
use crate::rows::Row;
use crate::rows::testing::{action, served, shown_action, shown_served};
use crate::testing::shown;

fn file<R: Row>(rows: impl IntoIterator<Item = R>) -> Vec<u8> {
    let mut encoder = Encoder::new().unwrap();
    for row in rows {
        encoder.push(vec![row]).unwrap();
    }
    encoder.finish().unwrap().0
}

#[test]
fn a_reader_sees_the_rows_as_they_were() {
    for count in [0, 1, 2, 500] {
        let rows = shown(file((0..count).map(served)));
        assert_eq!(rows, (0..count).map(shown_served).collect::<Vec<_>>());
        let rows = shown(file((0..count).map(action)));
        assert_eq!(rows, (0..count).map(shown_action).collect::<Vec<_>>());
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
    assert_eq!(shown(file), (0..count).map(shown_action).collect::<Vec<_>>());
}

#[test]
fn a_damaged_file_is_an_error() {
    let whole = file((0..10).map(served));
    for len in 0..whole.len() {
        assert!(first(whole[..len].to_vec(), 10).is_err(), "cut to {len}");
    }
}
