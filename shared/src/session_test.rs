//! A token only ever moves forward.

use super::*;

fn seen(shard: u64, index: u64) -> Seen {
    Seen {
        shard: ShardId(shard),
        range_ver: 1,
        index: LogIndex(index),
    }
}

#[test]
fn an_older_observation_changes_nothing() {
    let mut token = SessionToken::default();
    token.observe(seen(2, 10));
    token.observe(seen(1, 5));
    token.observe(seen(2, 9));
    assert_eq!(token.min_index(ShardId(2)), LogIndex(10));
    assert_eq!(token.min_index(ShardId(1)), LogIndex(5));
    assert_eq!(token.min_index(ShardId(3)), LogIndex(0));
}

#[test]
fn merge_takes_the_later_of_both() {
    let (mut a, mut b) = (SessionToken::default(), SessionToken::default());
    a.observe(seen(1, 5));
    b.observe(seen(1, 7));
    b.observe(seen(2, 1));
    a.merge(&b);
    assert_eq!(
        (a.min_index(ShardId(1)), a.min_index(ShardId(2))),
        (LogIndex(7), LogIndex(1))
    );
}
