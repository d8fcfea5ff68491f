//! The worker: one replica after the other, so that they do not share the rate.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Weak};
use std::time::Duration;

use arc_swap::ArcSwap;
use covey_embeddings::{DamagedRow, Repaired, ScrubReport};
use covey_env::Env;
use covey_rpc::NodeClient;
use covey_shard::ShardView;
use covey_shared::ids::{ModelEpoch, NodeId, PostId, ShardId};
use covey_shared::layout::ShardPlan;
use covey_shared::model::F16Vector;
use covey_shared::wire::{Class, ReplyBody, RequestBody};
use futures::FutureExt;

use super::heal::{AskError, heal};
use super::schedule::{Due, End, Schedule};
use super::scrubs::Scrubs;
use crate::apply::ApplyLanes;
use crate::token_bucket::TokenBucket;

/// From the start of the node to the first pass: there is enough to do at first.
const FIRST: Duration = Duration::from_secs(5);
/// Pause between looks whether a replica is due.
const LOOK: Duration = Duration::from_secs(1);
/// Time for a question to another node.
const ASK_DEADLINE: Duration = Duration::from_secs(5);

/// What other replicas could not make good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unhealed {
    /// Rows that no other member has as they were written.
    pub(crate) rows: u64,
    /// Other members that the group has.
    pub(crate) members: usize,
}

/// Is told of replicas that cannot be healed row by row, each time it was tried.
pub(crate) type OnUnhealed = dyn Fn(ShardId, Unhealed) + Send + Sync;

/// What the scrubber needs.
pub(crate) struct ScrubberDeps {
    pub(crate) env: Env,
    pub(crate) node: NodeId,
    pub(crate) plans: BTreeMap<ShardId, ShardPlan>,
    /// What each replica holds now.
    pub(crate) views: BTreeMap<ShardId, Arc<ArcSwap<ShardView>>>,
    /// Clients of its own: connections, too.
    pub(crate) clients: BTreeMap<NodeId, NodeClient>,
    pub(crate) lanes: ApplyLanes,
    pub(crate) scrubs: Arc<Scrubs>,
    /// Bytes per second.
    pub(crate) rate: u64,
    /// Time between two passes.
    pub(crate) interval: Duration,
    pub(crate) on_unhealed: Box<OnUnhealed>,
}

/// What is known of one replica between two looks.
struct Known {
    schedule: Schedule,
    /// Damaged rows that no other member gave, in this view.
    left: Vec<DamagedRow>,
    view: Option<Weak<ShardView>>,
}

/// Reads and heals.
pub(crate) struct Scrubber {
    deps: ScrubberDeps,
    bucket: TokenBucket,
    known: BTreeMap<ShardId, Known>,
}

impl Scrubber {
    pub(crate) fn new(deps: ScrubberDeps) -> Scrubber {
        let known = |shard: &ShardId| {
            let known = Known {
                schedule: Schedule::new(deps.interval),
                left: Vec::new(),
                view: None,
            };
            (*shard, known)
        };
        Scrubber {
            bucket: TokenBucket::new(deps.rate),
            known: deps.views.keys().map(known).collect(),
            deps,
        }
    }

    /// Works until [`Scrubs::close`].
    pub(crate) async fn run(mut self) {
        let (scrubs, shards) = (self.deps.scrubs.clone(), self.deps.views.keys().copied());
        let shards: Vec<ShardId> = shards.collect();
        scrubs.pause(FIRST).await;
        while !scrubs.is_closed() {
            for shard in &shards {
                self.turn(*shard).await;
            }
            scrubs.pause(LOOK).await;
        }
    }

    async fn turn(&mut self, shard: ShardId) {
        let (now, view) = (self.deps.env.clock.monotonic(), self.deps.views[&shard].load_full());
        let known = self.known.get_mut(&shard).expect("all replicas are known");
        let other = |before: &Weak<ShardView>| !std::ptr::eq(before.as_ptr(), Arc::as_ptr(&view));
        if known.view.as_ref().is_some_and(other) {
            known.schedule.replaced(now);
            known.left.clear();
            self.deps.scrubs.show(shard, |status| status.unrepaired = 0);
        }
        known.view = Some(Arc::downgrade(&view));
        match known.schedule.due(now, view.damaged_rows()) {
            Due::Nothing => {}
            Due::Pass => self.pass(shard, view).await,
            Due::Heal => self.heal_again(shard, view).await,
        }
    }

    async fn pass(&mut self, shard: ShardId, view: Arc<ShardView>) {
        let report = self.read(shard, &view).await;
        let Some(report) = report.filter(|_| self.is_current(shard, &view)) else {
            // Its end will be noticed, or it is due again.
            self.deps.scrubs.show(shard, |status| status.running = false);
            return;
        };
        let known: BTreeSet<PostId> = self.known[&shard].left.iter().map(|row| row.post).collect();
        let named = report.damaged.iter().filter(|row| !known.contains(&row.post)).count() as u64;
        self.deps.scrubs.show(shard, |status| {
            status.damaged += named + report.unnamed;
            status.files += report.files.len() as u64;
        });
        self.log(shard, &report);
        let met = view.damaged_rows();
        let end = match self.heal(shard, &view, report.damaged).await {
            End::Sound if report.unnamed > 0 => End::More,
            end => end,
        };
        let now = self.deps.env.clock.monotonic();
        self.deps.scrubs.passed(shard, now);
        self.schedule(shard).passed(now, met, end);
    }

    async fn heal_again(&mut self, shard: ShardId, view: Arc<ShardView>) {
        let left = std::mem::take(&mut self.known.get_mut(&shard).expect("all replicas are known").left);
        let end = self.heal(shard, &view, left).await;
        let now = self.deps.env.clock.monotonic();
        self.schedule(shard).healed(now, end);
    }

    fn schedule(&mut self, shard: ShardId) -> &mut Schedule {
        &mut self.known.get_mut(&shard).expect("all replicas are known").schedule
    }

    /// `None` if the node stops or another replica took the place of this one.
    async fn read(&mut self, shard: ShardId, view: &Arc<ShardView>) -> Option<ScrubReport> {
        let (scrubs, mut scrub) = (self.deps.scrubs.clone(), view.scrub());
        scrubs.show(shard, |status| {
            (status.running, status.bytes, status.total_bytes) = (true, 0, scrub.total_bytes());
        });
        while let Some(bytes) = scrub.step() {
            scrubs.show(shard, |status| {
                (status.bytes, status.rows) = (scrub.report().bytes, scrub.report().rows);
            });
            let wait = self.bucket.charge(self.deps.env.clock.monotonic(), bytes);
            scrubs.pause(wait).await;
            if scrubs.is_closed() || !self.is_current(shard, view) {
                return None;
            }
        }
        Some(scrub.report().clone())
    }

    fn is_current(&self, shard: ShardId, view: &Arc<ShardView>) -> bool {
        Arc::ptr_eq(&self.deps.views[&shard].load(), view)
    }

    fn log(&self, shard: ShardId, report: &ScrubReport) {
        for path in &report.files {
            let path = path.display();
            tracing::warn!(shard = shard.0, %path, "a file is damaged, what it holds is in memory: it is written again");
        }
        let folders: BTreeSet<u32> = report.damaged.iter().map(|row| row.folder).collect();
        if !folders.is_empty() {
            let rows = report.damaged.len() as u64 + report.unnamed;
            tracing::warn!(
                shard = shard.0,
                rows,
                ?folders,
                "vectors are damaged on the disk: the other members are asked"
            );
        }
    }

    /// Asks the other members of the group for `rows`, and keeps in mind what they did not have.
    async fn heal(&mut self, shard: ShardId, view: &Arc<ShardView>, rows: Vec<DamagedRow>) -> End {
        let (deps, plan) = (&self.deps, &self.deps.plans[&shard]);
        let voters = plan.voters.iter().map(|place| place.node);
        let members: Vec<NodeId> = voters.filter(|node| *node != deps.node).collect();
        let ask = |node, posts| deps.ask(shard, node, posts).boxed();
        let put = |copies| deps.put(shard, copies).boxed();
        // What was deleted or replaced meanwhile needs no healing.
        let damaged = rows.iter().copied().filter(|row| view.still_has(row)).collect();
        let healed = heal(damaged, &members, &ask, &put).await;
        let left = healed.left.len() as u64;
        deps.scrubs.show(shard, |status| {
            status.repaired += healed.repaired;
            status.unrepaired = left;
        });
        if healed.repaired > 0 {
            tracing::info!(
                shard = shard.0,
                rows = healed.repaired,
                "damaged vectors were made good by other members"
            );
        }
        let folders: BTreeSet<u32> = healed.left.iter().map(|row| row.folder).collect();
        let mut whole = rows;
        whole.retain(|row| !folders.contains(&row.folder));
        view.rewrite(&whole);
        if left > 0 && !deps.scrubs.is_closed() {
            let members = members.len();
            (deps.on_unhealed)(shard, Unhealed { rows: left, members });
        }
        self.known.get_mut(&shard).expect("all replicas are known").left = healed.left;
        if left == 0 { End::Sound } else { End::Unhealed }
    }
}

impl ScrubberDeps {
    async fn ask(&self, shard: ShardId, node: NodeId, posts: Vec<PostId>) -> Result<Vec<Option<F16Vector>>, AskError> {
        let client = &self.clients[&node];
        let call = client.call(
            Class::Bulk,
            ASK_DEADLINE,
            RequestBody::Vectors { shard, posts },
            ModelEpoch(0),
        );
        match self.scrubs.unless_closed(call).await {
            None => Err(AskError::Stopped),
            Some(Ok(ReplyBody::Vectors(copies))) => copies.map_err(AskError::Refused),
            Some(Ok(_)) => Err(AskError::Answer),
            Some(Err(error)) => Err(AskError::Call(error)),
        }
    }

    async fn put(&self, shard: ShardId, copies: Vec<(DamagedRow, F16Vector)>) -> Option<Vec<Repaired>> {
        self.scrubs.unless_closed(self.lanes.repair(shard, copies)).await?
    }
}
