//! The arranger.

use crate::testing::{Fake, Outcomes, Post, Query, World, ids, posts};
use crate::{Arranger, Limits, Stage, Status};

type Order = fn(&[Post]) -> Vec<usize>;

struct Arrange(Order);

impl Arranger<Query, Post> for Arrange {
    fn name(&self) -> &'static str {
        "arranger"
    }
    fn enable(&self, query: &Query) -> bool {
        !query.off.contains("arranger")
    }
    fn arrange(&self, _: &Query, slate: &mut [Post], size: usize) -> Vec<usize> {
        for post in slate.iter_mut() {
            post.tags.push(("arranger", size));
        }
        (self.0)(slate)
    }
}

/// Slate of 5 out of 1..=12, result size 3.
fn run(order: Order, off: &[&'static str], filter: impl Fn(Fake) -> Fake) -> Outcomes {
    let world = World::default();
    let mut list = world.finding(5, posts(1..13));
    list.post_filters.push(Box::new(filter(world.fake("filter"))));
    list.arranger = Some(Box::new(Arrange(order)));
    let limits = Limits {
        result_size: 3,
        ..Limits::default()
    };
    let mut request = world.request();
    request.query.off = off.iter().copied().collect();
    world.run_with(list, limits, request)
}

#[test]
fn the_page_is_in_the_order_of_the_arranger_and_the_rest_leads_the_reserve() {
    let outcome = run(|_| vec![4, 0, 2], &[], |f| f).expect("nothing fails");
    assert_eq!(ids(outcome.selected.iter()), [5, 1, 3]);
    assert_eq!(ids(outcome.reserve.iter()), [2, 4, 6, 7, 8, 9, 10, 11, 12]);
    assert_eq!(outcome.selected[0].tags, [("arranger", 3)], "it left its mark");
    let entry = outcome.report.of("arranger").next().expect("it ran");
    assert_eq!((entry.stage, entry.input, entry.output), (Stage::Arranger, 5, 3));
    assert_eq!(outcome.report.backfill_rounds, 0);
}

#[test]
fn it_can_neither_bring_back_what_a_filter_removed_nor_show_anything_twice() {
    let order: Order = |slate| [7, 0, 0].into_iter().chain(0..slate.len()).chain([1, 99]).collect();
    let outcome = run(order, &[], |f| f.removes([1, 3], "listed")).expect("nothing fails");
    assert_eq!(ids(outcome.selected.iter()), [2, 4, 5]);
    assert_eq!(outcome.removed.len(), 2);
    let all = outcome.selected.len() + outcome.reserve.len() + outcome.removed.len();
    assert_eq!(all, 12, "each candidate is in exactly one list");
}

#[test]
fn what_it_leaves_out_is_made_up_for_by_backfill() {
    let even: Order = |slate| (0..slate.len()).filter(|i| slate[*i].id.is_multiple_of(2)).collect();
    let outcome = run(even, &[], |f| f).expect("nothing fails");
    // 2 and 4 of the first five; 6 is the next.
    assert_eq!(ids(outcome.selected.iter()), [2, 4, 6]);
    assert_eq!(ids(outcome.reserve.iter()), [1, 3, 5, 7, 8, 9, 10, 11, 12]);
    let inputs: Vec<_> = outcome.report.of("arranger").map(|e| (e.round, e.input)).collect();
    assert_eq!(inputs, [(0, 5), (1, 6)]);
    let none = run(|_| Vec::new(), &[], |f| f).expect("an empty page is no error");
    assert!(none.selected.is_empty());
    assert_eq!(none.report.backfill_rounds, 3, "rounds stay bounded");
    assert_eq!(ids(none.reserve.iter()), (1..13).collect::<Vec<_>>());
}

#[test]
fn switched_off_it_is_not_called() {
    let outcome = run(|_| vec![4], &["arranger"], |f| f).expect("nothing fails");
    assert_eq!(ids(outcome.selected.iter()), [1, 2, 3]);
    assert!(outcome.selected[0].tags.is_empty());
    let entry = outcome.report.of("arranger").next().expect("it is reported");
    assert_eq!(entry.status, Status::Disabled);
}
