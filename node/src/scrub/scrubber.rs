//! The worker: one replica after the other, so that they do not share the rate.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Weak};
use std::time::Duration;

use covey_embeddings::{DamagedRow, Repaired, Scrub};
use covey_env::{Env, TokenBucket};
use covey_shard::ShardView;
use covey_shared::ids::{NodeId, PostId, ReplicaId, ShardId};
use covey_shared::model::F16Vector;
use covey_shared::wire::{ReplyBody, RequestBody};
use futures::FutureExt;

use super::heal::heal;
use super::schedule::{Due, End, Met, Schedule};
use super::scrubs::Scrubs;
use crate::apply::ApplyLanes;
use crate::nodes::Clients;
use crate::question::{self, AskError};
use crate::replicas::ReplicaSet;

/// From the start of the node to the first pass: there is enough to do at first.
const FIRST: Duration = Duration::from_secs(5);
/// Pause between looks whether a replica is due.
const LOOK: Duration = Duration::from_secs(1);
/// Damaged rows that are remembered and asked for again: 8 MiB of them. What is beyond is found by the next pass, which is due
/// as long as searches meet such rows.
const MAX_LEFT: usize = 1 << 19;
/// Time for a question to another node.
const ASK_DEADLINE: Duration = Duration::from_secs(5);

/// What the scrubber needs.
pub(crate) struct ScrubberDeps {
    pub(crate) env: Env,
    pub(crate) node: NodeId,
    pub(crate) replicas: Arc<ReplicaSet>,
    /// Clients of its own: connections, too.
    pub(crate) clients: Clients,
    pub(crate) lanes: ApplyLanes,
    pub(crate) scrubs: Arc<Scrubs>,
    /// Bytes per second.
    pub(crate) rate: u64,
    /// Time between two passes.
    pub(crate) interval: Duration,
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
        let mut scrubber = Scrubber {
            bucket: TokenBucket::new(deps.rate),
            known: BTreeMap::new(),
            deps,
        };
        scrubber.look_round();
        scrubber
    }

    /// Looks which replicas there are now.
    fn look_round(&mut self) -> BTreeSet<ShardId> {
        let all = self.deps.replicas.all();
        let here: BTreeSet<ShardId> = all.iter().map(|replica| replica.shard).collect();
        self.known.retain(|shard, _| here.contains(shard));
        for shard in &here {
            let interval = self.deps.interval;
            self.known.entry(*shard).or_insert_with(|| Known {
                schedule: Schedule::new(interval),
                left: Vec::new(),
                view: None,
            });
        }
        self.deps.scrubs.keep(&here);
        here
    }

    /// Works until [`Scrubs::close`].
    pub(crate) async fn run(mut self) {
        let scrubs = self.deps.scrubs.clone();
        scrubs.pause(FIRST).await;
        while !scrubs.is_closed() {
            for shard in self.look_round() {
                self.turn(shard).await;
            }
            scrubs.pause(LOOK).await;
        }
    }

    async fn turn(&mut self, shard: ShardId) {
        let Some(replica) = self.deps.replicas.get(shard) else {
            return;
        };
        let (now, view) = (self.deps.env.clock.monotonic(), replica.view());
        let known = self.known.get_mut(&shard).expect("all replicas are known");
        let other = |before: &Weak<ShardView>| !std::ptr::eq(before.as_ptr(), Arc::as_ptr(&view));
        if known.view.as_ref().is_some_and(other) {
            known.schedule.replaced(now);
            known.left.clear();
            self.deps.scrubs.show(shard, |status| status.unrepaired = 0);
        }
        known.view = Some(Arc::downgrade(&view));
        match known.schedule.due(now, met(&view)) {
            Due::Nothing => {}
            Due::Pass => self.pass(shard, view).await,
            Due::Heal => self.heal_again(shard, view).await,
        }
    }

    /// Reads all files. What is damaged is healed folder by folder: a pass may take hours.
    async fn pass(&mut self, shard: ShardId, view: Arc<ShardView>) {
        let scrubs = self.deps.scrubs.clone();
        let known = std::mem::take(&mut self.known(shard).left);
        let known: BTreeSet<PostId> = known.iter().map(|row| row.post).collect();
        let (losses, mut scrub) = (view.lost_pages(), view.scrub());
        scrubs.show(shard, |status| {
            (status.running, status.bytes, status.total_bytes) = (true, 0, scrub.total_bytes());
        });
        while let Some(bytes) = scrub.step() {
            scrubs.show(shard, |status| {
                (status.bytes, status.rows) = (scrub.report().bytes, scrub.report().rows);
            });
            let damaged = scrub.take_damaged();
            if !damaged.is_empty() {
                let news = damaged.iter().filter(|row| !known.contains(&row.post)).count();
                scrubs.show(shard, |status| status.damaged += news as u64);
                self.heal(shard, &view, damaged).await;
            }
            let wait = self.bucket.charge(self.deps.env.clock.monotonic(), bytes);
            scrubs.pause(wait).await;
            if scrubs.is_closed() || !self.is_current(shard, &view) {
                // The end of this view will be noticed.
                scrubs.show(shard, |status| status.running = false);
                return;
            }
        }
        let rows = view.damaged_rows();
        self.passed(shard, Met { rows, losses }, &scrub);
    }

    fn passed(&mut self, shard: ShardId, met: Met, scrub: &Scrub) {
        let (report, scrubs) = (scrub.report(), &self.deps.scrubs);
        for path in &report.files {
            let path = path.display();
            tracing::warn!(shard = shard.0, %path, "a file is damaged: it is written again, once the rows of its folder are sound");
        }
        let (now, left) = (self.deps.env.clock.monotonic(), self.known[&shard].left.len() as u64);
        scrubs.show(shard, |status| {
            status.damaged += report.unnamed;
            status.files += report.files.len() as u64;
            status.unrepaired = left;
        });
        scrubs.passed(shard, now);
        let (end, more) = (self.end(shard), report.unnamed > 0);
        self.known(shard).schedule.passed(now, met, end, more);
    }

    async fn heal_again(&mut self, shard: ShardId, view: Arc<ShardView>) {
        let left = std::mem::take(&mut self.known(shard).left);
        self.heal(shard, &view, left).await;
        let (now, met, end) = (self.deps.env.clock.monotonic(), view.damaged_rows(), self.end(shard));
        self.known(shard).schedule.healed(now, met, end);
    }

    fn known(&mut self, shard: ShardId) -> &mut Known {
        self.known.get_mut(&shard).expect("all replicas are known")
    }

    fn end(&self, shard: ShardId) -> End {
        match self.known[&shard].left.is_empty() {
            true => End::Sound,
            false => End::Unhealed,
        }
    }

    fn is_current(&self, shard: ShardId, view: &Arc<ShardView>) -> bool {
        let now = self.deps.replicas.get(shard);
        now.is_some_and(|replica| Arc::ptr_eq(&replica.view(), view))
    }

    /// Asks the other members of the group for `rows`, and keeps in mind what they did not have.
    async fn heal(&mut self, shard: ShardId, view: &Arc<ShardView>, rows: Vec<DamagedRow>) {
        let deps = &self.deps;
        let folders: BTreeSet<u32> = rows.iter().map(|row| row.folder).collect();
        let members = view.applied().members.all().into_iter().map(ReplicaId::node);
        let others = members.filter(|node| *node != deps.node && deps.clients.get(*node).is_some());
        let members: Vec<NodeId> = others.collect();
        tracing::warn!(
            shard = shard.0,
            rows = rows.len(),
            ?folders,
            "vectors are damaged on the disk: the other members are asked"
        );
        let ask = |node, posts| deps.ask(shard, node, posts).boxed();
        let put = |copies| deps.put(shard, copies).boxed();
        // What was deleted or replaced meanwhile needs no healing.
        let damaged = rows.iter().copied().filter(|row| view.still_has(row)).collect();
        let healed = heal(damaged, &members, &ask, &put).await;
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
        if !healed.left.is_empty() && !deps.scrubs.is_closed() {
            tracing::error!(
                shard = shard.0,
                rows = healed.left.len(),
                members = members.len(),
                "no other member gave these damaged vectors: searches leave them out, and they are asked for again. If this \
                 goes on, see docs/running.md, \"A bad sector\""
            );
        }
        let left = &mut self.known.get_mut(&shard).expect("all replicas are known").left;
        let room = MAX_LEFT.saturating_sub(left.len());
        left.extend(healed.left.into_iter().take(room));
        let unrepaired = left.len() as u64;
        self.deps.scrubs.show(shard, |status| {
            status.repaired += healed.repaired;
            status.unrepaired = unrepaired;
        });
    }
}

fn met(view: &ShardView) -> Met {
    Met {
        rows: view.damaged_rows(),
        losses: view.lost_pages(),
    }
}

impl ScrubberDeps {
    async fn ask(&self, shard: ShardId, node: NodeId, posts: Vec<PostId>) -> Result<Vec<Option<F16Vector>>, AskError> {
        let body = RequestBody::Vectors { shard, posts };
        let client = self.clients.get(node).ok_or(AskError::Unknown)?;
        let answer = question::ask(&client, ASK_DEADLINE, body);
        match self.scrubs.unless_closed(answer).await.ok_or(AskError::Stopped)?? {
            ReplyBody::Vectors(copies) => Ok(copies?),
            _ => Err(AskError::Answer),
        }
    }

    async fn put(&self, shard: ShardId, copies: Vec<(DamagedRow, F16Vector)>) -> Option<Vec<Repaired>> {
        self.scrubs.unless_closed(self.lanes.repair(shard, copies)).await?
    }
}
