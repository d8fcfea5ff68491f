//! Hostile bytes are refused; good ones round-trip.

use super::*;

#[test]
fn a_length_that_lies_is_refused_before_allocation() {
    let hostile = u64::MAX.to_le_bytes();
    assert!(matches!(decode::<Vec<u8>>(&hostile), Err(CodecError::Decode { .. })));
    let large = (MAX_MESSAGE as u64 + 1).to_le_bytes();
    assert!(matches!(decode::<Vec<u64>>(&large), Err(CodecError::Decode { .. })));
}

#[test]
fn trailing_bytes_are_refused() {
    assert!(matches!(
        decode::<u8>(&[1, 2]),
        Err(CodecError::Trailing { extra: 1, .. })
    ));
}

#[test]
fn values_behind_each_other_are_read_one_by_one() {
    let bytes = [encode(&7u16).expect("small"), encode(&8u32).expect("small")].concat();
    let (first, rest) = decode_prefix::<u16>(&bytes).expect("the first");
    assert_eq!((first, rest), (7, &bytes[2..]));
    assert!(matches!(decode_prefix::<u32>(rest), Ok((8, []))));
    assert!(decode_prefix::<u64>(rest).is_err());
}

#[test]
fn a_newer_version_names_the_way_out() {
    let bytes = encode_versioned(2, &7u32).expect("small");
    assert_eq!(decode_versioned::<u32>(2, &bytes).ok(), Some(7));
    let error = decode_versioned::<u32>(1, &bytes).expect_err("too new");
    assert!(error.to_string().contains("upgrade"), "{error}");
    assert!(decode_versioned::<u32>(1, &[]).is_err());
}

#[test]
fn integers_are_fixed_width_little_endian() {
    assert_eq!(encode(&(1u16, 2u32)).expect("small"), [1, 0, 2, 0, 0, 0]);
}
