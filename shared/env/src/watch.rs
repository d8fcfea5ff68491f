//! A value that one writes and many wait for. Whoever waits is woken in the order in which it began to: the channel of the same name in
//! tokio draws that order, and no seed of the simulator would replay.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use thiserror::Error;
use tokio::sync::Notify;

/// The writer is gone: what is waited for never comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("nobody writes the value any more")]
pub struct Closed;

#[derive(Debug)]
struct Cell<T> {
    /// The value, and whether its writer is still there.
    value: Mutex<(T, bool)>,
    changed: Notify,
}

impl<T: Copy> Cell<T> {
    /// Nothing that runs under the lock can panic.
    fn lock(&self) -> MutexGuard<'_, (T, bool)> {
        self.value.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes the value; dropping it ends all waiting.
#[derive(Debug)]
pub struct Sender<T: Copy>(Arc<Cell<T>>);

/// Reads the value and waits for others.
#[derive(Clone, Debug)]
pub struct Receiver<T: Copy>(Arc<Cell<T>>);

/// A value and both of its ends.
pub fn channel<T: Copy>(value: T) -> (Sender<T>, Receiver<T>) {
    let sender = Sender::new(value);
    let receiver = sender.subscribe();
    (sender, receiver)
}

impl<T: Copy> Sender<T> {
    /// A value that nobody waits for yet.
    pub fn new(value: T) -> Sender<T> {
        Sender(Arc::new(Cell {
            value: Mutex::new((value, true)),
            changed: Notify::new(),
        }))
    }

    /// Writes the value.
    pub fn send_replace(&self, value: T) {
        self.0.lock().0 = value;
        self.0.changed.notify_waiters();
    }

    /// One more who reads it.
    pub fn subscribe(&self) -> Receiver<T> {
        Receiver(self.0.clone())
    }
}

impl<T: Copy> Drop for Sender<T> {
    fn drop(&mut self) {
        self.0.lock().1 = false;
        self.0.changed.notify_waiters();
    }
}

impl<T: Copy> Receiver<T> {
    /// The value.
    pub fn get(&self) -> T {
        self.0.lock().0
    }

    /// Waits until the value is one of these, and returns it.
    ///
    /// # Errors
    /// It is none of them, and the writer is gone.
    pub async fn wait_for(&self, mut wanted: impl FnMut(T) -> bool) -> Result<T, Closed> {
        loop {
            // Before the look: what changes behind it is heard of.
            let changed = self.0.changed.notified();
            let (value, is_open) = *self.0.lock();
            match (wanted(value), is_open) {
                (true, _) => return Ok(value),
                (false, true) => changed.await,
                (false, false) => return Err(Closed),
            }
        }
    }

    /// Waits until the writer is gone.
    pub async fn closed(&self) {
        let never = self.wait_for(|_| false).await;
        debug_assert!(never.is_err());
    }
}

#[cfg(test)]
#[path = "watch_test.rs"]
mod tests;
