//! `covey bench steady`: steady writing and expiry. Does anything grow?

use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, bail};
use covey_api::v1::StatusReply;
use serde::Serialize;

use super::disk_usage::NodeDisk;
use super::flat::Course;
use super::place::Place;
use super::processes::Processes;
use super::rig::Rig;
use super::stream::{Counts, Stream};
use crate::args::{SteadyArgs, WorldSize};
use crate::client::Client;
use crate::commands::{Context, Outcome, build_world, fetch_status};
use crate::progress::Spinner;
use crate::render::memory;
use crate::render::text::{Style, bytes, count, table};

/// Retention windows that a run should see: one to fill, one for the first trims, then some to compare.
const WINDOWS: u64 = 6;

/// Pause between two trims.
const TRIM: Duration = Duration::from_secs(5);
/// Live posts over accepted ones: writes are counted when their acknowledgement arrives.
const ALLOWED: f64 = 1.1;

/// Node 1 at one moment.
#[derive(Clone, Debug, Default, Serialize)]
struct Sample {
    at_s: f64,
    /// Live posts.
    posts: u64,
    /// Acknowledged so far.
    accepted: u64,
    refused: u64,
    /// On the disk, in bytes.
    log: u64,
    store: u64,
    vectors: u64,
    /// In memory, in bytes.
    resident: u64,
    anonymous: u64,
    /// What the parts of the node count of themselves.
    parts: u64,
}

#[derive(Clone, Debug, Serialize)]
struct Figures {
    nodes: usize,
    rate: u64,
    retention_s: f64,
    minutes: u64,
    accepted: u64,
    refused: u64,
    actions: u64,
    /// Retention windows that went by.
    windows: f64,
    /// Never more live posts than were accepted within a window, and what a trim may be late.
    expired: bool,
    flat: bool,
    courses: Vec<Course>,
    samples: Vec<Sample>,
    /// Of node 1 at the end.
    memory: Vec<memory::Line>,
}

pub(super) async fn run(context: &Context, args: &SteadyArgs, processes: &mut Processes) -> Result<Outcome> {
    let time = Duration::from_secs(args.minutes * 60);
    if time < args.retention * WINDOWS as u32 {
        bail!("--minutes must be at least {WINDOWS} times --retention: half of that only fills the shard");
    }
    let place = Place::open_new(&args.dir, args.fresh)?;
    let node = place.data().join("node-1");
    let rig = Rig::prepare(place, args.nodes, &settings(args))?;
    let client = rig.up(processes).await?;
    // Of its posts only a beginning is used.
    let world = build_world(&WorldSize {
        users: 100_000,
        posts: 1_000_000_000,
        sessions: Some(0),
        seed: 1,
        hours: 48,
        until: None,
    })?;
    let stream = Stream::new(client.clone(), world, 0, args.rate);
    let counts = stream.counts.clone();
    let mut writer = tokio::spawn(stream.run());
    let watched = tokio::select! {
        watched = watch(&client, &node, processes, (time, args.every), &counts) => watched,
        ended = &mut writer => Err(ended.err().map_or_else(|| anyhow!("nothing is left to write"), Into::into)),
    };
    writer.abort();
    let (samples, state) = watched?;
    let figures = figures(args, samples, &state, &counts);
    context.show(&figures, || human(&figures, context.style))?;
    Ok(Outcome::good(figures.flat && figures.expired))
}

/// What a month takes two days of it, compressed: everything that is bounded by a size is made small enough to wrap many
/// times, everything that runs on a timer runs often.
fn settings(args: &SteadyArgs) -> String {
    let live = args.rate * args.retention.as_secs();
    format!(
        "[retention]\nwindow = \"{}s\"\ntrim_interval = \"{}s\"\naction_memory = \"1m\"\n\n\
         [storage]\ncheckpoint_interval = \"2s\"\nkv_memtable = \"4MiB\"\nkv_cache = \"16MiB\"\nkv_journal = \"64MiB\"\n\n\
         [raft]\nwal_segment = \"4MiB\"\nmax_wal = \"64MiB\"\nmax_lag = \"16MiB\"\nkeep_entries = 1000\n\n\
         [ann]\nseal_rows = 2048\nmin_train_rows = 2048\nmax_segment_rows = {}\n\n\
         [feed]\nmax_post_age = \"{}s\"\n",
        args.retention.as_secs(),
        TRIM.as_secs(),
        (live / 4).max(16_384),
        args.retention.as_secs(),
    )
}

async fn watch(
    client: &Client,
    node: &Path,
    processes: &mut Processes,
    (time, every): (Duration, Duration),
    counts: &Counts,
) -> Result<(Vec<Sample>, StatusReply)> {
    let spinner = Spinner::start("writing");
    let (started, mut samples) = (Instant::now(), Vec::new());
    loop {
        tokio::time::sleep(every).await;
        processes.all_alive()?;
        let state = fetch_status(client).await?;
        let sample = sample(&state, NodeDisk::of(node), started.elapsed(), counts);
        spinner.note(&format!(
            "{:.0} s, {} posts live, {} refused, log {}, store {}, vectors {}, heap {}",
            sample.at_s,
            count(sample.posts),
            count(sample.refused),
            bytes(sample.log),
            bytes(sample.store),
            bytes(sample.vectors),
            bytes(sample.anonymous),
        ));
        samples.push(sample);
        if started.elapsed() >= time {
            spinner.done(started.elapsed());
            return Ok((samples, state));
        }
    }
}

fn sample(state: &StatusReply, disk: NodeDisk, at: Duration, counts: &Counts) -> Sample {
    let node = state.nodes.first().cloned().unwrap_or_default();
    let memory = node.memory.unwrap_or_default();
    Sample {
        at_s: at.as_secs_f64(),
        posts: state.posts,
        accepted: counts.accepted.load(Ordering::Relaxed),
        refused: counts.refused.load(Ordering::Relaxed),
        log: disk.log,
        store: disk.store,
        vectors: disk.vectors,
        resident: node.resident_bytes,
        anonymous: memory.anonymous_bytes,
        parts: memory.parts.iter().map(|part| part.heap_bytes).sum(),
    }
}

fn figures(args: &SteadyArgs, samples: Vec<Sample>, state: &StatusReply, counts: &Counts) -> Figures {
    let course = |what, load, of: fn(&Sample) -> u64| {
        let values: Vec<f64> = samples.iter().map(|sample| of(sample) as f64).collect();
        Course::of(what, &values, load)
    };
    // Where writes were refused, more posts may live in the end than in the middle, and take their room.
    let posts = course("live posts", f64::INFINITY, |sample| sample.posts);
    let load = posts.growth;
    let courses = vec![
        posts,
        course("log", 1.0, |sample| sample.log),
        course("key-value store", load, |sample| sample.store),
        course("vectors", load, |sample| sample.vectors),
        course("heap", load, |sample| sample.anonymous),
        course("heap, by its parts", load, |sample| sample.parts),
    ];
    Figures {
        nodes: state.nodes.len(),
        rate: args.rate,
        retention_s: args.retention.as_secs_f64(),
        minutes: args.minutes,
        accepted: counts.accepted.load(Ordering::Relaxed),
        refused: counts.refused.load(Ordering::Relaxed),
        actions: counts.actions.load(Ordering::Relaxed),
        windows: samples.last().map_or(0.0, |sample| sample.at_s) / args.retention.as_secs_f64(),
        expired: expire(&samples, args),
        flat: courses.iter().all(|course| course.flat),
        courses,
        memory: state.nodes.first().map_or(Vec::new(), memory::lines),
        samples,
    }
}

/// Whether posts expire: at no look live more than were accepted within a window before it.
fn expire(samples: &[Sample], args: &SteadyArgs) -> bool {
    // The trim comes as often, and a look may fall between two.
    let slack = TRIM + 2 * args.every;
    let accepted_at = |at: f64| {
        samples
            .iter()
            .take_while(|sample| sample.at_s <= at)
            .last()
            .map_or(0, |sample| sample.accepted)
    };
    let bounded = |sample: &Sample| {
        let begin = sample.at_s - (args.retention + slack).as_secs_f64();
        sample.posts as f64 <= (sample.accepted - accepted_at(begin)) as f64 * ALLOWED
    };
    samples.last().is_some_and(|sample| sample.accepted > 0) && samples.iter().all(bounded)
}

fn human(figures: &Figures, style: Style) -> String {
    let size = |course: &Course, value: f64| match course.what {
        "live posts" => count(value as u64),
        _ => bytes(value as u64),
    };
    let row = |course: &Course| {
        vec![
            course.what.to_owned(),
            size(course, course.middle),
            size(course, course.last),
            size(course, course.max),
            format!("{:+.1} %", (course.growth - 1.0) * 100.0),
            match course.what {
                "live posts" => "",
                _ if course.flat => "flat",
                _ => "GROWS",
            }
            .to_owned(),
            course.line.clone(),
        ]
    };
    let rows: Vec<Vec<String>> = figures.courses.iter().map(row).collect();
    let header = [
        "NODE 1",
        "MIDDLE THIRD",
        "LAST THIRD",
        "MOST",
        "GROWTH",
        "",
        "FROM BEGIN TO END",
    ];
    let uneven = match figures.refused * 100 > figures.accepted {
        true => "the machine was too slow for this rate: growth is judged beside that of the live posts\n",
        false => "",
    };
    let verdict = match (figures.expired, figures.flat) {
        (false, _) => style.bad("posts do not expire"),
        (true, false) => style.bad("not flat"),
        (true, true) => style.good("flat"),
    };
    format!(
        "{} posts and {} favourites in {} min, {} per second wanted, {} refused; {:.0} retention windows of {} s, {} nodes\n{}{uneven}{verdict}\n",
        count(figures.accepted),
        count(figures.actions),
        figures.minutes,
        count(figures.rate),
        count(figures.refused),
        figures.windows,
        figures.retention_s,
        figures.nodes,
        table(&header, &rows, style),
    )
}

#[cfg(test)]
#[path = "steady_test.rs"]
mod tests;
