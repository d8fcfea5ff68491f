//! Plain, gzipped, broken and hostile inputs.

use std::io::{Cursor, Write};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;

fn lines(bytes: impl Into<Vec<u8>>) -> Vec<(u64, Result<String, String>)> {
    Lines::new(Box::new(Cursor::new(bytes.into()))).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn lines_are_numbered_and_lose_their_ends() {
    let got = lines("one\r\ntwo\n\nfour");
    let texts: Vec<_> = got.iter().map(|(n, l)| (*n, l.clone().unwrap())).collect();
    assert_eq!(
        texts,
        [
            (1, "one".into()),
            (2, "two".into()),
            (3, String::new()),
            (4, "four".into())
        ]
    );
}

#[test]
fn a_line_too_long_costs_one_row_and_no_memory() {
    let mut bytes = vec![b'x'; 3 * MAX_LINE];
    bytes.extend_from_slice(b"\nafter\n");
    let got = lines(bytes);
    assert!(got[0].1.as_ref().unwrap_err().contains("longer than"));
    assert_eq!(got[1], (2, Ok("after".into())));
}

#[test]
fn a_line_that_is_no_text_costs_one_row() {
    let got = lines(b"ok\n\xff\xfe\nok\n".to_vec());
    assert!(got[1].1.as_ref().unwrap_err().contains("UTF-8"));
    assert_eq!(got.len(), 3);
}

#[test]
fn gzip_is_recognised_by_content_and_counted_as_stored() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("rows.txt");
    let packed = gzip(b"one\ntwo\n");
    std::fs::write(&path, &packed).unwrap();
    let input = open(&path).unwrap();
    assert_eq!(Lines::new(input.reader).count(), 2);
    let Total::Bytes(length, read) = input.total else {
        panic!("a file has a length")
    };
    assert_eq!((length, read.get()), (packed.len() as u64, packed.len() as u64));
}

#[test]
fn a_gzip_that_breaks_off_is_one_bad_row_at_the_end() {
    let packed = gzip("some text that repeats\n".repeat(2_000).as_bytes());
    let cut = packed[..packed.len() / 2].to_vec();
    let reader = unpacked(Cursor::new(cut)).unwrap();
    let got: Vec<_> = Lines::new(reader).collect();
    let bad: Vec<_> = got.iter().filter(|(_, l)| l.is_err()).collect();
    assert_eq!(bad.len(), 1);
    assert!(got.last().unwrap().1.as_ref().unwrap_err().contains("breaks off"));
}

#[test]
fn a_missing_file_is_named() {
    let Err(error) = open(Path::new("/nowhere/at/all.csv")) else {
        panic!("there is no such file")
    };
    assert!(error.to_string().contains("/nowhere/at/all.csv"));
}
