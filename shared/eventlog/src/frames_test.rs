//! Frames: what is whole is read, what is torn is not, and what is damaged is told apart from it.

use super::{Frame, FrameError, VERSION, checksum, rows, scan};
use crate::rows::ServedRow;
use crate::rows::testing::served;

/// Three frames of two batches each, and where they end.
fn three() -> (Vec<u8>, Vec<usize>) {
    let mut file = Vec::new();
    let mut ends = Vec::new();
    for i in 0..3 {
        let mut frame = Frame::default();
        frame.push(&vec![served(i), served(10 + i)]).unwrap();
        frame.push(&vec![served(20 + i)]).unwrap();
        file.extend(frame.bytes());
        ends.push(file.len());
    }
    (file, ends)
}

#[test]
fn rows_are_read_back() {
    let (file, ends) = three();
    let bodies = scan(&file).unwrap();
    assert_eq!(bodies.iter().map(|body| body.end).collect::<Vec<_>>(), ends);
    let second: Vec<ServedRow> = rows(&file[bodies[1].clone()]).unwrap();
    assert_eq!(second, [served(1), served(11), served(21)]);
}

#[test]
fn a_file_cut_anywhere_keeps_its_whole_frames() {
    let (file, ends) = three();
    for len in 0..=file.len() {
        let whole = ends.iter().filter(|end| **end <= len).count();
        assert_eq!(scan(&file[..len]).unwrap().len(), whole, "cut to {len}");
    }
}

#[test]
fn a_flipped_bit_in_the_last_frame_tears_it_and_in_another_one_is_damage() {
    let (file, ends) = three();
    for bit in 0..file.len() * 8 {
        let mut damaged = file.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        let before = ends.iter().filter(|end| **end <= bit / 8).count();
        match scan(&damaged) {
            Ok(whole) => assert_eq!((before, whole.len()), (2, 2), "bit {bit}"),
            Err(FrameError::Damaged { at, next }) => {
                let begin = if before == 0 { 0 } else { ends[0] };
                assert_eq!((at, next), (begin, ends[before]), "bit {bit}");
            }
            Err(error) => panic!("bit {bit}: {error}"),
        }
    }
}

#[test]
fn zeros_of_a_lost_write_are_no_frame() {
    assert_eq!(scan(&[0; 64]).unwrap(), []);
}

#[test]
fn rows_of_another_release_are_not_taken_for_rows_of_this_one() {
    // No rows at all are the same bytes in every format.
    for other in (0..VERSION).chain([VERSION + 1, 9]) {
        let body = [&other.to_le_bytes()[..], &[0; 8]].concat();
        let error = rows::<ServedRow>(&body).unwrap_err();
        assert!(
            matches!(error, FrameError::Version { found } if found == other),
            "{error}"
        );
    }
    assert!(rows::<ServedRow>(&[]).is_err());
}

#[test]
fn the_bytes_of_a_frame_are_these() {
    let mut frame = Frame::default();
    assert_eq!((frame.len(), frame.bytes().len()), (0, 0));
    frame.push(&Vec::<ServedRow>::new()).unwrap();
    let body = [3, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let crc = checksum(&[10, 0, 0, 0], &body).to_le_bytes();
    assert_eq!(frame.bytes(), [&[10, 0, 0, 0], &crc[..], &body].concat());
}
