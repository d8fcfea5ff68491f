//! Operators: they have replicas moved, leaders changed, hosts drained and kept in maintenance, and change their minds at times.

use std::time::Duration;

use covey_env::Env;
use covey_shared::ids::{NodeId, OperationId};
use covey_shared::members::Members;
use covey_shared::metadata::{ClusterView, Ending, MetadataChange, Operation, OperationFault, Start};

use crate::cluster::HOSTS;
use crate::desk::Desk;
use crate::env::{HostWorld, env};
use crate::history::Shared;

/// Without faults whatever was begun ends in this time.
const PATIENCE: Duration = Duration::from_secs(90);
/// Longest time that an operation may take: some run out of it.
const LIMIT: Duration = Duration::from_secs(20);

struct Operator {
    env: Env,
    desk: Desk,
    history: Shared,
    name: String,
}

/// One operator, who asks for one thing at a time until `until`; the last one comes to its end.
pub(crate) async fn operate(world: HostWorld, number: u64, until: Duration, history: Shared) -> turmoil::Result {
    let env = env(&world);
    let operator = Operator {
        desk: Desk::new(&env, history.clone()),
        env,
        history,
        name: format!("operator {number}"),
    };
    while now() < until {
        operator.pause(1500).await;
        if let Some(what) = operator.choose().await {
            let cancels = operator.env.entropy.below(4) == 0;
            let cancel = cancels.then(|| now() + Duration::from_millis(operator.env.entropy.below(4_000)));
            if operator.see_through(what, cancel, until + PATIENCE).await.is_some() {
                operator.back_to_service(what, until + PATIENCE).await;
            }
        }
    }
    if number == 1 {
        operator.there_and_back(until + PATIENCE).await;
    }
    operator.history.lock().operators_done += 1;
    Ok(())
}

fn now() -> Duration {
    turmoil::sim_elapsed().expect("inside the simulation")
}

impl Operator {
    async fn pause(&self, most_ms: u64) {
        tokio::time::sleep(Duration::from_millis(50 + self.env.entropy.below(most_ms))).await;
    }

    fn one_of<T: Copy>(&self, list: &[T]) -> Option<T> {
        let at = self.env.entropy.below(list.len().max(1) as u64);
        list.get(at as usize).copied()
    }

    /// Something that can be done, as far as the metadata knows.
    async fn choose(&self) -> Option<Operation> {
        let view = self.desk.describe().await?;
        let descriptors: Vec<_> = view.shards.iter().map(|shard| &shard.descriptor).collect();
        let descriptor = self.one_of(&descriptors)?;
        let shard = descriptor.shard;
        let voter = self.one_of(&descriptor.members.voters)?.node();
        let node = NodeId(1 + self.env.entropy.below(HOSTS));
        Some(match self.env.entropy.below(9) {
            0 => Operation::Drain { node },
            1 => Operation::Maintenance {
                node,
                until: covey_shared::ids::UnixMillis(view.at.0 + 1000 + self.env.entropy.below(4000)),
            },
            2 => Operation::TransferLeader { shard, to: voter },
            3 => Operation::Add { node },
            _ => Operation::Move {
                shard,
                from: voter,
                to: self.other_host(&descriptor.members)?,
            },
        })
    }

    /// Without faults a replica can be moved to another host and back, wherever one was before.
    async fn there_and_back(&self, until: Duration) {
        while now() < until {
            if let Some((there, back)) = self.choose_round_trip().await
                && self.see_through(there, None, until).await == Some(Ending::Done)
                && self.see_through(back, None, until).await == Some(Ending::Done)
            {
                return;
            }
            self.pause(1000).await;
        }
        let violation = "after all faults were healed no replica could be moved to another host and back";
        self.history.lock().violations.push(violation.to_owned());
    }

    /// A move, and the one that takes it back.
    async fn choose_round_trip(&self) -> Option<(Operation, Operation)> {
        let view = self.desk.describe().await?;
        let descriptors: Vec<_> = view.shards.iter().map(|shard| &shard.descriptor).collect();
        let descriptor = self.one_of(&descriptors)?;
        let members = &descriptor.members;
        let (from, to) = (self.one_of(&members.voters)?.node(), self.other_host(members)?);
        let moves = |from, to| Operation::Move {
            shard: descriptor.shard,
            from,
            to,
        };
        Some((moves(from, to), moves(to, from)))
    }

    /// One without a replica of the shard.
    fn other_host(&self, members: &Members) -> Option<NodeId> {
        let hosts = (1..=HOSTS).map(NodeId);
        self.one_of(&hosts.filter(|host| members.on(*host).is_none()).collect::<Vec<_>>())
    }

    /// Has it done, and waits for its end; it is taken back at the time `cancel`.
    async fn see_through(&self, what: Operation, mut cancel: Option<Duration>, until: Duration) -> Option<Ending> {
        let id = self.start(what, until).await?.ok()?;
        let mut last = None;
        while now() < until {
            if cancel.is_some_and(|at| now() >= at) {
                let by = self.name.clone();
                let asked = self.desk.change(MetadataChange::Cancel { operation: id, by });
                cancel = cancel.filter(|_| false).or(asked.await.is_none().then_some(now()));
            }
            if self.env.entropy.below(4) == 0 {
                self.desk.turn_to(1 + self.env.entropy.below(HOSTS));
            }
            last = self.desk.describe().await.or(last);
            let record = last
                .iter()
                .flat_map(|view| &view.operations)
                .find(|o| o.record.id == id);
            if let Some((_, ending)) = record.and_then(|view| view.record.ended.clone()) {
                self.count(what, &ending);
                return Some(ending);
            }
            match what.shard() {
                Some(shard) => self.desk.look(shard).await,
                None => self.pause(300).await,
            }
            self.pause(100).await;
        }
        let violation = format!("{what:?} of {} did not end: {}", self.name, in_words(last.as_ref(), id));
        self.history.lock().violations.push(violation);
        None
    }

    async fn start(&self, what: Operation, until: Duration) -> Option<Result<OperationId, OperationFault>> {
        let start = Start {
            what,
            by: self.name.clone(),
            parent: None,
            limit_ms: LIMIT.as_millis() as u64,
        };
        while now() < until {
            if let Some(outcome) = self.desk.change(MetadataChange::Start(start.clone())).await {
                let mut history = self.history.lock();
                history.started.extend(outcome.as_ref().ok());
                return Some(outcome);
            }
            self.pause(200).await;
        }
        None
    }

    fn count(&self, what: Operation, ending: &Ending) {
        let mut history = self.history.lock();
        match (ending, what) {
            (Ending::Done, Operation::Move { .. }) => history.moves += 1,
            (Ending::Done, Operation::Drain { .. }) => history.drains += 1,
            (Ending::Done, _) => {}
            (Ending::Cancelled, _) => history.cancelled += 1,
            (Ending::Failed(_), _) => history.failed += 1,
        }
        let done = history.moves;
        history.note(&[done, what.shard().map_or(99, |shard| shard.0)]);
    }

    /// Drained hosts would run out.
    async fn back_to_service(&self, what: Operation, until: Duration) {
        let Operation::Drain { node } = what else { return };
        while now() < until {
            let by = self.name.clone();
            if self.desk.change(MetadataChange::Undrain { node, by }).await.is_some() {
                return;
            }
            self.pause(200).await;
        }
    }
}

fn in_words(view: Option<&ClusterView>, id: OperationId) -> String {
    let Some(view) = view else {
        return "nobody leads the metadata".to_owned();
    };
    let operations = view
        .operations
        .iter()
        .filter(|o| o.record.id == id || o.record.parent == Some(id));
    let operations: String = operations.map(|o| format!("\n    {o:?}")).collect();
    let shards: String = view.shards.iter().map(|shard| format!("\n    {shard:?}")).collect();
    format!("{operations}{shards}")
}
