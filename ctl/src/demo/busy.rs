//! `covey bench busy`: what searches wait for while posts come in, and segments are sealed and merged beside them.
//!
//! Three times the same searches at a fixed rate: quietly, with writes, and quietly again once the indexes are built.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use covey_api::v1::{Post, PutPostsRequest, SpaceStatus, StatusReply};
use serde::Serialize;

use super::measure::quantile;
use super::paced::{Pace, paced};
use super::processes::Processes;
use super::searches::{Searcher, Searches, texts};
use super::session::Session;
use crate::args::BusyArgs;
use crate::client::Client;
use crate::commands::{Context, Outcome, build_world, fetch_status, now_ms};
use crate::progress::Spinner;
use crate::render::text::count;

/// Searches before the first ones that count.
const WARM_UP: Duration = Duration::from_secs(3);
/// Writes before the first searches beside them that count.
const RUN_UP: Duration = Duration::from_secs(5);
/// Batches of writes per second, at most.
const BEATS: u32 = 20;
/// Different texts to search for.
const TEXTS: u64 = 2_000;
/// The p99 with writes may be this many times the quiet one.
const WANTED_RATIO: f64 = 2.0;

/// The writes beside the searches.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
struct Writes {
    /// Acknowledged.
    posts: u64,
    /// Refused, without an answer, or not sent because too many batches were open.
    failed: u64,
    per_s: f64,
    /// Of a batch.
    p50_ms: f64,
    p99_ms: f64,
}

/// Work of the maintenance, all replicas together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
struct Upkeep {
    seals: u64,
    merges: u64,
    segments: u64,
}

#[derive(Clone, Debug, Serialize)]
struct Figures {
    nodes: usize,
    shards: usize,
    /// Before and after the writes.
    posts: [u64; 2],
    searches_per_s: u32,
    seconds: u64,
    quiet: Searches,
    busy: Searches,
    quiet_again: Searches,
    writes: Writes,
    /// While the searches of the busy phase ran; `segments` at its end.
    upkeep: Upkeep,
    /// Busy p99 / quiet p99.
    p99_ratio: f64,
    /// Busy p99 / p99 of the second quiet phase, which has as many posts.
    p99_ratio_again: f64,
}

/// Measures a cluster that is loaded and indexed.
pub(super) async fn run(
    context: &Context,
    args: &BusyArgs,
    session: &mut Session,
    processes: &mut Processes,
) -> Result<Outcome> {
    let client = session.client().clone();
    let seconds = Duration::from_secs(args.seconds);
    let rate = args.rate;
    let spinner = Spinner::start("measuring");
    let started = Instant::now();
    spinner.note("writing texts");
    let input = Input::new(args, seconds)?;
    let texts = input.texts.clone();
    let before = whole(&client).await?;
    let searcher = Searcher {
        client: client.clone(),
        texts,
        per_s: rate,
    };
    spinner.note("warming up");
    searcher.run(WARM_UP, processes).await?;
    spinner.note(&format!("{rate} searches/s, quiet"));
    let quiet = searcher.run(seconds, processes).await?;
    spinner.note(&format!("{rate} searches/s beside {} posts/s", args.ingest));
    let stop = Arc::new(AtomicBool::new(false));
    let writer = tokio::spawn(write(client.clone(), input.posts, args.ingest, stop.clone()));
    tokio::time::sleep(RUN_UP).await;
    let first = upkeep(&whole(&client).await?);
    let busy = searcher.run(seconds, processes).await?;
    let last = upkeep(&whole(&client).await?);
    stop.store(true, Ordering::Relaxed);
    let writes = writer.await??;
    spinner.note("indexes");
    session.wait_for_indexes(processes).await?;
    spinner.note(&format!("{rate} searches/s, quiet again"));
    let quiet_again = searcher.run(seconds, processes).await?;
    processes.all_alive()?;
    let after = whole(&client).await?;
    spinner.done(started.elapsed());
    let figures = Figures {
        nodes: after.nodes.len(),
        shards: after.shards.len(),
        posts: [before.posts, after.posts],
        searches_per_s: rate,
        seconds: args.seconds,
        p99_ratio: busy.p99_by(&quiet),
        p99_ratio_again: busy.p99_by(&quiet_again),
        quiet,
        busy,
        quiet_again,
        writes,
        upkeep: Upkeep {
            seals: last.seals.saturating_sub(first.seals),
            merges: last.merges.saturating_sub(first.merges),
            segments: last.segments,
        },
    };
    context.show(&figures, || figures.human())?;
    Ok(figures.outcome())
}

/// The state of all nodes: what one of them does not say would be missing in the sums.
async fn whole(client: &Client) -> Result<StatusReply> {
    let state = fetch_status(client).await?;
    match state.nodes.iter().find(|node| !node.reachable) {
        Some(node) => bail!("node {} does not answer: {}", node.node, node.error),
        None => Ok(state),
    }
}

/// What is written and searched for, made before anything is measured.
struct Input {
    posts: Vec<Post>,
    texts: Arc<Vec<String>>,
}

/// Ids of the posts that a run writes begin here: above those of every world, and of every earlier run.
pub(super) fn first_new_post() -> u64 {
    const NEW: u64 = 1 << 62;
    NEW + (now_ms() << 18) % NEW
}

impl Input {
    fn new(args: &BusyArgs, seconds: Duration) -> Result<Input> {
        let wanted = u64::from(args.ingest) * (seconds + RUN_UP + Duration::from_secs(2)).as_secs();
        let mut size = args.cluster.size.clone();
        // Another world of the same people: about the same topics, in other words.
        size.seed = size.seed.wrapping_add(1);
        size.posts = wanted + TEXTS;
        let world = build_world(&size)?;
        let texts = texts(&world, wanted..wanted + TEXTS)?;
        let first = first_new_post();
        let new = |index: u64| {
            let post = world.post(index);
            Post {
                post_id: first + index,
                author_id: post.author_id,
                text: if post.text.is_empty() {
                    texts[index as usize % texts.len()].clone()
                } else {
                    post.text
                },
                language: post.language,
                ..Post::default()
            }
        };
        let posts = (0..wanted).map(new).collect();
        Ok(Input {
            posts,
            texts: Arc::new(texts),
        })
    }
}

/// Writes the posts at a fixed rate until it is told to stop.
async fn write(client: Client, posts: Vec<Post>, per_s: u32, stop: Arc<AtomicBool>) -> Result<Writes> {
    let (mut writes, mut times) = (Writes::default(), Vec::new());
    let beats = BEATS.min(per_s);
    let pace = Pace {
        per_s: beats,
        time: Duration::from_secs_f64(posts.len() as f64 / f64::from(per_s)),
        stop,
    };
    // Posts that are due before this beat.
    let due = |beat: u64| ((beat * u64::from(per_s) / u64::from(beats)) as usize).min(posts.len());
    let ask = |beat, at| put(client.clone(), posts[due(beat)..due(beat + 1)].to_vec(), at);
    let start = Instant::now();
    let asked = paced(pace, ask, |done: Option<(f64, u64)>| {
        if let Some((took, written)) = done {
            times.push(took);
            writes.posts += written;
        }
    });
    let asked = asked.await?;
    writes.failed = (due(asked) as u64).saturating_sub(writes.posts);
    writes.per_s = writes.posts as f64 / start.elapsed().as_secs_f64();
    writes.p50_ms = quantile(&mut times, 0.5);
    writes.p99_ms = quantile(&mut times, 0.99);
    Ok(writes)
}

/// Time, and how many posts were written.
async fn put(client: Client, posts: Vec<Post>, due: Instant) -> Option<(f64, u64)> {
    let request = PutPostsRequest {
        posts,
        session_token: String::new(),
    };
    let written = match client.rpc().put_posts(request).await {
        Ok(reply) => u64::from(reply.into_inner().succeeded),
        Err(_) => 0,
    };
    Some((due.elapsed().as_secs_f64() * 1000.0, written))
}

fn upkeep(status: &StatusReply) -> Upkeep {
    let replicas = status.nodes.iter().flat_map(|node| &node.replicas);
    let spaces: Vec<&SpaceStatus> = replicas.flat_map(|replica| &replica.spaces).collect();
    let sum = |of: fn(&SpaceStatus) -> u64| spaces.iter().map(|space| of(space)).sum();
    Upkeep {
        seals: sum(|space| space.seals),
        merges: sum(|space| space.merges),
        segments: sum(|space| space.segments.into()),
    }
}

impl Figures {
    fn outcome(&self) -> Outcome {
        let phases = [&self.quiet, &self.busy, &self.quiet_again];
        if phases
            .iter()
            .any(|phase| phase.asked == 0 || phase.failed > 0 || phase.incomplete > 0)
        {
            eprintln!("not good: not every search had a whole answer");
            return Outcome::NotGood;
        }
        let due = self.writes.posts + self.writes.failed;
        if due == 0 || self.writes.failed * 20 > due {
            eprintln!("not good: {} of {due} posts were not written", self.writes.failed);
            return Outcome::NotGood;
        }
        if self.upkeep.seals == 0 || self.upkeep.merges == 0 {
            eprintln!("not good: nothing was sealed or nothing was merged meanwhile; measure longer with --seconds");
            return Outcome::NotGood;
        }
        if self.p99_ratio > WANTED_RATIO {
            eprintln!("not good: the p99 with writes is more than {WANTED_RATIO} times the quiet one");
            return Outcome::NotGood;
        }
        Outcome::Done
    }

    fn human(&self) -> String {
        let mut out = format!(
            "{} nodes, {} shards, {} posts before and {} after; {} searches/s for {} s each\n",
            self.nodes,
            self.shards,
            count(self.posts[0]),
            count(self.posts[1]),
            self.searches_per_s,
            self.seconds
        );
        out += &self.quiet.human("quiet");
        out += &self.busy.human("with writes");
        out += &self.quiet_again.human("quiet again");
        write!(
            out,
            "writes: {:.0} posts/s, p50 {:.1} ms, p99 {:.1} ms per batch; {} written, {} failed\n\
             meanwhile {} seals and {} merges on all replicas, {} segments at the end\n\
             p99 with writes / quiet: {:.2}; / quiet again: {:.2}\n",
            self.writes.per_s,
            self.writes.p50_ms,
            self.writes.p99_ms,
            count(self.writes.posts),
            self.writes.failed,
            self.upkeep.seals,
            self.upkeep.merges,
            self.upkeep.segments,
            self.p99_ratio,
            self.p99_ratio_again,
        )
        .expect("writing to a string");
        out
    }
}

#[cfg(test)]
#[path = "busy_test.rs"]
mod tests;
