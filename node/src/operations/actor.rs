//! The operations actor: while its node leads the metadata, it looks at all nodes and drives what is to be done.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, ActorFutureExt, AsyncContext, Context, fut};
use covey_metadata::moving::Move;
use covey_metadata::{Action, Limits, Metadata, schedule};
use covey_rpc::CallError;
use covey_shared::command::ShardCommand;
use covey_shared::directory::Directory;
use covey_shared::ids::{ModelEpoch, NodeId, OperationId, ReplicaId, ShardId, UnixMillis};
use covey_shared::metadata::{MetadataChange, NodePlace, OperationFault, OperationRecord};
use covey_shared::wire::{Class, ReplyBody, RequestBody, ShardError};

use super::Glimpse;
use super::announce::{Announced, announce, is_due};
use super::step::{CALL, Steps};
use crate::nodes::Clients;
use crate::server::NodeHandle;

/// Pause between two looks at what is to be done.
const TURN: Duration = Duration::from_millis(200);
/// Pause between two looks at a node.
const LOOK: Duration = Duration::from_millis(500);
/// Time for a node to answer one.
const ANSWER: Duration = Duration::from_secs(2);
/// Time for an entry of the metadata.
const WRITE: Duration = Duration::from_secs(5);
/// Pause until a node that starts says again where it is.
const SAY_AGAIN: Duration = Duration::from_secs(2);
/// The same for one that is known, or not wanted.
const SAY_LATER: Duration = Duration::from_secs(15);
/// Nodes or shards in one entry.
const PIECE: usize = 64;
/// Time until an offer that was not taken is made again: each holds writes back.
const REST: Duration = Duration::from_secs(6);

/// What it works with.
pub(crate) struct OperationsDeps {
    pub(crate) handle: Arc<NodeHandle>,
    pub(crate) clients: Arc<Clients>,
    /// The nodes as configured, this one among them.
    pub(crate) places: Vec<NodePlace>,
    pub(crate) limits: Limits,
    pub(crate) mailbox: usize,
}

/// What is on its way; nothing of it is begun twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Task {
    Look(NodeId),
    Announce,
    Step(OperationId),
    Relieve(ShardId),
    Destroy(ReplicaId),
    /// Changes of the metadata: one list at a time, so that each decision is made behind the one before.
    Write,
}

/// Drives operations.
pub(crate) struct OperationsActor {
    deps: OperationsDeps,
    busy: BTreeSet<Task>,
    /// Ends of operations that are not written yet.
    ended: BTreeMap<OperationId, MetadataChange>,
    /// The cluster has been told where this node is, since it started.
    announced: bool,
}

impl Actor for OperationsActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(self.deps.mailbox);
        ctx.run_interval(TURN, |actor, ctx| actor.turn(ctx));
    }
}

impl OperationsActor {
    pub(crate) fn new(deps: OperationsDeps) -> Self {
        OperationsActor {
            deps,
            busy: BTreeSet::new(),
            ended: BTreeMap::new(),
            announced: false,
        }
    }

    fn turn(&mut self, ctx: &mut Context<Self>) {
        let handle = self.deps.handle.clone();
        let sightings = &handle.sightings;
        self.announce(ctx);
        let Ok(state) = handle.metadata() else {
            sightings.forget();
            self.ended.clear();
            return;
        };
        sightings.begin(handle.env.clock.monotonic());
        if state.directory > handle.nodes.version()
            && let Some(directory) = state.whole_directory(&self.deps.places)
        {
            self.learn(directory, ctx);
        }
        handle.settings.learn(&state.settings);
        self.look(ctx);
        let glimpse = handle.glimpse(&state);
        let sights = glimpse.sights(handle.log_time());
        let plan = schedule(&state, &sights, &self.deps.limits);
        for (operation, progress) in plan.progress {
            sightings.note(operation, progress);
        }
        let mut changes = self.seen(&state, &glimpse);
        for action in plan.actions {
            match action {
                Action::Propose(change) => changes.push(change),
                Action::Relieve { shard, to } => self.relieve(shard, to, &glimpse, ctx),
            }
        }
        let running: Vec<&OperationRecord> = state.operations.values().filter(|record| record.runs()).collect();
        let ids = running.iter().map(|record| record.id).collect();
        sightings.keep(&ids);
        self.ended.retain(|operation, _| ids.contains(operation));
        for record in running.into_iter().filter(|record| record.what.shard().is_some()) {
            self.step(record, sights.now, &glimpse, ctx);
        }
        for stranger in sightings.strangers(&state.shards) {
            self.destroy(stranger, ctx);
        }
        changes.extend(self.ended.values().cloned());
        self.write(changes, ctx);
    }

    /// Runs `work`, which is not going on already; `then` takes what came of it, and says how long it rests before it may
    /// begin again.
    fn begin<T: 'static>(
        &mut self,
        task: Task,
        work: impl Future<Output = T> + 'static,
        ctx: &mut Context<Self>,
        then: impl FnOnce(&mut Self, T) -> Duration + 'static,
    ) {
        self.busy.insert(task);
        ctx.spawn(
            fut::wrap_future(work).map(move |done, actor: &mut Self, ctx: &mut Context<Self>| {
                let pause = then(actor, done);
                ctx.run_later(pause, move |actor, _| _ = actor.busy.remove(&task));
            }),
        );
    }

    /// Who is not there any more hears it now, if it still runs; from then on nobody asks it.
    fn learn(&mut self, directory: Directory, ctx: &mut Context<Self>) {
        let clients = &self.deps.clients;
        let gone = clients.ids().into_iter().filter(|node| directory.get(*node).is_none());
        for client in gone.filter_map(|node| clients.get(node)) {
            let news = RequestBody::LearnDirectory(directory.clone());
            let told = async move { client.call(Class::Admin, ANSWER, news, ModelEpoch(0)).await };
            ctx.spawn(fut::wrap_future(told).map(|_, _, _| ()));
        }
        self.deps.handle.nodes.learn(directory);
    }

    fn look(&mut self, ctx: &mut Context<Self>) {
        for node in self.deps.clients.ids() {
            if self.busy.contains(&Task::Look(node)) {
                continue;
            }
            let Some(client) = self.deps.clients.get(node) else {
                continue;
            };
            let handle = self.deps.handle.clone();
            let asked = async move {
                let call = |body| client.call(Class::Admin, ANSWER, body, ModelEpoch(0));
                let answer = call(RequestBody::Reports).await;
                if let Ok(ReplyBody::Reports(reports)) = &answer {
                    for news in handle.news_for(reports) {
                        // What is lost is told again with the next look.
                        _ = call(news).await;
                    }
                }
                answer
            };
            self.begin(Task::Look(node), asked, ctx, move |actor, answer| {
                let (handle, sightings) = (&actor.deps.handle, &actor.deps.handle.sightings);
                let now = handle.env.clock.monotonic();
                // It may have lost the leadership meanwhile.
                match answer {
                    _ if handle.metadata().is_err() => {}
                    Ok(ReplyBody::Reports(reports)) => sightings.saw(node, now, *reports),
                    Ok(_) | Err(CallError::Overloaded { .. }) => sightings.alive(node, now),
                    Err(_) => {}
                }
                LOOK
            });
        }
    }

    fn announce(&mut self, ctx: &mut Context<Self>) {
        let handle = self.deps.handle.clone();
        let place = self.deps.places.iter().find(|place| place.node == handle.node);
        let due = !self.busy.contains(&Task::Announce) && is_due(&handle, self.announced);
        let Some(place) = place.filter(|_| due) else { return };
        let work = announce(handle, self.deps.clients.clone(), place.clone());
        self.begin(Task::Announce, work, ctx, |actor, announced| {
            match announced {
                Announced::Known => actor.announced = true,
                Announced::Unheard if !actor.announced => return SAY_AGAIN,
                // It is known, and the metadata has nobody to lead it: all nodes ask like this then.
                Announced::Unheard => {}
                Announced::Refused(OperationFault::Removed(node)) => {
                    tracing::error!(node = node.0, "this node was removed from the cluster: it stops");
                    actor.deps.handle.removed.notify_one();
                }
                Announced::Refused(fault) => tracing::error!(%fault, "the cluster does not take this node in"),
            }
            SAY_LATER
        });
    }

    /// What was seen and is not yet written down.
    fn seen(&self, state: &Metadata, glimpse: &Glimpse) -> Vec<MetadataChange> {
        let handle = &self.deps.handle;
        let mut changes = Vec::new();
        let places = self.deps.places.iter().filter(|place| state.lacks_place(place));
        let new: Vec<NodePlace> = places.cloned().collect();
        changes.extend(new.chunks(PIECE).map(|some| MetadataChange::Register(some.to_vec())));
        let newer = handle.sightings.newest().into_values();
        let newer: Vec<_> = newer.filter(|descriptor| state.lacks(descriptor)).collect();
        changes.extend(newer.chunks(PIECE).map(|some| MetadataChange::Observe(some.to_vec())));
        for (node, record) in &state.nodes {
            let since = match (glimpse.silent.get(node), record.away_since) {
                (Some(silence), None) => Some(UnixMillis(handle.log_time().0.saturating_sub(*silence))),
                (None, Some(_)) if glimpse.up.contains(node) => None,
                _ => continue,
            };
            changes.push(MetadataChange::Away { node: *node, since });
        }
        changes
    }

    fn relieve(&mut self, shard: ShardId, to: NodeId, glimpse: &Glimpse, ctx: &mut Context<Self>) {
        let leader = glimpse.reports.get(&shard).map(|report| report.replica.node());
        let client = leader.and_then(|leader| self.deps.clients.get(leader));
        let Some(client) = client.filter(|_| !self.busy.contains(&Task::Relieve(shard))) else {
            return;
        };
        let body = RequestBody::TransferLeader { shard, to };
        let offer = async move { client.call(Class::Admin, CALL, body, ModelEpoch(0)).await };
        self.begin(Task::Relieve(shard), offer, ctx, move |_, outcome| {
            if let Err(error) = outcome {
                tracing::info!(shard = shard.0, to = to.0, %error, "a leader does not hand over yet");
            }
            REST
        });
    }

    /// Has the node of a replica that is no member any more find that out: together with others that are none it may even have a leader,
    /// and would not doubt that it is one.
    fn destroy(&mut self, replica: ReplicaId, ctx: &mut Context<Self>) {
        let client = self.deps.clients.get(replica.node());
        let Some(client) = client.filter(|_| !self.busy.contains(&Task::Destroy(replica))) else {
            return;
        };
        let body = RequestBody::Destroy { replica };
        let asked = async move { client.call(Class::Admin, CALL, body, ModelEpoch(0)).await };
        self.begin(Task::Destroy(replica), asked, ctx, |_, _| REST);
    }

    fn step(&mut self, record: &OperationRecord, time: UnixMillis, glimpse: &Glimpse, ctx: &mut Context<Self>) {
        let (id, late) = (record.id, time >= record.deadline);
        let Some(shard) = record.what.shard() else { return };
        if self.ended.contains_key(&id) || self.busy.contains(&Task::Step(id)) {
            return;
        }
        let steps = Steps {
            clients: self.deps.clients.clone(),
            handle: self.deps.handle.clone(),
            leader: glimpse.reports.get(&shard).map(|report| report.replica),
            rebuild: Move::of(&record.what).and_then(|what| self.deps.handle.sightings.rebuild(what.to, shard)),
        };
        let record = record.clone();
        let work = async move { steps.step(&record, late).await };
        self.begin(Task::Step(id), work, ctx, move |actor, stepped| {
            let Some(stepped) = stepped else { return TURN };
            let (sightings, now) = (&actor.deps.handle.sightings, actor.deps.handle.env.clock.monotonic());
            sightings.stepped(id, now, &stepped);
            // Whoever plans behind its end knows what it has changed.
            stepped.report.into_iter().for_each(|report| sightings.heard_of(report));
            if let Some(ending) = stepped.ending {
                let end = MetadataChange::End { operation: id, ending };
                actor.ended.insert(id, end);
            }
            if stepped.offered { REST } else { TURN }
        });
    }

    fn write(&mut self, changes: Vec<MetadataChange>, ctx: &mut Context<Self>) {
        if changes.is_empty() || self.busy.contains(&Task::Write) {
            return;
        }
        let handle = self.deps.handle.clone();
        let work = async move {
            for change in changes {
                let Some(replica) = handle.replicas.get(ShardId::METADATA) else {
                    return;
                };
                let deadline = handle.env.clock.monotonic().plus(WRITE);
                let (epoch, command) = (replica.applied().epoch, ShardCommand::Metadata(change));
                match handle.write(ShardId::METADATA, epoch, command, deadline).await {
                    Ok(_) => {}
                    // It keeps no other one out.
                    Err(error @ ShardError::Invalid(_)) => {
                        tracing::error!(%error, "a change of the metadata is left out")
                    }
                    Err(error) => return tracing::info!(%error, "changes of the metadata are put off"),
                }
            }
        };
        self.begin(Task::Write, work, ctx, |_, ()| Duration::ZERO);
    }
}
