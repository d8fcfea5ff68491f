//! A checkpoint beside a seal of the same tail.

use covey_ann::Metric;

use super::*;
use crate::Partition;
use crate::fixture::{Fixture, env, small_options, space};
use crate::row::RowMeta;
use covey_env::Env;
use covey_shared::ids::{PostId, UserId, Version};
use covey_shared::slots::Slot;
use covey_store::test_disk::{Fault, TestDisk};
use half::f16;

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

#[test]
fn a_sync_that_succeeds_after_one_that_failed_vouches_for_no_row_that_was_lost() {
    let open = |disk: &TestDisk| {
        let env = Env {
            disk: disk.shared(),
            ..env()
        };
        Partition::open(env, "/part".into(), space(8, Metric::Cosine), small_options(), &|_| {
            true
        })
    };
    let disk = TestDisk::new();
    let (mut partition, _) = open(&disk).unwrap();
    for post in 1..=200 {
        let meta = RowMeta {
            post: PostId(post),
            author: UserId(1),
            version: Version(1),
            tag: 0,
            slot: Slot::of(UserId(1)),
        };
        partition.append(meta, &[f16::from_f32(0.25); 32]).unwrap();
    }
    // Somewhere among what a checkpoint does, a sync fails; the next one goes well, and then the power is lost.
    for operation in 1..60 {
        disk.plan([(operation, Fault::Error)]);
        let failed = partition.checkpoint().is_err();
        disk.plan([]);
        assert_eq!(partition.checkpoint().unwrap(), 200);
        let (_, found) = open(&disk.after_power_loss(|| false)).unwrap_or_else(|error| panic!("{operation}: {error}"));
        assert_eq!(found.durable_rows, 200, "operation {operation}");
        if !failed {
            break;
        }
    }
}
