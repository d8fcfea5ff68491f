//! What a partition counts of itself.

use covey_ann::Metric;

use crate::PartitionOptions;
use crate::fixture::Fixture;
use crate::row::{RECORD, RowRecord};

const POSTS: u64 = 1000;

#[test]
fn every_part_is_counted_where_it_is_and_goes_when_it_goes() {
    let options = PartitionOptions {
        min_train_rows: 256,
        min_recall: 0.0,
        recall_queries: 10,
        ..PartitionOptions::default()
    };
    let mut fixture = Fixture::new(32, Metric::InnerProduct, options);
    let memory = |fixture: &mut Fixture| fixture.partition().reader().memory();
    let empty = memory(&mut fixture);
    assert_eq!((empty.records, empty.mapped, empty.locator), (0, 0, 0));
    for post in 1..=POSTS {
        fixture.put(post, 1);
    }
    let unsealed = memory(&mut fixture);
    let row = 32 * 2 + size_of::<RowRecord>() as u64;
    assert!(unsealed.tail >= empty.tail + POSTS * row, "{unsealed:?}");
    assert!(unsealed.locator >= POSTS * 24 && unsealed.mapped == 0, "{unsealed:?}");
    fixture.partition().seal();
    fixture.settle();
    let sealed = memory(&mut fixture);
    assert!(sealed.tail <= empty.tail, "{sealed:?}");
    assert_eq!(sealed.records, POSTS * size_of::<RowRecord>() as u64);
    assert!(size_of::<RowRecord>() >= RECORD);
    assert_eq!(sealed.mapped, 4096 + POSTS * 64);
    assert!(sealed.index >= POSTS * 8, "its lists have a number per row: {sealed:?}");
    fixture.open().unwrap();
    let reopened = memory(&mut fixture);
    assert_eq!(
        (reopened.records, reopened.mapped, reopened.index),
        (sealed.records, sealed.mapped, sealed.index)
    );
    for post in 1..=POSTS {
        fixture.delete(post);
    }
    fixture.settle();
    let gone = memory(&mut fixture);
    assert_eq!((gone.records, gone.mapped, gone.index), (0, 0, 0));
}
