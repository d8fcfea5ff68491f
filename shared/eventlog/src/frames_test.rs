//! Frames: what is whole is read, what is torn is not.

use covey_shared::codec::CodecError;

use super::{FrameError, VERSION, append, checksum, rows, scan};
use crate::rows::ServedRow;
use crate::rows::testing::served;

fn three() -> (Vec<u8>, Vec<usize>) {
    let mut file = Vec::new();
    let mut ends = Vec::new();
    for i in 0..3 {
        append(&mut file, &vec![served(i), served(10 + i)]).unwrap();
        ends.push(file.len());
    }
    (file, ends)
}

#[test]
fn rows_are_read_back() {
    let (file, ends) = three();
    let bodies = scan(&file);
    assert_eq!(bodies.iter().map(|body| body.end).collect::<Vec<_>>(), ends);
    let second: Vec<ServedRow> = rows(&file[bodies[1].clone()]).unwrap();
    assert_eq!(second, [served(1), served(11)]);
}

#[test]
fn a_file_cut_anywhere_keeps_its_whole_frames() {
    let (file, ends) = three();
    for len in 0..=file.len() {
        let whole = ends.iter().filter(|end| **end <= len).count();
        assert_eq!(scan(&file[..len]).len(), whole, "cut to {len}");
    }
}

#[test]
fn a_flipped_bit_ends_the_file_before_its_frame() {
    let (file, ends) = three();
    for bit in 0..file.len() * 8 {
        let mut damaged = file.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        let before = ends.iter().filter(|end| **end <= bit / 8).count();
        assert_eq!(scan(&damaged).len(), before, "bit {bit}");
    }
}

#[test]
fn zeros_of_a_lost_write_are_no_frame() {
    assert_eq!(scan(&[0; 64]), []);
}

#[test]
fn rows_of_a_newer_release_are_named() {
    let body = [9, 0, 1, 2, 3];
    let error = rows::<ServedRow>(&body).unwrap_err();
    assert!(
        matches!(error, FrameError::Codec(CodecError::Version { found: 9, .. })),
        "{error}"
    );
}

#[test]
fn rows_of_an_older_release_are_not_taken_for_rows_of_this_one() {
    // No rows at all are the same bytes in every format.
    for found in 1..VERSION {
        let body = [&found.to_le_bytes()[..], &[0; 8]].concat();
        let error = rows::<ServedRow>(&body).unwrap_err();
        assert!(
            matches!(error, FrameError::Older { found: of } if of == found),
            "{error}"
        );
    }
}

#[test]
fn the_bytes_of_a_frame_are_these() {
    let mut file = Vec::new();
    append(&mut file, &Vec::<ServedRow>::new()).unwrap();
    let body = [2, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let crc = checksum([10, 0, 0, 0], &body).to_le_bytes();
    assert_eq!(file, [&[10, 0, 0, 0], &crc[..], &body].concat());
}
