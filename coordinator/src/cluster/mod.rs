//! The cluster as the rest of the coordinator sees it: typed reads and writes over shards, with what they cost in nodes,
//! retries and replicas hidden, and how complete they are not hidden.
//!
//! [`Cluster`] is shared by all threads. Calls go through one actor per node ([`node_link_actor`]); everything that
//! decides is a pure module beside it.

mod builds;
mod check;
#[cfg(test)]
mod fake_lists;
mod fan_out;
mod link;
mod lists;
mod merge;
mod metadata;
mod node_link_actor;
mod old_answers;
mod overlap;
mod port;
mod progress;
mod read_index;
mod reads;
mod reads_by_key;
mod replica_choice;
mod report;
mod retry;
mod roster;
mod rounds;
mod search;
mod settings;
mod shard_map;
mod status;
#[cfg(test)]
pub(crate) mod testing;
mod write;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, Context};
use actix_rt::Arbiter;
use covey_config::Config;
use covey_env::{Env, Monotonic};
use covey_shared::ids::{ModelEpoch, NodeId, PostKey, ShardId, UserId};
use covey_shared::layout::ShardPlan;
use covey_shared::metadata::NodePlace;
use covey_shared::wire::{Class, ReplyBody, RequestBody};

use link::LinkLimits;
use old_answers::OldAnswers;
use replica_choice::Choice;
use retry::{Backoff, RetryBudget};
use roster::{LinkParts, Roster};
use settings::SettingsCell;
use shard_map::{Leaders, MapCell, ShardMap};

pub(crate) use builds::NodeBuilds;
pub(crate) use check::{ReplicaCheck, ShardCheck, Verdict};
pub use lists::ListsAsk;
pub(crate) use metadata::{Changed, MetadataError};
pub use port::{CallError, NodeCall, NodePort};
pub use progress::ShardFailure;
pub(crate) use reads::limit;
pub use reads::{InNetworkAsk, ReadError, SearchAsk, VerdictAsk};
pub use report::{Gathered, ReadContext, ReadReport};
pub use settings::SettingsWatch;
pub use status::NodeReport;
pub(crate) use status::WantedShard;
pub use write::WriteError;

/// Where actors run.
#[derive(Clone, Debug)]
pub enum Threads {
    /// On an arbiter's thread.
    On(Arc<Arbiter>),
    /// On the caller's thread: the simulator's and the tests'.
    Here,
}

impl Threads {
    /// A thread of its own.
    #[must_use]
    pub fn own() -> Threads {
        Threads::On(Arc::new(Arbiter::new()))
    }

    /// Starts `actor` there, with a mailbox for that many messages.
    pub fn start<A: Actor<Context = Context<A>> + Send>(&self, actor: A, mailbox: usize) -> actix::Addr<A> {
        let make = move |ctx: &mut Context<A>| {
            ctx.set_mailbox_capacity(mailbox);
            actor
        };
        match self {
            Threads::On(arbiter) => A::start_in_arbiter(&arbiter.handle(), make),
            Threads::Here => A::create(make),
        }
    }

    /// Ends the thread with its actors; those on the caller's thread end with it.
    pub fn stop(&self) {
        if let Threads::On(arbiter) = self {
            arbiter.stop();
        }
    }
}

/// The way to every node, the map, and what retries cost.
pub struct Cluster {
    env: Env,
    map: Arc<MapCell>,
    roster: Arc<Roster>,
    leaders: Arc<Leaders>,
    settings: Arc<SettingsCell>,
    old_answers: OldAnswers,
    /// Of their own, so that writes that wait for an election leave reads theirs.
    read_budget: RetryBudget,
    write_budget: RetryBudget,
    backoff: Backoff,
    /// An older answer makes a read ask another replica.
    max_staleness_ms: u32,
}

impl Cluster {
    /// Starts one link per node, first those of the configuration. `port` makes the way to a node.
    pub fn start(
        env: Env,
        config: &Config,
        threads: &Threads,
        port: impl Fn(&NodePlace) -> Arc<dyn NodePort> + Send + Sync + 'static,
    ) -> Arc<Cluster> {
        let rpc = &config.rpc;
        let limits = LinkLimits {
            window: rpc.in_flight_per_node,
            breaker_failures: rpc.breaker_failures,
            breaker_open: rpc.breaker_open,
            hedge_quantile: rpc.hedge_quantile,
        };
        let leaders = Arc::new(Leaders::default());
        let map = Arc::new(MapCell::new(ShardMap::from_config(config)));
        let settings: Arc<SettingsCell> = Arc::default();
        let parts = LinkParts {
            port: Box::new(port),
            limits,
            leaders: leaders.clone(),
            map: map.clone(),
            settings: settings.clone(),
            clock: env.clock.clone(),
            threads: threads.clone(),
            mailbox: config.coordinator.mailbox,
        };
        let roster = Roster::start(config.directory(), parts);
        Arc::new(Cluster {
            roster,
            map,
            leaders,
            settings,
            old_answers: OldAnswers::default(),
            read_budget: RetryBudget::new(rpc.retry_budget_ratio),
            write_budget: RetryBudget::new(rpc.retry_budget_ratio),
            backoff: Backoff {
                min: rpc.backoff_min,
                max: rpc.backoff_max,
            },
            max_staleness_ms: millis(rpc.max_staleness),
            env,
        })
    }

    /// Grows with every change of the shard map.
    pub fn map_version(&self) -> u64 {
        self.map.load().version()
    }

    /// The shard that everything of `user` lives on.
    pub fn shard_of(&self, user: UserId) -> ShardId {
        self.map.load().owner(user).shard
    }

    /// Shards that have no replica on a node known to be alive; empty = ready to serve.
    pub fn unreachable_shards(&self) -> Vec<ShardId> {
        let (now, links) = (self.now(), self.roster.load());
        let alive = |node: &NodeId| links.get(*node).is_some_and(|l| l.view(now).alive);
        let served = |plan: &&ShardPlan| !plan.voters.iter().any(|v| alive(&v.node));
        let map = self.map.load();
        map.shards().iter().filter(served).map(|plan| plan.shard).collect()
    }

    pub(crate) fn now(&self) -> Monotonic {
        self.env.clock.monotonic()
    }

    pub(crate) fn all_shards(&self) -> Vec<ShardId> {
        self.map.load().shards().iter().map(|plan| plan.shard).collect()
    }

    /// The shards of these users, ascending.
    fn shards_of(&self, users: impl Iterator<Item = UserId>) -> Vec<ShardId> {
        let mut shards: Vec<ShardId> = users.map(|user| self.shard_of(user)).collect();
        shards.sort_unstable();
        shards.dedup();
        shards
    }

    /// The shards of these posts, ascending; of one whose author is not known it may be any.
    pub(crate) fn shards_of_posts(&self, keys: &[PostKey]) -> Vec<ShardId> {
        match keys.iter().any(|key| key.author == UserId(0)) {
            true => self.all_shards(),
            false => self.shards_of(keys.iter().map(|key| key.author)),
        }
    }

    /// The report of a read that nobody answered: of the shards of these users, or of all.
    pub(crate) fn unanswered(&self, users: Option<&[UserId]>) -> ReadReport {
        let shards = match users {
            Some(users) => self.shards_of(users.iter().copied()),
            None => self.all_shards(),
        };
        let mut report = ReadReport::default();
        let map = self.map.load();
        for slots in shards.iter().filter_map(|shard| map.slots(*shard)) {
            report.asked.insert(slots);
            report.holes.insert(slots);
        }
        report.missing_shards.extend(shards);
        report
    }

    /// One call of an operator's work to a node.
    async fn admin(&self, node: NodeId, body: RequestBody, left: Duration) -> Result<ReplyBody, CallError> {
        let call = NodeCall {
            class: Class::Admin,
            left,
            model_epoch: ModelEpoch(0),
            body,
        };
        let links = self.roster.load();
        let link = links.get(node).ok_or(CallError::UnknownNode)?;
        Ok(link.call(call).await?.reply)
    }

    fn choice(&self) -> Choice {
        let (now, links) = (self.now(), self.roster.load());
        let views: BTreeMap<_, _> = links.all().map(|(node, link)| (node, link.view(now))).collect();
        let turn = self.env.entropy.below(views.len().max(1) as u64) as usize;
        Choice::new(views, turn)
    }

    fn pause(&self, retry: u32) -> Duration {
        self.backoff.pause(retry, self.env.entropy.unit())
    }
}

fn millis(time: Duration) -> u32 {
    u32::try_from(time.as_millis()).unwrap_or(u32::MAX)
}

#[cfg(test)]
#[path = "cluster_test.rs"]
mod tests;
