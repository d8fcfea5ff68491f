//! Records run out by the minute.

use covey_shared::ids::{PostId, UserId};

use super::*;

#[test]
fn many_at_once_run_out_as_one_by_one() {
    let entry = |n: u64| {
        let (author, post) = (UserId(n % 7), PostId(n));
        (UnixMillis(n * 7919 % 600_000), PostKey { author, post })
    };
    let mut entries: Vec<(UnixMillis, PostKey)> = (0..500).map(entry).collect();
    entries.extend_from_within(..20);
    let (mut at_once, mut one_by_one) = (Expiry::of(entries.clone()), Expiry::default());
    for (at, key) in entries {
        one_by_one.push(at, key);
    }
    assert_eq!(at_once.first_ms(), one_by_one.first_ms());
    assert!(at_once.bytes() <= one_by_one.bytes());
    let all = UnixMillis(u64::MAX);
    while let Some(popped) = one_by_one.pop_before(all) {
        assert_eq!(at_once.pop_before(all), Some(popped));
    }
    assert_eq!((at_once.pop_before(all), at_once.bytes()), (None, 0));
}
