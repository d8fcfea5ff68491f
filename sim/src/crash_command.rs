//! `covey-sim crash`: many seeds with progress, or one with its story.

use std::time::Duration;

use covey_env::{Clock, Env, Monotonic};
use covey_sim::crash::{Bug, CrashFigures, CrashPlan, run};

use crate::parse_range;

/// Between two lines of progress.
const PROGRESS: Duration = Duration::from_secs(5);

/// Options of `covey-sim crash`.
#[derive(Debug, clap::Args)]
pub(crate) struct CrashArgs {
    /// One seed, run twice, with its story: both runs must show the same.
    #[arg(long, conflicts_with = "seeds")]
    seed: Option<u64>,
    /// Seeds from A up to, not including, B.
    #[arg(long, value_name = "A..B", default_value = "0..1000")]
    seeds: String,
    /// A defect that the runs should find.
    #[arg(long)]
    bug: Option<Bug>,
}

/// Runs the seeds and returns how many failed.
pub(crate) fn simulate(args: &CrashArgs) -> anyhow::Result<u64> {
    match args.seed {
        Some(seed) => Ok(replay(seed, args.bug)),
        None => many(parse_range(&args.seeds)?, args.bug),
    }
}

fn replay(seed: u64, bug: Option<Bug>) -> u64 {
    let plan = CrashPlan { seed, bug, story: true };
    let (first, second) = (run(plan), run(plan));
    first.story.iter().for_each(|line| println!("{line}"));
    println!("seed {seed}: trace {:016x}, {}", first.trace_hash, first.figures);
    if let Some(violation) = &first.violation {
        println!("  {violation}");
    }
    let replayed = (first.trace_hash, &first.violation) == (second.trace_hash, &second.violation);
    if !replayed {
        println!("  the second run of the seed went another way");
    }
    u64::from(first.violation.is_some() || !replayed)
}

fn many(seeds: std::ops::Range<u64>, bug: Option<Bug>) -> anyhow::Result<u64> {
    let clock = Env::production(1)?.clock;
    let mut progress = Progress {
        started: clock.monotonic(),
        told: clock.monotonic(),
        of: seeds.end.saturating_sub(seeds.start),
        clock: &*clock,
    };
    let mut figures = CrashFigures::default();
    let mut failed = 0;
    for (done, seed) in seeds.enumerate() {
        let outcome = run(CrashPlan {
            seed,
            bug,
            story: false,
        });
        figures += outcome.figures;
        if let Some(violation) = outcome.violation {
            failed += 1;
            println!("seed {seed}: {violation}");
        }
        progress.tell(done as u64 + 1, failed);
    }
    println!("{} seeds, {failed} failed: {figures}", progress.of);
    Ok(failed)
}

struct Progress<'a> {
    clock: &'a dyn Clock,
    started: Monotonic,
    told: Monotonic,
    of: u64,
}

impl Progress<'_> {
    fn tell(&mut self, done: u64, failed: u64) {
        let now = self.clock.monotonic();
        if now.since(self.told) < PROGRESS && done < self.of {
            return;
        }
        self.told = now;
        let rate = done as f64 / now.since(self.started).as_secs_f64().max(1e-3);
        let left = self.of.saturating_sub(done) as f64 / rate;
        eprintln!(
            "{done} of {} seeds, {rate:.0} seeds/s, {left:.0} s left, {failed} failed",
            self.of
        );
    }
}
