//! What rots is noticed.

use super::*;

#[test]
fn a_record_is_read_again_and_a_damaged_or_newer_one_is_not() {
    let bytes = to_bytes(3, &(7_u64, 9_u64)).expect("two numbers");
    assert_eq!(from_bytes(3, &bytes), Some((7_u64, 9_u64)));
    assert_eq!(from_bytes::<(u64, u64)>(2, &bytes), None, "of a newer program");
    for at in 0..bytes.len() {
        let mut rotten = bytes.clone();
        rotten[at] ^= 1;
        assert_eq!(from_bytes::<(u64, u64)>(3, &rotten), None, "byte {at}");
        assert_eq!(from_bytes::<(u64, u64)>(3, &bytes[..at]), None, "cut at {at}");
    }
}
