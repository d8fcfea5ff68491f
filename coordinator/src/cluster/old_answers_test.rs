//! Old answers are remembered for a moment, or until there is a fresh one.

use super::*;

#[test]
fn who_was_old_is_known_for_a_moment_or_until_it_is_fresh_again() {
    let (old, now) = (OldAnswers::default(), Monotonic(Duration::from_secs(5)));
    let (shard, other) = (ShardId(3), ShardId(4));
    old.learn(
        &[
            (shard, NodeId(1), true),
            (shard, NodeId(2), true),
            (other, NodeId(1), false),
        ],
        now,
    );
    assert_eq!(old.all(now), [(shard, NodeId(1)), (shard, NodeId(2))]);
    old.learn(&[(shard, NodeId(2), false)], now);
    assert_eq!(old.all(now), [(shard, NodeId(1))]);
    let later = now.plus(REMEMBERED);
    assert_eq!(old.all(later), [], "it may try again");
    old.learn(&[(other, NodeId(1), true)], later);
    assert_eq!(old.until.lock().len(), 1, "what is over is forgotten");
}
