//! Builds at a rate and in pauses, on the paused clock of the runtime.

use std::sync::Arc;

use covey_ann::Metric;
use futures::FutureExt;
use tokio::time::Instant;

use super::*;
use crate::Step;
use crate::fixture::{Fixture, env, small_options};

/// The paused clock says it to timers only.
fn now() -> Instant {
    tokio::time::sleep(Duration::ZERO).deadline()
}

/// Time of the runtime, which passes only while all wait.
struct RuntimeClock(Instant);

impl Clock for RuntimeClock {
    fn monotonic(&self) -> Monotonic {
        // A clock that has run for a while.
        Monotonic(Duration::from_secs(1000) + self.0.elapsed())
    }

    fn unix_ms(&self) -> u64 {
        0
    }

    fn rpc_deadline(&self, left: Duration) -> std::time::Instant {
        env().clock.rpc_deadline(left)
    }
}

fn builds(bytes_per_s: u64) -> Builds {
    Builds::new(Arc::new(RuntimeClock(now())), bytes_per_s)
}

/// Two sealed folders of 64 rows that will merge, and a tail of one row.
fn two_sealed() -> Fixture {
    let mut fixture = Fixture::new(8, Metric::Cosine, small_options());
    (1..=129).for_each(|post| fixture.put(post, 1));
    let maintainer = fixture.partition().maintainer();
    (0..2).for_each(|_| assert!(matches!(maintainer.step(), Ok(Step::Sealed { rows: 64 }))));
    fixture
}

/// What a merge of the two reads and writes: 128 rows of 64 bytes copied, with records of 40 bytes, and read again.
const MERGED: u64 = 128 * (2 * 64 + 40) + 128 * 64;

fn merged() -> Step {
    Step::Merged { segments: 2, rows: 128 }
}

#[tokio::test(start_paused = true)]
async fn a_merge_takes_the_time_that_its_bytes_take_at_the_rate() {
    let mut fixture = two_sealed();
    let (maintainer, builds) = (fixture.partition().maintainer(), builds(1000));
    let started = now();
    assert_eq!(maintainer.step_within(&builds).await.unwrap(), merged());
    let took = started.elapsed();
    let least = Duration::from_millis(MERGED) - GRAIN;
    // A file of an exact scan is empty but for its frame.
    assert!(took >= least && took < least + Duration::from_secs(2), "{took:?}");
    fixture.check_exact(129);
}

#[tokio::test(start_paused = true)]
async fn a_seal_waits_for_no_rate() {
    let mut fixture = Fixture::new(8, Metric::Cosine, small_options());
    (1..=65).for_each(|post| fixture.put(post, 1));
    let (maintainer, builds) = (fixture.partition().maintainer(), builds(1));
    let step = maintainer.step_within(&builds).now_or_never();
    assert_eq!(step.unwrap().unwrap(), Step::Sealed { rows: 64 });
}

#[tokio::test(start_paused = true)]
async fn a_merge_does_not_wait_while_a_partition_has_little_room_left() {
    let (mut fixture, mut other) = (two_sealed(), Fixture::new(8, Metric::Cosine, small_options()));
    // Of at most 256 unsealed rows.
    (1..=127).for_each(|post| other.put(post, 1));
    let maintainer = fixture.partition().maintainer();
    let (builds, started) = (builds(1), now());
    let mut step = Box::pin(maintainer.step_within(&builds));
    assert!(tokio::time::timeout(Duration::from_secs(5), &mut step).await.is_err());
    // It may have come while the other one was waiting.
    builds.take_on(other.partition().maintainer());
    assert!(tokio::time::timeout(Duration::from_secs(5), &mut step).await.is_err());
    other.put(128, 1);
    assert_eq!(step.await.unwrap(), merged());
    assert!(started.elapsed() < Duration::from_secs(11), "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_merge_that_waits_ends_when_its_partition_does() {
    let mut fixture = two_sealed();
    let (maintainer, builds) = (fixture.partition().maintainer(), builds(1));
    let mut step = Box::pin(maintainer.step_within(&builds));
    assert!(tokio::time::timeout(Duration::from_secs(10), &mut step).await.is_err());
    fixture.partition().checkpoint().unwrap();
    fixture.partition = None;
    assert!(matches!(step.await, Err(PartitionError::Stopped)));
    fixture.open().unwrap();
    fixture.check_exact(129);
}

#[tokio::test(start_paused = true)]
async fn a_pause_stops_a_merge_starts_none_and_ends_by_itself() {
    let mut fixture = two_sealed();
    let (maintainer, builds) = (fixture.partition().maintainer(), builds(1000));
    let mut step = Box::pin(maintainer.step_within(&builds));
    assert!(tokio::time::timeout(Duration::from_secs(1), &mut step).await.is_err());
    builds.pause(Duration::from_secs(600));
    assert!(matches!(step.await, Err(PartitionError::Paused)));
    assert_eq!(maintainer.step_within(&builds).await.unwrap(), Step::Idle);
    assert!(fixture.partition().reader().status().merge_due);
    fixture.check_exact(129);
    tokio::time::sleep(builds.pause_left()).await;
    assert_eq!(maintainer.step_within(&builds).await.unwrap(), merged());
    builds.pause(Duration::from_secs(600));
    builds.pause(Duration::ZERO);
    assert_eq!(builds.pause_left(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn tails_are_sealed_without_index_in_a_pause_and_dead_folders_dropped() {
    let mut fixture = two_sealed();
    let (maintainer, builds) = (fixture.partition().maintainer(), builds(1 << 30));
    builds.pause(Duration::from_secs(600));
    (130..=193).for_each(|post| fixture.put(post, 1));
    (1..=64).for_each(|post| fixture.delete(post));
    let mut steps = Vec::new();
    loop {
        match maintainer.step_within(&builds).await.unwrap() {
            Step::Idle => break,
            step => steps.push(step),
        }
    }
    assert_eq!(steps, [Step::Sealed { rows: 64 }, Step::Dropped { segments: 1 }]);
    let waits = |fixture: &mut Fixture| fixture.partition().reader().status().unbuilt_segments;
    assert_eq!(waits(&mut fixture), 1);
    fixture.check_exact(129);
    fixture.partition().checkpoint().unwrap();
    fixture.open().unwrap();
    assert_eq!(waits(&mut fixture), 1, "a restart knows it");
    assert_eq!(fixture.settle()[0], Step::Indexed { rows: 64 });
    assert_eq!(waits(&mut fixture), 0);
}

#[tokio::test(start_paused = true)]
async fn a_damaged_folder_is_copied_away_in_a_pause() {
    let mut fixture = two_sealed();
    let (maintainer, builds) = (fixture.partition().maintainer(), builds(1 << 30));
    builds.pause(Duration::from_secs(600));
    let shared = Arc::clone(&fixture.partition().shared);
    shared.state.lock().rewrite.insert(crate::folder::FolderId(0));
    let step = maintainer.step_within(&builds).await.unwrap();
    assert_eq!(step, Step::Merged { segments: 1, rows: 64 });
    assert_eq!(maintainer.step_within(&builds).await.unwrap(), Step::Idle);
}

#[tokio::test(start_paused = true)]
async fn neither_pause_nor_rate_holds_once_a_partition_has_a_crowd_of_segments() {
    let mut fixture = Fixture::new(8, Metric::Cosine, small_options());
    let (maintainer, builds) = (fixture.partition().maintainer(), builds(1));
    builds.take_on(maintainer.clone());
    builds.pause(Duration::from_secs(600));
    let segments = |fixture: &mut Fixture| fixture.partition().reader().status().segments as usize;
    let mut posts = 1..;
    while segments(&mut fixture) < CROWD {
        assert_eq!(maintainer.step_within(&builds).await.unwrap(), Step::Idle);
        posts.by_ref().take(64).for_each(|post| fixture.put(post, 1));
        let sealed = maintainer.step_within(&builds).await.unwrap();
        assert!(matches!(sealed, Step::Sealed { .. } | Step::Idle), "{sealed:?}");
    }
    let started = now();
    let built = maintainer.step_within(&builds).await.unwrap();
    assert_eq!(built, Step::Indexed { rows: 64 });
    assert_eq!(started.elapsed(), Duration::ZERO);
}
