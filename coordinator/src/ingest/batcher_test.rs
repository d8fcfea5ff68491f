//! Batches per shard and kind, bounded in items, bytes, queue and time.

use covey_shared::command::PostDelete;
use covey_shared::ids::{PostId, PostKey, UserId, Version};
use covey_shared::model::{Post, UserUpdate};

use super::*;

fn limits() -> BatchLimits {
    BatchLimits {
        items: 3,
        bytes: 10_000,
        linger: Duration::from_millis(2),
        served_linger: Duration::from_secs(1),
        queue: 20,
    }
}

fn at(ms: u64) -> Monotonic {
    Monotonic(Duration::from_millis(ms))
}

fn delete(post: u64) -> Queued {
    let key = PostKey {
        author: UserId(1),
        post: PostId(post),
    };
    queued(WriteItem::DeletePost(PostDelete {
        key,
        version: Version(1),
    }))
}

fn queued(item: WriteItem) -> Queued {
    Queued {
        item,
        ticket: Some(Ticket { request: 1, index: 0 }),
        deadline: at(1000),
    }
}

fn sizes(batches: &[Batch]) -> Vec<usize> {
    batches.iter().map(|b| b.items.len()).collect()
}

const SHARD: ShardId = ShardId(1);

#[test]
fn idle_lane_waits_for_the_linger_time() {
    let mut batcher = Batcher::new(limits());
    assert!(batcher.push(SHARD, delete(1), at(10)));
    assert!(batcher.push(SHARD, delete(2), at(11)));
    assert!(batcher.due(at(11)).is_empty());
    assert_eq!(batcher.next_due(), Some(at(12)));
    assert_eq!(sizes(&batcher.due(at(12))), [2]);
    assert_eq!(batcher.next_due(), None);
}

#[test]
fn full_batch_goes_at_once_and_in_order() {
    let mut batcher = Batcher::new(limits());
    for post in 1..=7 {
        assert!(batcher.push(SHARD, delete(post), at(10)));
    }
    let batches = batcher.due(at(10));
    assert_eq!(sizes(&batches), [3, 3]);
    assert_eq!(batches[1].items[0], delete(4));
    assert!(
        batcher.due(at(1000)).is_empty(),
        "what is not full waits for a batch to end"
    );
    batcher.ended(batches[0].lane);
    batcher.ended(batches[1].lane);
    assert_eq!(sizes(&batcher.due(at(1000))), [1]);
}

#[test]
fn batches_on_the_way_are_bounded_per_lane() {
    let mut batcher = Batcher::new(limits());
    for post in 1..=20 {
        assert!(batcher.push(SHARD, delete(post), at(0)));
    }
    let batches = batcher.due(at(0));
    assert_eq!(batches.len(), LANE_WINDOW);
    batcher.ended(batches[0].lane);
    assert_eq!(batcher.due(at(0)).len(), 1);
}

#[test]
fn kinds_and_shards_do_not_mix() {
    let mut batcher = Batcher::new(limits());
    assert!(batcher.push(SHARD, delete(1), at(0)));
    assert!(batcher.push(ShardId(2), delete(2), at(0)));
    let user = UserUpdate {
        user: UserId(1),
        ..UserUpdate::default()
    };
    assert!(batcher.push(SHARD, queued(WriteItem::PutUser(user)), at(0)));
    assert_eq!(sizes(&batcher.due(at(5))), [1, 1, 1]);
}

#[test]
fn large_items_make_small_batches_and_one_too_large_goes_alone() {
    let mut batcher = Batcher::new(limits());
    let post = |bytes: usize| {
        queued(WriteItem::PutPost(Post {
            text: "x".repeat(bytes),
            ..Post::default()
        }))
    };
    for bytes in [6000, 6000, 50_000, 10] {
        assert!(batcher.push(SHARD, post(bytes), at(0)));
    }
    assert_eq!(sizes(&batcher.due(at(0))), [1, 1, 1]);
}

#[test]
fn full_lane_takes_no_more() {
    let mut batcher = Batcher::new(limits());
    for post in 1..=20 {
        assert!(batcher.push(SHARD, delete(post), at(0)));
    }
    assert!(!batcher.push(SHARD, delete(21), at(0)));
}
