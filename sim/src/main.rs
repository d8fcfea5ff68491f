//! covey-sim: runs seeds of the simulator and says which ones fail.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::{Parser, Subcommand};
use covey_sim::{Faults, Plan, run};

mod crash_command;

use crash_command::CrashArgs;

/// Runs the cluster in a deterministic simulator: `covey-sim --seed 7` replays one run, `--seeds 0..50` runs many.
/// `covey-sim crash` runs one replica on a faulty disk instead.
#[derive(Debug, Parser)]
#[command(name = "covey-sim", version, args_conflicts_with_subcommands = true)]
struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    cluster: ClusterArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Crashes one replica on a disk that loses power, tears, fails, fills up and rots, and checks every recovery.
    Crash(CrashArgs),
}

#[derive(Debug, clap::Args)]
struct ClusterArgs {
    /// One seed, run twice: both runs must show the same.
    #[arg(long, conflicts_with = "seeds")]
    seed: Option<u64>,
    /// Seeds from A up to, not including, B.
    #[arg(long, value_name = "A..B", default_value = "0..50")]
    seeds: String,
    /// Run each seed twice: both runs must show the same.
    #[arg(long)]
    twice: bool,
    /// Stop at the first seed that fails.
    #[arg(long)]
    first: bool,
    /// Simulated seconds with faults.
    #[arg(long, default_value_t = 20)]
    seconds: u64,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let (failed, replay) = match &args.command {
        Some(Command::Crash(crash)) => (crash_command::simulate(crash), "crash "),
        None => (simulate(&args.cluster), ""),
    };
    match failed {
        Ok(0) => ExitCode::SUCCESS,
        Ok(failed) => {
            eprintln!("covey-sim: {failed} seeds failed; replay one with covey-sim {replay}--seed N");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("covey-sim: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn simulate(args: &ClusterArgs) -> anyhow::Result<u64> {
    let seeds = match args.seed {
        Some(seed) => seed..seed + 1,
        None => parse_range(&args.seeds)?,
    };
    let times = if args.twice || args.seed.is_some() { 2 } else { 1 };
    let seeds = seeds.flat_map(|seed| std::iter::repeat_n(seed, times));
    let mut failed = 0;
    let (mut ran, mut faults) = (0, Faults::new());
    let mut hashes = std::collections::BTreeMap::new();
    for seed in seeds {
        let outcome = run(Plan {
            faults_for: Duration::from_secs(args.seconds),
            ..Plan::new(seed)
        });
        println!(
            "seed {seed}: trace {:016x}, {} applied, {} acknowledged, {} follows, {} shared, {} undecided, {} complete, {} incomplete, {} shown, {} faults ({}), {} ended full, {} moves, {} drains, {} repairs, {} cancelled, {} failed, {} snapshots, {} violations",
            outcome.trace_hash,
            outcome.applied,
            outcome.acknowledged,
            outcome.followed,
            outcome.shared,
            outcome.undecided,
            outcome.complete,
            outcome.incomplete,
            outcome.shown,
            outcome.faults.values().sum::<u64>(),
            in_words(&outcome.faults),
            outcome.ended_full,
            outcome.moves,
            outcome.drains,
            outcome.repairs,
            outcome.cancelled,
            outcome.failed,
            outcome.snapshots,
            outcome.violations.len()
        );
        outcome
            .violations
            .iter()
            .for_each(|violation| println!("  {violation}"));
        let replayed = *hashes.entry(seed).or_insert(outcome.trace_hash) == outcome.trace_hash;
        if !replayed {
            println!("  the second run of the seed went another way");
        }
        ran += 1;
        for (kind, count) in &outcome.faults {
            *faults.entry(*kind).or_default() += count;
        }
        failed += u64::from(!outcome.violations.is_empty() || !replayed);
        if args.first && failed > 0 {
            break;
        }
    }
    println!("{ran} runs, {failed} failed; faults: {}", in_words(&faults));
    Ok(failed)
}

fn in_words(faults: &Faults) -> String {
    let faults: Vec<String> = faults.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
    faults.join(", ")
}

fn parse_range(text: &str) -> anyhow::Result<std::ops::Range<u64>> {
    let parsed = text
        .split_once("..")
        .and_then(|(a, b)| Some(a.parse().ok()?..b.parse().ok()?));
    parsed.with_context(|| format!("--seeds takes A..B, such as 0..50, not {text:?}"))
}
