//! Reading ahead: the parts of a large whole are made by several threads and taken in order by one.
//!
//! The taker makes parts too while the next one is not ready. So without helpers it does all by itself, as in the simulator,
//! and what it takes is the same with any number of them.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

use covey_env::{Env, Priority};
use parking_lot::{Condvar, Mutex, MutexGuard};

/// Parts that are made or being made, and not taken.
const WINDOW: usize = 16;

type Make<T> = Arc<dyn Fn(usize) -> T + Send + Sync>;

struct Line<T> {
    parts: usize,
    state: Mutex<State<T>>,
    news: Condvar,
}

struct State<T> {
    /// `None` when nobody wants more.
    make: Option<Make<T>>,
    /// Parts that somebody makes or has made.
    claimed: usize,
    taken: usize,
    made: BTreeMap<usize, T>,
    /// Parts that helpers are at.
    at_work: usize,
    /// A helper panicked: its part never comes.
    broken: bool,
}

/// Takes the parts. Dropping it ends the helpers and waits for them.
pub(crate) struct ReadAhead<T>(Arc<Line<T>>);

impl<T> State<T> {
    /// A part that nobody is at, and how it is made; `None` if there is none or enough is ahead.
    fn claim(&mut self, parts: usize) -> Option<(usize, Make<T>)> {
        let number = self.claimed;
        if number >= parts.min(self.taken + WINDOW) {
            return None;
        }
        let make = self.make.clone()?;
        self.claimed += 1;
        Some((number, make))
    }
}

impl<T: Send + 'static> ReadAhead<T> {
    /// Parts `0..parts`, made by `make`, on `helpers` threads too.
    pub(crate) fn start(
        env: &Env,
        helpers: usize,
        parts: usize,
        make: impl Fn(usize) -> T + Send + Sync + 'static,
    ) -> Self {
        let line = Arc::new(Line {
            parts,
            state: Mutex::new(State {
                make: Some(Arc::new(make)),
                claimed: 0,
                taken: 0,
                made: BTreeMap::new(),
                at_work: 0,
                broken: false,
            }),
            news: Condvar::new(),
        });
        for number in 0..helpers {
            let helper = Arc::clone(&line);
            let body = Box::pin(async move { helper.help() });
            if let Err(error) = env.spawn.worker(&format!("open-{number}"), Priority::Normal, body) {
                tracing::warn!(%error, "opening a replica with fewer threads");
            }
        }
        ReadAhead(line)
    }

    /// The next part; `None` behind the last.
    pub(crate) fn next(&self) -> Option<T> {
        let line = &*self.0;
        let mut state = line.state.lock();
        while state.taken < line.parts {
            assert!(!state.broken, "a thread that reads ahead has panicked");
            let wanted = state.taken;
            if let Some(part) = state.made.remove(&wanted) {
                state.taken += 1;
                line.news.notify_all();
                return Some(part);
            }
            match state.claim(line.parts) {
                Some((number, make)) => {
                    let part = MutexGuard::unlocked(&mut state, || make(number));
                    state.made.insert(number, part);
                }
                None => line.news.wait(&mut state),
            }
        }
        None
    }
}

impl<T> Line<T> {
    fn help(&self) {
        let mut state = self.state.lock();
        while state.make.is_some() && state.claimed < self.parts {
            let Some((number, make)) = state.claim(self.parts) else {
                self.news.wait(&mut state);
                continue;
            };
            state.at_work += 1;
            let part = MutexGuard::unlocked(&mut state, move || catch_unwind(AssertUnwindSafe(|| make(number))));
            state.at_work -= 1;
            state.broken |= part.is_err();
            self.news.notify_all();
            match part {
                Ok(part) => _ = state.made.insert(number, part),
                Err(panic) => resume_unwind(panic),
            }
        }
    }
}

impl<T> Drop for ReadAhead<T> {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        // What the parts are made from is let go when this returns: the caller may want to move it away.
        state.make = None;
        self.0.news.notify_all();
        while state.at_work > 0 {
            self.0.news.wait(&mut state);
        }
        state.made.clear();
    }
}

#[cfg(test)]
#[path = "ahead_test.rs"]
mod tests;
