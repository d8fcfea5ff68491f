//! Nothing is forgotten before it is delivered.

use covey_shared::command::Effect;
use covey_shared::ids::{NodeId, UserId};

use super::*;

fn layout() -> Layout {
    Layout::fixed(4, 1, &[NodeId(1)])
}

fn item(source: u16, sequence: u64, user: u64) -> OutboxItem {
    let effect = Effect::CountFollower {
        user: UserId(user),
        delta: 1,
    };
    OutboxItem {
        source: Slot(source),
        sequence,
        effect,
    }
}

#[test]
fn parts_keep_their_order_and_lose_nothing() {
    let page: Vec<OutboxItem> = (1..100).map(|n| item((n % 3) as u16, n, n * 7)).collect();
    let parts = by_destination(&layout(), &page);
    assert_eq!(parts.values().map(Vec::len).sum::<usize>(), page.len());
    assert!(
        parts
            .values()
            .all(|p| p.windows(2).all(|w| w[0].sequence < w[1].sequence))
    );
}

#[test]
fn a_slot_is_trimmed_only_up_to_its_first_undelivered_item() {
    let layout = layout();
    let page: Vec<OutboxItem> = (1..50).map(|n| item(5, n, n * 7)).collect();
    let parts = by_destination(&layout, &page);
    let all: Vec<ShardId> = parts.keys().copied().collect();
    assert_eq!(
        delivered(&layout, &page, &all),
        [OutboxMark {
            source: Slot(5),
            sequence: 49
        }]
    );
    let (failed, part) = parts.iter().next().expect("some destination");
    let acknowledged: Vec<ShardId> = all.iter().copied().filter(|s| s != failed).collect();
    let first_lost = part[0].sequence;
    let marks = delivered(&layout, &page, &acknowledged);
    match first_lost {
        1 => assert!(marks.is_empty()),
        n => assert_eq!(
            marks,
            [OutboxMark {
                source: Slot(5),
                sequence: n - 1
            }]
        ),
    }
    assert!(delivered(&layout, &page, &[]).is_empty());
}
