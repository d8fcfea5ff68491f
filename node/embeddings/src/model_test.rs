//! Random orders of everything that can happen to a partition, against a map.

use covey_ann::Metric;
use proptest::prelude::*;

use crate::fixture::{Fixture, small_options};
use crate::{PartitionOptions, SearchRequest};

#[derive(Debug, Clone)]
enum Event {
    Put(u64),
    PutMany(u64, u8),
    Delete(u64),
    DeleteMany(u64, u8),
    Seal,
    Step,
    Checkpoint,
    Crash,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => (1..60_u64).prop_map(Event::Put),
        4 => (1..60_u64, 1..30_u8).prop_map(|(post, count)| Event::PutMany(post, count)),
        3 => (1..60_u64).prop_map(Event::Delete),
        2 => (1..60_u64, 1..30_u8).prop_map(|(post, count)| Event::DeleteMany(post, count)),
        2 => Just(Event::Seal),
        6 => Just(Event::Step),
        2 => Just(Event::Checkpoint),
        1 => Just(Event::Crash),
    ]
}

/// The fixture's posts are the caller's LSM; `pending` its PENDING_ROW keys.
struct Model {
    fixture: Fixture,
    pending: Vec<u64>,
    version: u64,
}

impl Model {
    fn apply(&mut self, event: &Event) {
        match *event {
            Event::Put(post) => self.put(post),
            Event::PutMany(post, count) => (post..post + u64::from(count)).for_each(|post| self.put(post)),
            Event::Delete(post) => self.fixture.delete(post),
            Event::DeleteMany(post, count) => {
                (post..post + u64::from(count)).for_each(|post| self.fixture.delete(post));
            }
            Event::Seal => self.fixture.partition().seal(),
            Event::Step => drop(self.fixture.partition().maintainer().step().unwrap()),
            Event::Checkpoint => {
                self.fixture.partition().checkpoint().unwrap();
                self.pending.clear();
            }
            Event::Crash => self.crash(),
        }
    }

    fn put(&mut self, post: u64) {
        self.version += 1;
        self.fixture.put(post, self.version);
        self.pending.push(post);
    }

    fn crash(&mut self) {
        self.fixture.open().unwrap();
        for post in &self.pending {
            if let Some((meta, row)) = self.fixture.posts.get(post).cloned() {
                self.fixture.partition().append(meta, &row).unwrap();
            }
        }
    }

    fn check(&mut self) {
        let expected = self.fixture.posts.len();
        let reader = self.fixture.partition().reader();
        assert_eq!(reader.view().live_rows(), expected);
        assert_eq!(reader.status().live_rows, expected as u64);
        self.fixture.check_exact(7);
        self.fixture.check_exact(200);
        assert_eq!(
            self.fixture.recall(1, &SearchRequest::nearest(1)),
            f64::from(u8::from(expected > 0))
        );
        let mut seen = 0;
        reader.view().for_each_live(|meta, row| {
            assert_eq!(self.fixture.posts[&meta.post.0], (*meta, row.to_vec()));
            seen += 1;
            true
        });
        assert_eq!(seen, expected);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_order_of_events_agrees_with_the_model(events in prop::collection::vec(event(), 1..60)) {
        let options = PartitionOptions { seal_rows: 16, max_segment_rows: 100, ..small_options() };
        let fixture = Fixture::new(8, Metric::L2, options);
        let mut model = Model { fixture, pending: Vec::new(), version: 0 };
        for event in &events {
            model.apply(event);
            model.check();
        }
        model.crash();
        model.check();
    }
}
