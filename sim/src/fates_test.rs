//! A thing is steady only while nobody changes it.

use super::*;

#[test]
fn what_is_changed_meanwhile_is_not_steady() {
    let mut fates = Fates::default();
    let nothing = fates.clone();
    assert_eq!(fates.steady(&nothing, 1), Some(false));
    fates.ask(1, Version(4), true);
    let asked = fates.clone();
    assert_eq!(fates.steady(&nothing, 1), None);
    assert_eq!(fates.steady(&asked, 1), None, "nobody knows whether it was done");
    fates.acknowledge(1, Version(4));
    assert_eq!(fates.steady(&asked, 1), None, "it was done meanwhile");
    let done = fates.clone();
    assert_eq!(fates.steady(&done, 1), Some(true));
    fates.ask(1, Version(5), false);
    assert_eq!(fates.steady(&done, 1), None);
}

#[test]
fn a_lower_version_changes_nothing() {
    let mut fates = Fates::default();
    fates.ask(1, Version(4), true);
    fates.acknowledge(1, Version(4));
    let before = fates.clone();
    fates.ask(1, Version(3), false);
    fates.acknowledge(1, Version(3));
    assert_eq!(fates.steady(&before, 1), Some(true));
    assert_eq!(fates.keys().collect::<Vec<_>>(), [1]);
}
