//! What every form of [`Env`] must do, as functions that panic where it does not. The production form passes them here,
//! the simulated one in the simulator. They don't look at the wall clock.

mod files;
mod streams;

use std::time::Duration;

pub use files::disk;
pub use streams::net;

use crate::{Env, Monotonic, Priority};

/// Long enough for a loaded machine; a test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// Time does not go back, and the arithmetic on it saturates.
pub fn clock(env: &Env) {
    let mut last = env.clock.monotonic();
    for _ in 0..1000 {
        let now = env.clock.monotonic();
        assert!(now >= last, "monotonic time went from {last:?} back to {now:?}");
        last = now;
    }
    let (early, late) = (Monotonic(Duration::from_secs(1)), Monotonic(Duration::from_secs(3)));
    assert_eq!(late.since(early), Duration::from_secs(2));
    assert_eq!(early.since(late), Duration::ZERO);
    assert_eq!(late.left(early), Duration::from_secs(2));
    assert_eq!(early.plus(Duration::MAX), Monotonic(Duration::MAX));
    assert!(env.clock.unix_ms() > 0, "the calendar starts in 1970");
    let (short, long) = (Duration::from_secs(1), Duration::from_secs(3600));
    assert!(env.clock.rpc_deadline(long) >= env.clock.rpc_deadline(short));
}

/// Numbers differ, stay in their range, and reach all of it.
pub fn entropy(env: &Env) {
    let first = env.entropy.next_u64();
    assert!(
        (0..8).any(|_| env.entropy.next_u64() != first),
        "the generator repeats {first}"
    );
    let mut seen = [false; 5];
    for _ in 0..1000 {
        seen[env.entropy.below(5) as usize] = true;
        let unit = env.entropy.unit();
        assert!((0.0..1.0).contains(&unit));
    }
    assert_eq!(seen, [true; 5]);
    assert_eq!(env.entropy.below(1), 0);
}

/// Workers take what a bounded channel brings, in order, end when it closes, and can be waited for; timers work in them;
/// computations run.
pub async fn spawn(env: &Env) {
    let (to_worker, mut from_test) = tokio::sync::mpsc::channel::<u64>(2);
    let (to_test, mut from_worker) = tokio::sync::mpsc::channel::<u64>(2);
    let body = Box::pin(async move {
        tokio::time::sleep(Duration::from_millis(1)).await;
        while let Some(n) = from_test.recv().await {
            to_test.send(n * 2).await.expect("the test listens to the end");
        }
    });
    let worker = env
        .spawn
        .worker("conformance", Priority::Low, body)
        .expect("a worker starts");
    for n in 0..10 {
        to_worker
            .send(n)
            .await
            .expect("the worker listens until the channel closes");
        assert_eq!(from_worker.recv().await, Some(n * 2));
    }
    drop(to_worker);
    worker
        .join(PATIENCE)
        .await
        .expect("a worker ends when its channel closes");

    let (never, mut waits) = tokio::sync::mpsc::channel::<()>(1);
    let body = Box::pin(async move { assert!(waits.recv().await.is_none()) });
    let idle = env
        .spawn
        .worker("idle", Priority::Normal, body)
        .expect("a worker starts");
    let waiting = idle.join(Duration::from_millis(1)).await;
    assert!(waiting.is_err(), "a worker whose channel is open does not end");
    drop(never);

    let (done, result) = tokio::sync::oneshot::channel();
    env.spawn.compute(Box::new(move || {
        done.send(6 * 7).expect("the test waits for the result")
    }));
    assert_eq!(result.await, Ok(42));
}
