//! Measures a partition against faiss' HNSW on the same data in the same run: `./dev bench ann`, docs/benchmarks.md.
//!
//! Standard output has the JSON or the table and nothing else; what goes on is told on standard error.

mod args;
mod contest;
mod cpu;
mod datasets;
mod figures;
mod fvecs;
mod hnsw;
mod idx;
mod partitions;
mod report;
mod vectors;

use anyhow::Context;
use clap::Parser;
use covey_env::Env;

use crate::args::Args;
use crate::report::Report;

/// Tells on standard error what is going on.
macro_rules! say {
    ($($text:tt)*) => { eprintln!("  {}", format_args!($($text)*)) };
}
pub(crate) use say;

fn main() -> anyhow::Result<()> {
    covey_ann::check_cpu()?;
    covey_ann::ensure_single_threaded_env()?;
    let args = Args::parse();
    let env = Env::production(1).context("the threads of the disk could not be started")?;
    let mut reports: Vec<Report> = Vec::new();
    for dataset in args.datasets() {
        let name = dataset.name();
        eprintln!("▸ {name}");
        match datasets::load(&*env.disk, dataset, args.rows)? {
            datasets::Loaded::Set(set) => {
                let report = contest::run(&env, name, &set, &args).with_context(|| name.to_owned())?;
                if !args.json {
                    print!("{}", report::table(&report));
                }
                reports.push(report);
            }
            datasets::Loaded::Missing { path, install } => eprintln!("  skipped: {path} is not there; {install}"),
        }
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&reports)?);
    }
    Ok(())
}
