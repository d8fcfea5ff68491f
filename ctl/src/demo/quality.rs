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

use anyhow::{Context as _, Result};
use covey_api::v1::{FeedPost, GetFeedRequest};

use super::session::Session;
use crate::args::{OutputFormat, QualityArgs};
use crate::client::{Client, refused};
use crate::commands::{Context, Outcome, now_ms};
use crate::progress::Spinner;
use crate::render::text;
use crate::world::World;
use crate::world::dice::{Dice, Stream};
use baselines::Method;
use report::{Best, Report, Row, row};
use truth::{Entry, Truth};

/// Posts of a feed: the default of `feed.result_size`.
const K: usize = 35;

/// Who is asked for: 0-based indexes of users without bots.
struct Panel {
    /// The latest visitors: they have a history.
    known: Vec<u64>,
    /// Users who never came.
    cold: Vec<u64>,
}

/// 1. chooses viewers, 2. asks for their feeds, 3. ranks all posts for each by the truth and by simple rules, 4. compares.
pub(super) async fn run(context: &Context, args: &QualityArgs, session: &Session) -> Result<Outcome> {
    let world = session.cast.world.clone();
    let world = world.context("only a generated world knows what its viewers want; leave out --data")?;
    let (spinner, started) = (Spinner::start("feeds"), Instant::now());
    let panel = panel(&world, args.viewers.into());
    let mut feeds = BTreeMap::new();
    for viewer in panel.known.iter().chain(&panel.cold) {
        feeds.insert(*viewer, feed(session.client(), viewer + 1).await?);
    }
    spinner.note("what the viewers want");
    let report = tokio::task::spawn_blocking(move || judged(world, &panel, &feeds)).await?;
    spinner.done(started.elapsed());
    match args.json || context.format == OutputFormat::Json {
        true => text::print(&(serde_json::to_string(&report.figures)? + "\n"))?,
        false => text::print(&report.human(context.style))?,
    }
    match report.is_good() {
        true => Ok(Outcome::Done),
        false => Ok(Outcome::NotGood),
    }
}

async fn feed(client: &Client, viewer_id: u64) -> Result<Vec<FeedPost>> {
    let request = GetFeedRequest {
        viewer_id,
        limit: K as u32,
        ..GetFeedRequest::default()
    };
    let reply = client.rpc().get_feed(request).await.map_err(refused("feed"))?;
    Ok(reply.into_inner().posts)
}

/// At most `wanted` viewers with a history, and half as many without.
fn panel(world: &World, wanted: usize) -> Panel {
    let spec = world.spec();
    let mut visitors = BTreeSet::new();
    let mut known = Vec::new();
    for index in (0..spec.sessions).rev() {
        let viewer = world.visit(index).viewer;
        if visitors.insert(viewer) && known.len() < wanted && !world.person(viewer).bot {
            known.push(viewer);
        }
    }
    let mut dice = Dice::new(spec.seed, Stream::Viewing, spec.sessions);
    let mut cold = BTreeSet::new();
    // In a small world all may have come.
    for _ in 0..100 * wanted {
        let viewer = dice.below(spec.users);
        if cold.len() < wanted / 2 && !visitors.contains(&viewer) && !world.person(viewer).bot {
            cold.insert(viewer);
        }
    }
    Panel {
        known,
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
    let pool = truth.pool(viewer);
    let served = |post: &FeedPost| {
        // A repost is judged as the post that it shows.
        let shown = match post.retweeted_post_id {
            0 => post.post_id,
            source => source,
        };
        let known = pool.iter().find(|entry| entry.post + 1 == shown).copied();
        Entry {
            followed: truth.follows(viewer, post.author_id.wrapping_sub(1)),
            // What the viewer may not be shown, or no post of this world, is worth nothing.
            ..known.unwrap_or_else(|| truth.worthless(shown.wrapping_sub(1)))
        }
    };
    let pipeline: Vec<Entry> = feed.iter().take(K).map(served).collect();
    let mut dice = Dice::new(truth.seed(), Stream::Slate, u64::MAX - viewer);
    let list = |method: Method| match method {
        Method::Pipeline => pipeline.clone(),
        method => baselines::ranked(method, &pool, K, &mut dice),
    };
    let best = Best::of(&pool, K);
    let lists = Method::ALL.into_iter().zip(Method::ALL.map(list));
    let judged = lists.map(|(method, list)| (method, row(&list, &best, |post| truth.text(post))));
    judged.collect()
}

#[cfg(test)]
#[path = "quality_test.rs"]
mod tests;
