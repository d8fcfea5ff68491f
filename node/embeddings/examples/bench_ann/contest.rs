//! Builds all contestants of a data set and measures them in turns.

use anyhow::Context;
use covey_ann::IndexSpec;
use covey_env::Env;

use crate::args::Args;
use crate::figures::{Point, bracket, cost_at, median};
use crate::hnsw::{EFFORTS, Hnsw};
use crate::partitions::Shard;
use crate::report::Report;
use crate::vectors::{DEEPEST, Truth, Vectors, is_deleted, passes_filter, tag};
use crate::{cpu, say};

/// Each contestant answers all queries this often; the median counts.
const ROUNDS: usize = 7;
/// Queries a contestant answers before it is the next one's turn: all meet the same neighbours and the same clock rate.
const TURN: usize = 50;

/// Answers query number so and so.
type Contestant<'a> = Box<dyn FnMut(usize) -> anyhow::Result<()> + 'a>;

/// Our side, in three states.
struct Shards {
    merged: Shard,
    steady: Shard,
    deleted: Shard,
}

/// Exact answers over all rows, without the deleted ones, and with the filter.
struct Truths {
    all: Truth,
    live: Truth,
    filtered: Truth,
}

/// Runs everything for one data set.
pub fn run(env: &Env, name: &str, set: &Vectors, args: &Args) -> anyhow::Result<Report> {
    let index = IndexSpec::parse(&args.index, set.metric, set.dim)?;
    let truths = exact(set)?;
    let merged = Shard::merged(env, set, &index)?;
    let steady = Shard::steady(env, set, &index)?;
    let deleted = merged.half_deleted(env)?;
    let shards = Shards {
        merged,
        steady,
        deleted,
    };
    let recall = recall(set, &truths.all, 10, |query, out| {
        shards.merged.search(query, 10, false, out)
    })?;
    let mut hnsw = match &args.keep_hnsw {
        Some(folder) => Hnsw::kept(&*env.disk, &folder.join(format!("{name}-{}.hnsw", set.len())), set)?,
        None => Hnsw::build(set)?,
    };
    hnsw.sweep(set, &truths.all, recall)?;
    let (below, above) = bracket(recall, &hnsw.recalls);
    let costs = measure(set, &shards, &hnsw, [EFFORTS[below], EFFORTS[above]])?;
    let [cpu, steady_cpu, delete50_cpu, filter5_cpu, below_cpu, above_cpu] = costs;
    let point = |at: usize, cpu_us| Point {
        recall: hnsw.recalls[at],
        cpu_us,
    };
    Ok(Report {
        dataset: name.into(),
        rows: set.len(),
        recall_at_10: recall,
        recall_at_100: self::recall(set, &truths.all, 100, |q, out| shards.merged.search(q, 100, false, out))?,
        cpu_us: cpu,
        hnsw_cpu_us_equal_recall: cost_at(recall, point(below, below_cpu), point(above, above_cpu)),
        steady_cpu_us: steady_cpu,
        steady_recall_at_10: self::recall(set, &truths.all, 10, |q, out| shards.steady.search(q, 10, false, out))?,
        index_mb: shards.merged.index_bytes(env)? as f64 / 1e6,
        hnsw_index_mb: hnsw.bytes as f64 / 1e6,
        build_cpu_s: shards.merged.build_cpu_s,
        hnsw_build_cpu_s: hnsw.build_cpu_s,
        delete50_recall_at_10: self::recall(set, &truths.live, 10, |q, out| shards.deleted.search(q, 10, false, out))?,
        delete50_cpu_us: delete50_cpu,
        filter5_recall_at_10: self::recall(set, &truths.filtered, 10, |q, out| {
            shards.merged.search(q, 10, true, out)
        })?,
        filter5_cpu_us: filter5_cpu,
    })
}

fn exact(set: &Vectors) -> anyhow::Result<Truths> {
    say!("answer {} queries exactly, to judge by", set.queries.len());
    let tags: Vec<u64> = (0..set.len()).map(tag).collect();
    let (live, passes) = (
        |row: usize| !is_deleted(tags[row]),
        |row: usize| passes_filter(tags[row]),
    );
    let truths: [Truth; 3] = set
        .nearest(&[&|_| true, &live, &passes])
        .try_into()
        .ok()
        .context("three questions have three answers")?;
    let [all, live, filtered] = truths;
    Ok(Truths { all, live, filtered })
}

fn recall(
    set: &Vectors,
    truth: &Truth,
    k: usize,
    search: impl Fn(&[f32], &mut Vec<u32>) -> anyhow::Result<()>,
) -> anyhow::Result<f64> {
    debug_assert!(k <= DEEPEST, "the truth ends there");
    let (mut found, mut rows) = (0, Vec::new());
    for (number, query) in set.queries.iter().enumerate() {
        search(query, &mut rows)?;
        found += truth.found(set, number, k, &rows);
    }
    Ok(found as f64 / (set.queries.len() * k) as f64)
}

/// CPU microseconds per query for ten hits: merged, steady, half deleted, filtered, and HNSW at two efforts.
fn measure(set: &Vectors, shards: &Shards, hnsw: &Hnsw, efforts: [usize; 2]) -> anyhow::Result<[f64; 6]> {
    say!("measure all in turns: {ROUNDS} rounds of {} queries", set.queries.len());
    let [below, above] = efforts;
    let mut contestants: [Contestant<'_>; 6] = [
        partition(set, &shards.merged, false),
        partition(set, &shards.steady, false),
        partition(set, &shards.deleted, false),
        partition(set, &shards.merged, true),
        graph(set, hnsw, below),
        graph(set, hnsw, above),
    ];
    let mut rounds: [Vec<f64>; 6] = Default::default();
    for _ in 0..ROUNDS {
        let costs = round(&mut contestants, set.queries.len())?;
        for (rounds, cost) in rounds.iter_mut().zip(costs) {
            rounds.push(cost);
        }
    }
    Ok(rounds.map(|costs| median(&costs)))
}

fn partition<'a>(set: &'a Vectors, shard: &'a Shard, filtered: bool) -> Contestant<'a> {
    let mut out = Vec::new();
    Box::new(move |number| shard.search(&set.queries[number], 10, filtered, &mut out))
}

fn graph<'a>(set: &'a Vectors, hnsw: &'a Hnsw, effort: usize) -> Contestant<'a> {
    let mut out = Vec::new();
    Box::new(move |number| hnsw.search(&set.queries[number], effort, &mut out))
}

/// Microseconds per query of each.
fn round(contestants: &mut [Contestant<'_>; 6], queries: usize) -> anyhow::Result<[f64; 6]> {
    let mut seconds = [0.0; 6];
    for start in (0..queries).step_by(TURN) {
        for (contestant, seconds) in contestants.iter_mut().zip(&mut seconds) {
            let (answered, spent) = cpu::seconds(|| (start..queries.min(start + TURN)).try_for_each(&mut *contestant));
            answered?;
            *seconds += spent;
        }
    }
    Ok(seconds.map(|seconds| seconds * 1e6 / queries as f64))
}
