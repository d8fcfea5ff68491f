//! A timer that jumps to the next sleeper whenever nothing else can happen, and a spawner that keeps what it is given.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures::future::BoxFuture;

use crate::{Spawner, Timer};

#[derive(Default)]
struct Clock {
    now: Duration,
    next_id: u64,
    sleepers: BTreeMap<u64, (Duration, Waker)>,
}

#[derive(Default)]
pub(crate) struct ManualTimer(Arc<Mutex<Clock>>);

struct Sleep {
    clock: Arc<Mutex<Clock>>,
    id: u64,
    until: Duration,
}

fn lock(clock: &Mutex<Clock>) -> MutexGuard<'_, Clock> {
    clock.lock().expect("no test panics with the lock")
}

impl Future for Sleep {
    type Output = ();
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut clock = lock(&self.clock);
        if clock.now >= self.until {
            return Poll::Ready(());
        }
        clock.sleepers.insert(self.id, (self.until, cx.waker().clone()));
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        lock(&self.clock).sleepers.remove(&self.id);
    }
}

impl Timer for ManualTimer {
    fn now(&self) -> Duration {
        lock(&self.0).now
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let mut clock = lock(&self.0);
        clock.next_id += 1;
        let until = clock.now.saturating_add(duration);
        Box::pin(Sleep {
            clock: Arc::clone(&self.0),
            id: clock.next_id,
            until,
        })
    }
}

impl ManualTimer {
    pub fn advance(&self, by: Duration) {
        let mut clock = lock(&self.0);
        clock.now += by;
        let now = clock.now;
        let due: Vec<u64> = clock
            .sleepers
            .iter()
            .filter(|(_, s)| s.0 <= now)
            .map(|(id, _)| *id)
            .collect();
        let wakers: Vec<Waker> = due.iter().filter_map(|id| Some(clock.sleepers.remove(id)?.1)).collect();
        drop(clock);
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Sleeps that somebody still waits for.
    pub fn sleepers(&self) -> usize {
        lock(&self.0).sleepers.len()
    }

    /// Runs `future` to its end; time passes only when all of it waits.
    pub fn drive<F: Future>(&self, future: F) -> F::Output {
        let mut future = pin!(future);
        let mut cx = Context::from_waker(Waker::noop());
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
                return output;
            }
            let next = lock(&self.0).sleepers.values().map(|(until, _)| *until).min();
            let until = next.expect("the future waits for something that will never come");
            self.advance(until - self.now());
        }
    }
}

#[derive(Default)]
pub(crate) struct ManualSpawner(Mutex<Vec<BoxFuture<'static, ()>>>);

impl Spawner for ManualSpawner {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        self.0.lock().expect("no test panics with the lock").push(task);
    }
}

impl ManualSpawner {
    /// Takes all tasks spawned so far.
    pub fn take(&self) -> Vec<BoxFuture<'static, ()>> {
        std::mem::take(&mut self.0.lock().expect("no test panics with the lock"))
    }
}
