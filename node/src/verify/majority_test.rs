//! Only what most members found condemns another one.

use super::*;

#[test]
fn all_equal_needs_all_answers() {
    assert_eq!(judge(&[Some(7), Some(7), Some(7)]), Finding::Equal);
    assert_eq!(judge(&[Some(7), Some(7), None]), Finding::Most(7));
}

#[test]
fn one_that_differs_is_outvoted_whoever_it_is() {
    for odd in 0..3 {
        let mut hashes = [Some(7); 3];
        hashes[odd] = Some(8);
        assert_eq!(judge(&hashes), Finding::Most(7));
    }
}

#[test]
fn without_a_majority_nobody_is_condemned() {
    assert_eq!(judge(&[Some(7), Some(8)]), Finding::Split);
    assert_eq!(judge(&[Some(7), Some(8), Some(9)]), Finding::Split);
    assert_eq!(judge(&[Some(7), Some(8), None]), Finding::Open);
    assert_eq!(judge(&[Some(7), None, None]), Finding::Open);
    assert_eq!(judge(&[None, None]), Finding::Open);
    assert_eq!(judge(&[Some(7), Some(7), Some(8), Some(8)]), Finding::Split);
}
