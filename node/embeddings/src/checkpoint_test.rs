//! A checkpoint beside a seal of the same tail.

use covey_ann::Metric;

use super::*;
use crate::fixture::{Fixture, small_options};

#[test]
fn a_checkpoint_begun_before_a_seal_and_run_after_it_leaves_the_sealed_files_whole() {
    let mut fixture = Fixture::new(8, Metric::Cosine, small_options());
    (1..=65).for_each(|post| fixture.put(post, 1));
    let checkpoint = fixture.partition().begin_checkpoint();
    fixture.settle();
    assert_eq!(checkpoint.run().unwrap(), 65);
    assert_eq!(fixture.open().unwrap().durable_rows, 65);
    assert_eq!(fixture.settle(), [], "nothing is built again");
    fixture.check_exact(65);
}

#[test]
fn a_flush_of_a_tail_whose_files_are_sealed_makes_no_folder() {
    let mut fixture = Fixture::new(8, Metric::Cosine, small_options());
    fixture.put(1, 1);
    let shared = Arc::clone(&fixture.partition().shared);
    let tail = Arc::clone(&fixture.partition().active);
    *tail.files.lock() = Files::Sealed;
    flush(&shared, &tail, 1).unwrap();
    assert_eq!(tail.durable(), 0);
    assert!(!shared.env.disk.exists(&tail.folder.dir(&shared.dir)).unwrap());
}
