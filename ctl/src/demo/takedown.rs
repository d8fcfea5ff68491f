//! `covey bench takedown`: posts that viewers are shown are taken down or deleted; until when do replies show them?

mod ledger;
mod report;
mod tries;
mod watchers;
mod writes;

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use covey_api::v1::ShardStatus;
use rustix::process::Signal;

use super::fill::fill_with_world;
use super::place::Place;
use super::processes::Processes;
use super::rig::{Rig, Shape, node_name};
use super::slots::slot;
use super::traffic::{Demand, Rates, Traffic};
use crate::args::{OutputFormat, TakedownArgs};
use crate::client::Client;
use crate::commands::{Context, Outcome, fetch_status};
use crate::progress::Spinner;
use crate::render::text;
use ledger::PROMISE;
use report::Report;
use tries::{Pair, Plan};
use watchers::Watchers;

/// Posts stay however old they are, and are shown again and again: watchers look for ever.
const SETTINGS: &str =
    "[retention]\nwindow = \"off\"\n\n[feed]\nmax_post_age = \"off\"\nserved_suppression = \"0ms\"\n";
const NODES: usize = 3;
/// Posts that are there at once, each by an author of its own: no rule holds one back for another.
const AT_ONCE: u64 = 20;
/// Searches per second beside the feeds and writes.
const SEARCHES: u32 = 5;
/// For every watcher to be shown all posts of a round; what is not seen then is no try.
const SEEN: Duration = Duration::from_secs(10);
/// For every watcher to look through a session once more behind the last acknowledgement.
const LOOKED: Duration = Duration::from_secs(30);
/// Between two looks at the ledger.
const AGAIN: Duration = Duration::from_millis(20);
/// With `--kill`, rounds from one fault to the next.
const FAULT_EVERY: u64 = 5;
/// From the place of a fault in its round to that of the next one of its kind. It has no factor in common with [`AT_ONCE`], so that all
/// places have their turn.
const FAULT_STEP: u64 = 7;
/// Users that no world has: those whose posts are taken down, strangers, watchers.
const FOLLOWED: u64 = 1 << 60;
const STRANGERS: u64 = FOLLOWED + 1_000;
const WATCHERS: u64 = FOLLOWED + 1_000_000;

/// The cluster under its traffic.
struct Stage<'a> {
    rig: Rig,
    coordinators: Vec<Client>,
    watchers: Watchers,
    pairs: Vec<Pair>,
    texts: Vec<String>,
    first_post: u64,
    processes: &'a mut Processes,
    faults: u64,
}

/// What happens to the leader of the next post's shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// SIGKILL; it is started again behind the last acknowledgement of the round.
    Kill,
    /// SIGSTOP, and SIGCONT once what it holds is older than the promise.
    Stop,
}

impl Fault {
    /// In the first of every [`FAULT_EVERY`] rounds, kills and stops in turns, and the place in the round of the post before which it comes.
    fn in_round(round: u64) -> Option<(Fault, usize)> {
        let faults = round / FAULT_EVERY;
        let fault = if faults.is_multiple_of(2) {
            Fault::Kill
        } else {
            Fault::Stop
        };
        let at = (faults / 2 * FAULT_STEP % AT_ONCE) as usize;
        round.is_multiple_of(FAULT_EVERY).then_some((fault, at))
    }
}

/// Which pair writes the posts of a try. Each has one of every round, and another kind in the next one.
fn pair_of(number: u64) -> usize {
    ((number + number / AT_ONCE) % AT_ONCE) as usize
}

/// Which of so many coordinators takes the posts of a try away. It changes half as fast as the pairs do, so that every kind meets every pair at
/// both.
fn coordinator_of(number: u64, coordinators: usize) -> usize {
    ((number + number / AT_ONCE / 2) % coordinators as u64) as usize
}

/// 1. starts, loads and begins the traffic, 2. has the watchers follow the authors, 3. writes, sees and takes down, round by round,
/// 4. tells.
pub(super) async fn run(context: &Context, args: &TakedownArgs, processes: &mut Processes) -> Result<Outcome> {
    let shape = Shape {
        nodes: NODES,
        shards: args.shards,
        replication: NODES,
    };
    let rig = Rig::shaped(Place::open_new(&args.dir, args.fresh)?, shape, SETTINGS)?;
    let first = rig.up(processes).await?;
    let (world, _) = fill_with_world(("takedown", args.posts), &rig, &first, processes).await?;
    let demand = Demand::of(&first, &world, rates(args)).await?;
    let second = rig.another_coordinator(processes).await?;
    let coordinators = vec![first, second];
    let pairs = pairs(&fetch_status(&coordinators[0]).await?.shards);
    let viewers: Vec<u64> = (WATCHERS..).take(watchers::needed(coordinators.len())).collect();
    let authors: Vec<u64> = pairs.iter().map(|pair| pair.followed).collect();
    writes::follow(&coordinators[0], &viewers, &authors).await?;
    let mut stage = Stage {
        rig,
        watchers: Watchers::start(&coordinators, &viewers),
        coordinators,
        pairs,
        texts: demand.texts.clone(),
        // Behind all that the traffic may write.
        first_post: demand.first_post + (1 << 40),
        processes,
        faults: 0,
    };
    let (traffic, started) = (Traffic::start(demand), Instant::now());
    let ended = stage.rounds(args).await;
    let seconds = started.elapsed().as_secs_f64();
    // What was measured before something went wrong is shown all the same.
    let events = traffic.finish().await?;
    let report = Report::of(&stage.watchers.ledger(), &events, stage.faults, seconds);
    show(context, args, &report)?;
    ended?;
    Ok(Outcome::good(report.is_good(args.kill)))
}

fn show(context: &Context, args: &TakedownArgs, report: &Report) -> Result<()> {
    for told in &report.told {
        eprintln!("  {told}");
    }
    match args.json || context.format == OutputFormat::Json {
        true => text::print(&report.json()?)?,
        false => text::print(&report.human(context.style))?,
    }
    Ok(())
}

/// What is asked for and written beside the tries.
fn rates(args: &TakedownArgs) -> Rates {
    Rates {
        searches: SEARCHES,
        feeds: args.feeds,
        posts: args.ingest,
    }
}

fn shard_of(user: u64, shards: &[ShardStatus]) -> Option<&ShardStatus> {
    shards
        .iter()
        .find(|shard| (shard.slot_start..shard.slot_end).contains(&slot(user)))
}

/// As many as posts are there at once.
fn pairs(shards: &[ShardStatus]) -> Vec<Pair> {
    let home = |user: u64| shard_of(user, shards).map(|shard| shard.shard);
    let mut strangers: Vec<u64> = (STRANGERS..).take(50 * AT_ONCE as usize).collect();
    let pair = |followed: u64| {
        let elsewhere = strangers.iter().position(|stranger| home(*stranger) != home(followed));
        Pair {
            followed,
            stranger: strangers.swap_remove(elsewhere.unwrap_or(0)),
        }
    };
    (FOLLOWED..FOLLOWED + AT_ONCE).map(pair).collect()
}

impl Stage<'_> {
    async fn rounds(&mut self, args: &TakedownArgs) -> Result<()> {
        let (spinner, started) = (Spinner::start("taking down"), Instant::now());
        let tries = u64::from(args.tries);
        for round in 0..tries.div_ceil(AT_ONCE) {
            let numbers = round * AT_ONCE..((round + 1) * AT_ONCE).min(tries);
            spinner.note(&format!("{} of {tries} tries", numbers.start));
            let fault = Fault::in_round(round).filter(|_| args.kill);
            self.round(numbers, fault).await?;
        }
        spinner.done(started.elapsed());
        Ok(())
    }

    /// Writes posts, waits until all watchers were shown them, takes them away one after another, and waits until all watchers have
    /// looked again.
    async fn round(&mut self, numbers: std::ops::Range<u64>, fault: Option<(Fault, usize)>) -> Result<()> {
        self.processes.all_alive()?;
        let plan = |number: u64| {
            let text = &self.texts[number as usize % self.texts.len()];
            let pair = self.pairs[pair_of(number)];
            Plan::new(number, self.first_post + 2 * number, pair, text)
        };
        let plans: Vec<Plan> = numbers.map(plan).collect();
        let tries: Vec<usize> = {
            let mut ledger = self.watchers.ledger();
            plans.iter().map(|plan| ledger.open(plan.kind, &plan.ids())).collect()
        };
        writes::put(&self.coordinators[0], &plans).await?;
        let since = Instant::now();
        while self.watchers.ledger().unseen(&tries) > 0 && since.elapsed() < SEEN {
            tokio::time::sleep(AGAIN).await;
        }
        self.watchers.ledger().tell_unseen(&tries);
        let mut struck = None;
        for (place, (plan, number)) in plans.iter().zip(&tries).enumerate() {
            if let Some((fault, _)) = fault.filter(|(_, at)| at % plans.len() == place) {
                struck = Some((fault, self.strike(fault, plan.target.author_id).await?));
            }
            let coordinator = coordinator_of(*number as u64, self.coordinators.len());
            writes::take_away(&self.coordinators[coordinator], plan).await?;
            let at = self.watchers.elapsed();
            self.watchers.ledger().acked(*number, at);
        }
        self.look_once_more().await?;
        if let Some((fault, node)) = struck {
            self.heal(fault, node).await?;
            self.look_once_more().await?;
        }
        Ok(())
    }

    /// Until every watcher has looked through a session that began so late that it may show nothing any more.
    async fn look_once_more(&self) -> Result<()> {
        let (from, since) = (self.watchers.elapsed() + PROMISE, Instant::now());
        while !self.watchers.ledger().looked_since(from) {
            if since.elapsed() > LOOKED {
                bail!("a viewer had no whole session of feeds for {} s", LOOKED.as_secs());
            }
            tokio::time::sleep(AGAIN).await;
        }
        Ok(())
    }

    /// The node that leads the shard of this author dies, or stands still. Its number.
    async fn strike(&mut self, fault: Fault, author: u64) -> Result<u64> {
        let status = fetch_status(&self.coordinators[0]).await?;
        let shard = shard_of(author, &status.shards).context("a user has no shard")?;
        let node = Some(shard.leader).filter(|leader| *leader != 0);
        let node = node.with_context(|| format!("shard {} has no leader", shard.shard))?;
        let name = node_name(node);
        match fault {
            Fault::Kill => self.processes.kill_one(&name).await,
            Fault::Stop => self.processes.signal(&name, Signal::STOP)?,
        }
        self.faults += 1;
        Ok(node)
    }

    async fn heal(&mut self, fault: Fault, node: u64) -> Result<()> {
        match fault {
            Fault::Kill => self.rig.start_node(node, self.processes)?,
            Fault::Stop => self.processes.signal(&node_name(node), Signal::CONT)?,
        }
        self.rig.quietly_healthy(self.processes).await?;
        Ok(())
    }
}

#[cfg(test)]
#[path = "takedown_test.rs"]
mod tests;
