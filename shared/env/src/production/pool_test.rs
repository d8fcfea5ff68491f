//! Jobs run in order, on as many threads as asked for, and all of them before the pool ends.

use std::sync::Barrier;
use std::sync::mpsc::sync_channel;

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
fn a_pool_that_is_dropped_finishes_what_is_in_line() {
    let pool = Pool::start(2).unwrap();
    let (done, all) = sync_channel(50);
    for _ in 0..50 {
        let done = done.clone();
        pool.run(Box::new(move || done.send(()).unwrap()));
    }
    drop((pool, done));
    assert_eq!(all.iter().count(), 50);
}
