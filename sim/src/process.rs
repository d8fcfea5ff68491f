//! The process of a host, as an operating system runs it: signals stop it, let it go on and kill it, and a panic ends it.

use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::Poll;

use tokio::sync::watch;
use tokio::task::LocalSet;

use crate::panics;

/// Connections that wait to be taken while a process is stopped; what comes then is not heard.
const BACKLOG: u64 = 40;

/// What was done to a process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Signal {
    /// It may run.
    #[default]
    Continue,
    /// None of its tasks runs, while its clock and its sockets go on.
    Stop,
    /// It is gone. What it wrote is still in the page cache.
    Kill,
}

/// How a life of a process ended, if not by a crash of the whole host.
#[derive(Debug)]
pub(crate) enum End {
    /// It came to its end by itself.
    Returned(turmoil::Result),
    /// One of its tasks panicked.
    Panicked,
    /// It was killed.
    Killed,
}

/// Sends signals to the process of one host, whichever life of it runs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Process(Arc<Control>);

#[derive(Debug, Default)]
struct Control {
    signal: watch::Sender<Signal>,
    ended: AtomicBool,
    /// Connections that wait to be taken.
    knocking: AtomicU64,
}

impl Process {
    /// Stops all of it at once, as SIGSTOP does.
    pub(crate) fn stop(&self) {
        self.0.signal.send_replace(Signal::Stop);
    }

    /// It goes on, or may start again.
    pub(crate) fn go_on(&self) {
        self.0.knocking.store(0, Ordering::Relaxed);
        self.0.signal.send_replace(Signal::Continue);
    }

    /// Ends it without a word, as SIGKILL does.
    pub(crate) fn kill(&self) {
        self.0.signal.send_replace(Signal::Kill);
    }

    /// Somebody wants a connection. Whether the machine hears of it: a stopped process takes none, and not many wait.
    pub(crate) fn knock(&self) -> bool {
        *self.0.signal.borrow() != Signal::Stop || self.0.knocking.fetch_add(1, Ordering::Relaxed) < BACKLOG
    }

    /// Whether the last life has ended, other than by a crash of the host.
    pub(crate) fn has_ended(&self) -> bool {
        self.0.ended.load(Ordering::Relaxed)
    }

    /// Runs one life. Its tasks live in a set of their own, which is what can be stopped and thrown away.
    pub(crate) async fn run(&self, life: impl Future<Output = turmoil::Result>) -> End {
        self.0.ended.store(false, Ordering::Relaxed);
        let end = self.watch(life).await;
        self.0.ended.store(true, Ordering::Relaxed);
        end
    }

    async fn watch(&self, life: impl Future<Output = turmoil::Result>) -> End {
        let tasks = LocalSet::new();
        let mut signals = self.0.signal.subscribe();
        let life = tasks.run_until(life);
        tokio::pin!(life);
        let panics_before = panics::count();
        let panicked = || match panics::count() > panics_before {
            true => Poll::Ready(()),
            false => Poll::Pending,
        };
        loop {
            tokio::select! {
                biased;
                Some(signal) = other_than(&mut signals, Signal::Continue) => match signal {
                    Signal::Kill => return End::Killed,
                    _ => _ = other_than(&mut signals, Signal::Stop).await,
                },
                end = &mut life => return End::Returned(end),
                // Looked at after each time that its tasks have run.
                () = poll_fn(|_| panicked()) => return End::Panicked,
            }
        }
    }
}

/// The first signal that is not this one.
async fn other_than(signals: &mut watch::Receiver<Signal>, this: Signal) -> Option<Signal> {
    signals
        .wait_for(|signal| *signal != this)
        .await
        .ok()
        .map(|signal| *signal)
}

#[cfg(test)]
#[path = "process_test.rs"]
mod tests;
