//! `covey bench quality`: how near do feeds of a generated world come to the best possible ones, and how far above simple rules are they?
//!
//! The world knows what each viewer wants (`World::true_score`); the cluster does not.

mod baselines;
mod ndcg;
mod report;
mod truth;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use covey_api::v1::FeedPost;

use super::input::visitors;
use super::loaded;
use super::measure::is_whole;
use super::processes::Processes;
use super::session::Session;
use crate::args::{OutputFormat, QualityArgs};
use crate::commands::{Context, Outcome, now_ms};
use crate::progress::Spinner;
use crate::render::text;
use crate::world::World;
use crate::world::dice::{Dice, Stream};
use baselines::{Method, ranked};
use report::{Best, Report, Row, row};
use truth::{Entry, Truth};

/// Posts of a feed that count, as the names of the figures say: the default of `feed.result_size`.
const K: usize = 35;
/// What `--data` lacks.
const NEEDS_A_WORLD: &str = "only a generated world knows what its viewers want; leave out --data";

/// Who is asked for: 0-based indexes of users without bots.
struct Panel {
    /// The latest visitors: they have a history.
    known: Vec<u64>,
    /// Users who never came.
    cold: Vec<u64>,
}

/// 1. starts and loads, 2. chooses viewers, 3. asks for their feeds, 4. ranks all posts for each by the truth and by simple rules,
/// 5. compares.
pub(super) async fn run(context: &Context, args: &QualityArgs, processes: &mut Processes) -> Result<Outcome> {
    if args.cluster.data.is_some() {
        bail!(NEEDS_A_WORLD);
    }
    let session = Session::prepare(context, &args.dir, &args.cluster, true)?;
    let (session, _) = loaded(session, processes).await?;
    let world = session.cast.world.clone().context(NEEDS_A_WORLD)?;
    let (spinner, started) = (Spinner::start("feeds"), Instant::now());
    let panel = panel(&world, args.viewers.into());
    let mut feeds = BTreeMap::new();
    for viewer in panel.known.iter().chain(&panel.cold) {
        feeds.insert(*viewer, feed(&session, viewer + 1).await?);
    }
    spinner.note("what the viewers want");
    let report = tokio::task::spawn_blocking(move || judged(world, &panel, &feeds)).await?;
    spinner.done(started.elapsed());
    match args.json || context.format == OutputFormat::Json {
        true => text::print(&(serde_json::to_string(&report.figures)? + "\n"))?,
        false => text::print(&report.human(context.style))?,
    }
    Ok(Outcome::good(report.good))
}

/// What lacks a shard says nothing about the rules.
async fn feed(session: &Session, viewer: u64) -> Result<Vec<FeedPost>> {
    let (feed, _) = session.patient_feed(viewer, false).await?;
    match is_whole(&feed) {
        true => Ok(feed.posts),
        false => bail!("the feed of viewer {viewer} lacks shards again and again; look at `covey status`"),
    }
}

/// At most `wanted` viewers with a history, and half as many without.
fn panel(world: &World, wanted: usize) -> Panel {
    let spec = world.spec();
    let came: BTreeSet<u64> = (0..spec.sessions).map(|index| world.visit(index).viewer).collect();
    let mut dice = Dice::new(spec.seed, Stream::Viewing, spec.sessions);
    let mut cold = BTreeSet::new();
    // In a small world all may have come.
    for _ in 0..100 * wanted {
        let viewer = dice.below(spec.users);
        if cold.len() < wanted / 2 && !came.contains(&viewer) && !world.person(viewer).bot {
            cold.insert(viewer);
        }
    }
    Panel {
        known: visitors(world).take(wanted).collect(),
        cold: cold.into_iter().collect(),
    }
}

fn judged(world: Arc<World>, panel: &Panel, feeds: &BTreeMap<u64, Vec<FeedPost>>) -> Report {
    let seed = world.spec().seed;
    let viewers: BTreeSet<u64> = feeds.keys().copied().collect();
    let truth = Truth::new(world, now_ms(), &viewers);
    let rows = |viewers: &[u64]| -> Vec<BTreeMap<Method, Row>> {
        let rows = viewers.iter().map(|viewer| rows(&truth, *viewer, &feeds[viewer]));
        rows.collect()
    };
    Report::new(seed, &rows(&panel.known), &rows(&panel.cold))
}

/// The lists of all methods for one viewer, judged.
fn rows(truth: &Truth, viewer: u64, feed: &[FeedPost]) -> BTreeMap<Method, Row> {
    let (pool, follows) = (truth.pool(viewer), truth.follows(viewer));
    let served = |post: &FeedPost| {
        // A repost is judged as the post that it shows.
        let shown = match post.retweeted_post_id {
            0 => post.post_id,
            source => source,
        };
        let index = shown.wrapping_sub(1);
        let known = pool.binary_search_by_key(&index, |entry| entry.post);
        Entry {
            followed: follows.binary_search(&post.author_id.wrapping_sub(1)).is_ok(),
            // What the viewer may not be shown, or no post of this world, is worth nothing.
            ..known.map_or_else(|_| truth.worthless(index), |at| pool[at])
        }
    };
    let served: Vec<Entry> = feed.iter().take(K).map(served).collect();
    let mut dice = Dice::new(truth.seed(), Stream::Slate, u64::MAX - viewer);
    let best = Best::of(&pool, K);
    let judged = Method::ALL.into_iter().map(|method| {
        let list = ranked(method, &served, &pool, K, &mut dice);
        (method, row(&list, &best, |post| truth.text(post)))
    });
    judged.collect()
}

#[cfg(test)]
#[path = "quality_test.rs"]
mod tests;
