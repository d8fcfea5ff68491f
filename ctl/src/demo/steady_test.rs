//! The verdict: posts expire, and nothing grows.

use std::path::PathBuf;

use super::*;

fn args() -> SteadyArgs {
    SteadyArgs {
        minutes: 10,
        rate: 100,
        retention: Duration::from_secs(60),
        every: Duration::from_secs(5),
        nodes: 1,
        dir: PathBuf::new(),
        fresh: true,
    }
}

/// A hundred posts per second for ten minutes.
fn samples(live: impl Fn(u64) -> u64) -> Vec<Sample> {
    let at = |n: u64| Sample {
        at_s: (n * 5) as f64,
        posts: live(n * 5),
        accepted: n * 500,
        log: 1000,
        ..Sample::default()
    };
    (1..=120).map(at).collect()
}

fn verdict(samples: Vec<Sample>) -> (bool, bool) {
    let figures = figures(&args(), samples, &StatusReply::default(), &Counts::default());
    (figures.expired, figures.flat)
}

#[test]
fn a_shard_that_holds_one_window_is_flat() {
    assert_eq!(verdict(samples(|at| at.min(63) * 100)), (true, true));
}

#[test]
fn a_shard_that_never_trims_is_not() {
    assert_eq!(verdict(samples(|at| at * 100)), (false, true));
}

#[test]
fn a_shard_that_took_nothing_is_not_good() {
    let mut nothing = samples(|_| 0);
    nothing.iter_mut().for_each(|sample| sample.accepted = 0);
    assert!(!verdict(nothing).0 && !verdict(Vec::new()).0);
}

#[test]
fn a_log_that_grows_is_not_excused_by_more_posts() {
    let mut growing = samples(|at| at * 10);
    assert_eq!(verdict(growing.clone()), (true, true), "few posts, but more and more");
    for (at, sample) in growing.iter_mut().enumerate() {
        sample.log = 1000 + 20 * at as u64;
    }
    assert_eq!(verdict(growing), (true, false));
}
