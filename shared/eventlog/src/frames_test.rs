//! Frames: what is whole is read, what is torn is not, and what is damaged is told apart from it.

use super::{Frame, FrameError, HEADER, Header, MAGIC, VERSION, rows, scan};
use crate::rows::testing::{action, served};
use crate::rows::{ActionRow, ServedRow};

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
fn a_lost_sector_before_the_last_frame_is_damage_however_little_of_that_is_left() {
    let (file, ends) = three();
    for len in ends[1] + HEADER..=file.len() {
        let mut damaged = file[..len].to_vec();
        damaged[ends[0]..ends[0] + 100].fill(0);
        let error = scan(&damaged).unwrap_err();
        assert!(
            matches!(error, FrameError::Damaged { at, next } if (at, next) == (ends[0], ends[1])),
            "cut to {len}: {error}"
        );
    }
}

#[test]
fn zeros_of_a_lost_write_are_no_frame() {
    assert_eq!(scan(&[0; 64]).unwrap(), []);
    let (file, ends) = three();
    let zeros = [&file[..], &[0; 64]].concat();
    assert_eq!(scan(&zeros).unwrap().last().unwrap().end, ends[2]);
    // Of the first write a sector is there, and not the one before it.
    let mut second_sector = file[..ends[0]].to_vec();
    second_sector[..100].fill(0);
    assert_eq!(scan(&second_sector).unwrap(), []);
}

/// Bytes by chance, among them every 50th or so a magic, and some that begin a header.
fn noise(seed: &mut u64, len: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while bytes.len() < len {
        *seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        match *seed >> 58 {
            0 => bytes.extend(MAGIC),
            1 => bytes.extend([&MAGIC[..], &VERSION.to_le_bytes(), &[9, 0, 0, 0]].concat()),
            _ => bytes.push((*seed >> 33) as u8),
        }
    }
    bytes.truncate(len);
    bytes
}

#[test]
fn random_bytes_are_torn_behind_the_last_frame_damage_before_it_and_in_a_file_of_their_own_nobodys() {
    let (file, ends) = three();
    let mut seed = 7;
    for case in 0..500 {
        let noise = noise(&mut seed, 1 + case);
        let behind = scan(&[&file[..], &noise].concat()).unwrap();
        assert_eq!(behind.len(), 3, "case {case}");
        let mut damaged = file.clone();
        let at = (case * 31) % (ends[1] - 1);
        let len = noise.len().min(ends[1] - at);
        damaged[at..at + len].copy_from_slice(&noise[..len]);
        if damaged != file {
            let error = scan(&damaged).unwrap_err();
            assert!(matches!(error, FrameError::Damaged { .. }), "case {case}: {error}");
        }
        let own = scan(&[b"x", &noise[..]].concat()).unwrap_err();
        assert!(matches!(own, FrameError::Foreign), "case {case}: {own}");
    }
}

/// A frame whose row holds a whole header: clients choose three of its numbers.
fn forged(header: &Header) -> Vec<u8> {
    let forged = header.encode();
    let number = |at: usize| u64::from_le_bytes(std::array::from_fn(|i| *forged.get(at + i).unwrap_or(&0)));
    let row = ActionRow {
        prediction_request_id: number(0),
        client: number(8),
        sequence: number(16),
        ..action(1)
    };
    let mut frame = Frame::default();
    frame.push(&vec![row]).unwrap();
    let frame = frame.bytes().to_vec();
    assert!(memchr::memmem::find(&frame[HEADER..], &forged).is_some());
    frame
}

#[test]
fn a_header_in_a_row_is_a_row_wherever_its_frame_is_torn() {
    let (file, _) = three();
    for version in [VERSION, VERSION + 1] {
        let header = Header {
            version,
            len: 0,
            body_crc: 0,
        };
        let frame = forged(&header);
        for len in 0..=frame.len() {
            let whole = if len == frame.len() { 4 } else { 3 };
            let torn = [&file[..], &frame[..len]].concat();
            assert_eq!(scan(&torn).unwrap().len(), whole, "cut to {len}");
        }
        let mut damaged = [&frame[..], &file].concat();
        damaged[frame.len() - 1] ^= 1;
        let error = scan(&damaged).unwrap_err();
        assert!(
            matches!(error, FrameError::Damaged { at: 0, next } if next == frame.len()),
            "{error}"
        );
    }
}

/// A frame of another format: nobody here knows what its body is.
fn frame_of(version: u16, body: &[u8]) -> Vec<u8> {
    let header = Header {
        version,
        len: body.len() as u32 + 3,
        body_crc: 0,
    };
    [&header.encode(), body].concat()
}

#[test]
fn rows_of_another_release_are_not_taken_for_rows_of_this_one_nor_for_a_torn_write() {
    let (ours, ends) = three();
    for other in (0..VERSION).chain([VERSION + 1, 9]) {
        // No rows at all are the same bytes in every format.
        let theirs = frame_of(other, &[0; 8]);
        let mut behind_damage = [&ours[..ends[0]], &theirs].concat();
        behind_damage[ends[0] - 1] ^= 1;
        let torn = &theirs[..HEADER];
        for file in [&theirs, torn, &[&ours, &theirs[..]].concat(), &behind_damage] {
            let error = scan(file).unwrap_err();
            assert!(
                matches!(error, FrameError::Version { found } if found == other),
                "{error}"
            );
        }
    }
}

#[test]
fn a_file_of_a_format_without_magic_is_nobodys() {
    let body = [3, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let crc = crc32c::crc32c(&[&[10, 0, 0, 0], &body[..]].concat()).to_le_bytes();
    let file = [&[10, 0, 0, 0], &crc[..], &body].concat();
    assert!(matches!(scan(&file), Err(FrameError::Foreign)));
}

#[test]
fn the_bytes_of_a_frame_are_these() {
    let mut frame = Frame::default();
    assert_eq!((frame.len(), frame.bytes().len()), (0, 0));
    frame.push(&Vec::<ServedRow>::new()).unwrap();
    let body_crc = crc32c::crc32c(&[0; 8]).to_le_bytes();
    let header = [b"COVEYEVT", &[4, 0, 8, 0, 0, 0][..], &body_crc].concat();
    let crc = crc32c::crc32c(&header).to_le_bytes();
    assert_eq!(frame.bytes(), [&header[..], &crc, &[0; 8]].concat());
}
