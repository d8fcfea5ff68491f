//! The compute pool: threads that sleep until there is a job.
//!
//! Not a work-stealing pool: the idle threads of those spin and yield before they sleep. On a busy machine a thread that yields
//! goes to the end of the line, and a job that comes then waits for milliseconds; one that sleeps is woken at once.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;

type Job = Box<dyn FnOnce() + Send>;

/// Jobs run in the order in which they came. Dropping the pool ends its threads once the jobs in line are done.
pub(super) struct Pool {
    line: Arc<Line>,
}

#[derive(Default)]
struct Line {
    state: Mutex<State>,
    news: Condvar,
}

#[derive(Default)]
struct State {
    /// As many as the callers' permits let in.
    jobs: VecDeque<Job>,
    closed: bool,
}

impl Pool {
    /// Starts `threads` of them.
    pub(super) fn start(threads: usize) -> io::Result<Pool> {
        // Dropped on an error: then the threads that were started end again.
        let pool = Pool {
            line: Arc::new(Line::default()),
        };
        for number in 0..threads {
            let line = Arc::clone(&pool.line);
            thread::Builder::new()
                .name(format!("compute-{number}"))
                .spawn(move || line.work())?;
        }
        Ok(pool)
    }

    pub(super) fn run(&self, job: Job) {
        let mut state = self.line.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.jobs.push_back(job);
        drop(state);
        self.line.news.notify_one();
    }
}

impl Line {
    fn work(&self) {
        while let Some(job) = self.next() {
            job();
        }
    }

    /// `None` when the pool is closed and nothing is left to do.
    fn next(&self) -> Option<Job> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(job) = state.jobs.pop_front() {
                return Some(job);
            }
            if state.closed {
                return None;
            }
            state = self.news.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.line.state.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        self.line.news.notify_all();
    }
}

#[cfg(test)]
#[path = "pool_test.rs"]
mod tests;
