//! The unbroken prefix.

use super::*;

#[test]
fn a_gap_holds_back_what_follows() {
    let mut prefix = Prefix::default();
    assert_eq!(prefix.finish(1, 'b'), []);
    assert_eq!(prefix.finish(2, 'c'), []);
    assert_eq!(prefix.len(), 0);
    assert_eq!(prefix.finish(0, 'a'), ['a', 'b', 'c']);
    assert_eq!(prefix.len(), 3);
}
