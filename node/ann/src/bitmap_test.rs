//! Tests of the bitmap.

use super::*;

#[test]
fn bits_are_set_cleared_counted_and_listed() {
    let mut bitmap = Bitmap::from_fn(130, |i| i % 3 == 0);
    bitmap.clear(0);
    bitmap.set(128);
    let expected: Vec<usize> = (1..130).filter(|i| i % 3 == 0 || *i == 128).collect();
    assert_eq!(bitmap.ones().collect::<Vec<_>>(), expected);
    assert_eq!(bitmap.count(), expected.len());
    assert!(bitmap.get(129) && !bitmap.get(127) && !bitmap.get(1000));
    assert_eq!(Bitmap::zeros(0).ones().count(), 0);
}

#[test]
#[should_panic(expected = "bit 64 of 64")]
fn setting_beyond_the_end_is_a_broken_invariant() {
    Bitmap::zeros(64).set(64);
}

#[test]
fn words_are_cut_to_the_length() {
    let bitmap = Bitmap::from_words(vec![u64::MAX; 3], 70);
    assert_eq!(bitmap.count(), 70);
    assert_eq!(Bitmap::from_words(vec![], 70).count(), 0);
    assert_eq!(Bitmap::from_words(vec![u64::MAX], 64).count(), 64);
}
