//! Nothing is forgotten before it is delivered, and nobody is overtaken.

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

fn mark(source: u16, sequence: u64) -> OutboxMark {
    OutboxMark {
        source: Slot(source),
        sequence,
    }
}

#[test]
fn parts_keep_their_order_and_lose_nothing() {
    let page: Vec<OutboxItem> = (1..100).map(|n| item((n % 3) as u16, n, n * 7)).collect();
    let parts = Delivery::default().parts(&layout(), &page);
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
    let parts = Delivery::default().parts(&layout, &page);
    let all: Vec<ShardId> = parts.keys().copied().collect();
    let marks = |acknowledged: &[ShardId]| {
        let mut delivery = Delivery::default();
        delivery.settle(&layout, &page, acknowledged);
        delivery.marks()
    };
    assert_eq!(marks(&all), [mark(5, 49)]);
    assert!(marks(&[]).is_empty());
    for (failed, part) in &parts {
        let others: Vec<ShardId> = all.iter().copied().filter(|s| s != failed).collect();
        match part[0].sequence {
            1 => assert!(marks(&others).is_empty()),
            first => assert_eq!(marks(&others), [mark(5, first - 1)]),
        }
    }
}

#[test]
fn a_failed_destination_gets_nothing_more_and_holds_nobody_up() {
    let layout = layout();
    let (first, second): (Vec<_>, Vec<_>) = (1..100).map(|n| item(5, n, n * 7)).partition(|i| i.sequence < 50);
    let mut delivery = Delivery::default();
    let parts = delivery.parts(&layout, &first);
    let failed = *parts.keys().next().expect("some destination");
    let others: Vec<ShardId> = parts.keys().copied().filter(|s| *s != failed).collect();
    delivery.settle(&layout, &first, &others);
    assert_eq!(delivery.read(), Some((Slot(5), 49)), "the next page goes on");
    let marks = delivery.marks();
    let parts = delivery.parts(&layout, &second);
    assert!(!parts.contains_key(&failed) && !parts.is_empty());
    delivery.settle(&layout, &second, &others);
    assert_eq!(delivery.marks(), marks, "what lies behind the gap is not forgotten");
}

#[test]
fn what_has_arrived_is_not_sent_again_however_long_another_destination_is_away() {
    let layout = layout();
    let items: Vec<OutboxItem> = (1..2_000).map(|n| item((n % 3) as u16, n, n * 7)).collect();
    let mut delivery = Delivery::default();
    let away = *delivery.parts(&layout, &items).keys().next().expect("some destination");
    let mut sent: BTreeMap<ShardId, Vec<u64>> = BTreeMap::new();
    let mut round = |delivery: &mut Delivery, reachable: &dyn Fn(ShardId) -> bool| {
        delivery.begin();
        for page in items.chunks(100) {
            let parts = delivery.parts(&layout, page);
            let arrived: Vec<ShardId> = parts.keys().copied().filter(|to| reachable(*to)).collect();
            for to in &arrived {
                sent.entry(*to)
                    .or_default()
                    .extend(parts[to].iter().map(|i| i.sequence));
            }
            delivery.settle(&layout, page, &arrived);
        }
        delivery.marks()
    };
    let held_up = round(&mut delivery, &|to| to != away);
    assert_eq!(round(&mut delivery, &|to| to != away), held_up);
    let whole = round(&mut delivery, &|_| true);
    assert_eq!(whole, [mark(0, 1998), mark(1, 1999), mark(2, 1997)]);
    let mut all: Vec<u64> = sent.values().flatten().copied().collect();
    assert!(sent.values().all(|part| part.is_sorted()), "nobody is overtaken");
    all.sort_unstable();
    assert!(all.into_iter().eq(1..2_000), "each item arrives once");
}
