//! Jobs run in order, on as many threads as asked for.

use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Barrier};

use super::*;

#[test]
fn one_thread_runs_jobs_in_the_order_in_which_they_came() {
    let pool = Pool::start(1).unwrap();
    let (done, order) = sync_channel(100);
    for number in 0..100 {
        let done = done.clone();
        pool.run(Box::new(move || done.send(number).unwrap()));
    }
    drop(done);
    assert_eq!(order.iter().collect::<Vec<i32>>(), (0..100).collect::<Vec<i32>>());
}

#[test]
fn as_many_jobs_run_at_once_as_there_are_threads() {
    let pool = Pool::start(3).unwrap();
    let together = Arc::new(Barrier::new(4));
    for _ in 0..3 {
        let together = together.clone();
        pool.run(Box::new(move || {
            together.wait();
        }));
    }
    together.wait();
}

#[test]
fn dropping_a_pool_waits_for_nothing_and_takes_nothing_away_from_a_job_that_runs() {
    let pool = Pool::start(1).unwrap();
    let (begun, beginning) = sync_channel(1);
    let (go_on, waiting) = sync_channel::<()>(1);
    let (done, outcome) = sync_channel(1);
    pool.run(Box::new(move || {
        begun.send(()).unwrap();
        waiting.recv().unwrap();
        done.send("done").unwrap();
    }));
    beginning.recv().unwrap();
    drop(pool);
    go_on.send(()).unwrap();
    assert_eq!(outcome.recv(), Ok("done"));
}
