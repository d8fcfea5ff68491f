//! Runs a read over shards: one call per node, retries for what failed, hedges for what is late, all inside the deadline.

use std::collections::BTreeMap;
use std::time::Duration;

use covey_env::Monotonic;
use covey_shared::ids::ShardId;
use covey_shared::slots::{Slot, SlotSet};
use covey_shared::wire::{ReplyBody, RequestBody, ShardRead, ShardReply};
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use tracing::Instrument;

use crate::cluster::merge::claim;
use crate::cluster::overlap::Owners;
use crate::cluster::port::{CallError, NodeCall};
use crate::cluster::progress::{Attempt, Batch, Part, Progress, ShardFailure, Target};
use crate::cluster::report::{ReadContext, ReadReport};
use crate::cluster::{Cluster, millis};

/// Hedging a read that would have been answered in this time saves nothing.
const MIN_HEDGE: Duration = Duration::from_millis(5);

/// Takes the answers of the shards out of a reply; `None` if it answers another question.
pub(crate) type Open<T> = fn(ReplyBody) -> Option<Vec<ShardReply<T>>>;

/// What is asked.
pub(crate) struct Ask<'a, T> {
    /// Of which shards.
    pub(crate) shards: Vec<ShardId>,
    /// The request to a node, for these of its shards.
    pub(crate) body: &'a (dyn Fn(Vec<ShardRead>) -> RequestBody + Sync),
    /// Reads the replies.
    pub(crate) open: Open<T>,
}

/// What came back: at most one answer per shard.
pub(crate) struct Answers<T> {
    pub(crate) parts: Vec<Part<T>>,
    pub(crate) failed: BTreeMap<ShardId, ShardFailure>,
    pub(crate) report: ReadReport,
}

impl<R> Answers<Vec<R>> {
    /// All rows that count: where answers overlap, those of the newest.
    pub(crate) fn rows(self, slot: impl Fn(&R) -> Slot) -> (Vec<R>, ReadReport) {
        let owners = Owners::new(self.parts.iter().map(claim).collect());
        let mut rows = Vec::with_capacity(self.parts.iter().map(|p| p.value.len()).sum());
        for (i, part) in self.parts.into_iter().enumerate() {
            rows.extend(part.value.into_iter().filter(|row| owners.owns(i, slot(row))));
        }
        (rows, self.report)
    }
}

/// The replies, and the bytes that they and their request were.
type Replies<T> = Result<(Vec<ShardReply<T>>, u64), CallError>;
type Ended<T> = (Batch, Replies<T>);
type Calls<'a, T> = FuturesUnordered<BoxFuture<'a, Ended<T>>>;

impl Cluster {
    /// 1. Choose a replica per shard and call each chosen node once.
    /// 2. Ask other replicas for what failed, at once; when all failed, pause and start over.
    /// 3. Ask a second replica for what is late.
    /// 4. Stop when every shard has answered, cannot answer, or the deadline is there.
    pub(crate) async fn fan_out<T: Send + 'static>(&self, ask: &Ask<'_, T>, context: &ReadContext) -> Answers<T> {
        let started = self.now();
        let mut run = Run {
            cluster: self,
            ask,
            context,
            calls: FuturesUnordered::new(),
            counts: ReadReport::default(),
        };
        let mut progress = Progress::new(self.targets(&ask.shards, context), self.max_staleness_ms);
        run.launch(&mut progress);
        let mut hedge_at = run.hedge_at(started);
        while !progress.complete() {
            if run.calls.is_empty() && !run.pause(&mut progress).await {
                break;
            }
            let now = self.now();
            tokio::select! {
                biased;
                Some((batch, result)) = run.calls.next() => {
                    let result = result.map(|(replies, bytes)| {
                        run.counts.bytes += bytes;
                        replies
                    });
                    progress.settle(&batch, result);
                    run.launch(&mut progress);
                }
                () = tokio::time::sleep(context.deadline.left(now)) => break,
                () = sleep_until(hedge_at, now) => {
                    hedge_at = None;
                    run.hedge(&mut progress);
                }
            }
        }
        let mut report = std::mem::take(&mut run.counts);
        report.took = self.now().since(started);
        self.conclude(&ask.shards, progress, report)
    }

    fn targets(&self, shards: &[ShardId], context: &ReadContext) -> Vec<Target> {
        let map = self.map.load();
        let plans = shards.iter().filter_map(|shard| map.shard(*shard));
        let old = self.old_answers.all(self.now());
        let stale = |shard| {
            old.iter()
                .filter(|(of, _)| *of == shard)
                .map(|(_, node)| *node)
                .collect()
        };
        plans
            .map(|plan| Target {
                read: ShardRead {
                    shard: plan.shard,
                    range_ver: plan.epoch.range_ver,
                    min_index: context.token.min_index(plan.shard),
                    max_age_ms: context.within.map(millis),
                },
                replicas: plan.voters.iter().map(|v| v.node).collect(),
                leader: self.leaders.of(plan),
                stale: stale(plan.shard),
            })
            .collect()
    }

    /// Coverage is proven from the slots that the answers name, not from what was asked.
    fn conclude<T>(&self, shards: &[ShardId], progress: Progress<T>, mut report: ReadReport) -> Answers<T> {
        self.old_answers.learn(progress.ages(), self.now());
        let (parts, failed) = progress.finish();
        parts
            .iter()
            .for_each(|part| report.observe(part, self.max_staleness_ms));
        let covered = Owners::new(parts.iter().map(claim).collect()).covered();
        let map = self.map.load();
        for plan in shards.iter().filter_map(|shard| map.shard(*shard)) {
            report.asked.insert(plan.slots);
            let mut holes = SlotSet::default();
            holes.insert(plan.slots);
            holes.subtract(&covered);
            if holes.count() > 0 {
                report.missing_shards.insert(plan.shard);
                report.holes.union(&holes);
            }
        }
        Answers { parts, failed, report }
    }
}

async fn sleep_until(at: Option<Monotonic>, now: Monotonic) {
    match at {
        Some(at) => tokio::time::sleep(at.left(now)).await,
        None => std::future::pending().await,
    }
}

/// One fan-out under way.
struct Run<'a, T> {
    cluster: &'a Cluster,
    ask: &'a Ask<'a, T>,
    context: &'a ReadContext,
    calls: Calls<'a, T>,
    /// Counts calls; the rest of the report is filled in at the end.
    counts: ReadReport,
}

impl<T: Send + 'static> Run<'_, T> {
    fn launch(&mut self, progress: &mut Progress<T>) {
        for batch in progress.plan(&mut self.cluster.choice()) {
            if batch.attempt == Attempt::First {
                self.cluster.read_budget.first_tries(1);
            }
            if batch.attempt != Attempt::Retry || self.cluster.read_budget.spend() {
                self.call(batch);
            } else {
                progress.drop_batch(&batch);
            }
        }
    }

    fn hedge(&mut self, progress: &mut Progress<T>) {
        for batch in progress.plan_hedges(&mut self.cluster.choice()) {
            if self.cluster.read_budget.spend() {
                self.call(batch);
            } else {
                progress.drop_batch(&batch);
            }
        }
    }

    /// All replicas failed: waits a moment and starts another lap. False when there is no time or no try left.
    async fn pause(&mut self, progress: &mut Progress<T>) -> bool {
        let Some(lap) = progress.next_lap() else { return false };
        let left = self.context.deadline.left(self.cluster.now());
        let pause = self.cluster.pause(lap - 1);
        if pause >= left {
            return false;
        }
        tokio::time::sleep(pause).await;
        self.launch(progress);
        !self.calls.is_empty()
    }

    fn hedge_at(&self, started: Monotonic) -> Option<Monotonic> {
        let now = self.cluster.now();
        let slowest = self
            .cluster
            .roster
            .load()
            .all()
            .map(|(_, l)| l.view(now).hedge_after)
            .max()?;
        Some(started.plus(slowest.max(MIN_HEDGE)))
    }

    fn call(&mut self, batch: Batch) {
        self.counts.calls += 1;
        match batch.attempt {
            Attempt::First => {}
            Attempt::Failover | Attempt::Retry => self.counts.retries += 1,
            Attempt::Hedge => self.counts.hedges += 1,
        }
        let span = tracing::info_span!(
            "node.call",
            node = batch.node.0,
            shards = batch.reads.len(),
            attempt = batch.attempt.as_str(),
            error = tracing::field::Empty,
        );
        let call = NodeCall {
            class: self.context.class,
            left: self.context.deadline.left(self.cluster.now()),
            model_epoch: self.context.model_epoch,
            body: (self.ask.body)(batch.reads.clone()),
        };
        let link = self.cluster.roster.load().get(batch.node).cloned();
        let open = self.ask.open;
        let work = async move {
            let result = match link {
                Some(link) => link.call(call).await,
                None => Err(CallError::UnknownNode),
            };
            let result = result.and_then(|answer| {
                let replies = open(answer.reply).ok_or(CallError::WrongReply)?;
                Ok((replies, answer.bytes))
            });
            if let Err(error) = &result {
                tracing::Span::current().record("error", error.to_string());
            }
            (batch, result)
        };
        self.calls.push(Box::pin(work.instrument(span)));
    }
}
