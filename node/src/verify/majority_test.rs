//! Only what most members found, each for itself, condemns another one.

use super::*;

fn own(hash: u64) -> Option<ReplicaHash> {
    Some(ReplicaHash { hash, copy: false })
}

fn copy(hash: u64) -> Option<ReplicaHash> {
    Some(ReplicaHash { hash, copy: true })
}

#[test]
fn all_equal_needs_all_answers() {
    assert_eq!(judge(&[own(7), own(7), own(7)]), Finding::Equal(7));
    assert_eq!(judge(&[own(7), copy(7), copy(7)]), Finding::Equal(7));
    assert_eq!(judge(&[own(7), own(7), None]), Finding::Most(7));
}

#[test]
fn one_that_differs_is_outvoted_whoever_it_is() {
    for odd in 0..3 {
        let mut hashes = [own(7); 3];
        hashes[odd] = own(8);
        assert_eq!(judge(&hashes), Finding::Most(7));
    }
    assert_eq!(judge(&[own(7), own(7), copy(8)]), Finding::Most(7));
}

#[test]
fn a_copy_does_not_help_its_source_to_condemn_another() {
    assert_eq!(judge(&[own(7), own(8), copy(8)]), Finding::Split);
    assert_eq!(judge(&[own(7), copy(8), copy(8)]), Finding::Split);
}

#[test]
fn without_a_majority_nobody_is_condemned() {
    assert_eq!(judge(&[own(7), own(8)]), Finding::Split);
    assert_eq!(judge(&[own(7), own(8), own(9)]), Finding::Split);
    assert_eq!(judge(&[own(7), own(8), None]), Finding::Open);
    assert_eq!(judge(&[own(7), copy(7), None]), Finding::Open);
    assert_eq!(judge(&[own(7), None, None]), Finding::Open);
    assert_eq!(judge(&[None, None]), Finding::Open);
    assert_eq!(judge(&[own(7), own(7), own(8), own(8)]), Finding::Split);
}
