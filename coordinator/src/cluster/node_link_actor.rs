//! One actor per node: it owns the way to the node, keeps its window and breaker, and asks now and then how the node is.

use std::sync::{Arc, Weak};
use std::time::Duration;

use actix::{Actor, ActorContext, Addr, AsyncContext, Context, Handler, Message};
use covey_env::{Clock, Monotonic};
use covey_rpc::Exchange;
use covey_shared::ids::ModelEpoch;
use covey_shared::metadata::NodePlace;
use covey_shared::wire::{Class, ReplicaRole, ReplyBody, RequestBody};
use covey_telemetry::Traced;
use parking_lot::Mutex;
use tokio::sync::oneshot;
use tracing::Instrument;

use crate::cluster::link::{CallEnd, LinkState, LinkView};
use crate::cluster::port::{CallError, NodeCall, NodePort};
use crate::cluster::roster::Roster;
use crate::cluster::settings::SettingsCell;
use crate::cluster::shard_map::{Leaders, MapCell};

/// How often an idle coordinator looks after a node: it learns about leaders and members, and finds a
/// node that came back.
const PROBE_INTERVAL: Duration = Duration::from_secs(1);

/// Sends one call; the reply comes through the channel. Dropping its receiver cancels the call.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Send {
    pub(crate) call: Traced<NodeCall>,
    pub(crate) reply: oneshot::Sender<Result<Exchange, CallError>>,
}

/// The state of the link, shared with replica choice. The lock is held for a few instructions, never across a wait.
pub(crate) type SharedLink = Arc<Mutex<LinkState>>;

/// Owns the way to one node.
pub(crate) struct NodeLinkActor {
    pub(crate) place: NodePlace,
    pub(crate) port: Arc<dyn NodePort>,
    pub(crate) link: SharedLink,
    pub(crate) leaders: Arc<Leaders>,
    pub(crate) map: Arc<MapCell>,
    pub(crate) settings: Arc<SettingsCell>,
    /// Gone once the coordinator stops.
    pub(crate) roster: Weak<Roster>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Actor for NodeLinkActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        self.probe();
        ctx.run_interval(PROBE_INTERVAL, |actor, ctx| match actor.is_wanted() {
            true => actor.probe(),
            false => ctx.stop(),
        });
    }
}

impl Handler<Send> for NodeLinkActor {
    type Result = ();

    fn handle(&mut self, message: Send, _: &mut Self::Context) {
        let now = self.clock.monotonic();
        let Send { call, mut reply } = message;
        let slot = match Window::enter(&self.link, &self.clock, now) {
            Ok(slot) => slot,
            // If the caller is gone, nobody needs the refusal.
            Err(error) => return drop(reply.send(Err(error))),
        };
        let calling = self.port.call(call.message);
        let work = async move {
            let result = tokio::select! {
                biased;
                result = calling => result,
                () = reply.closed() => return,
            };
            slot.leave(&result);
            _ = reply.send(result);
        };
        actix_rt::spawn(work.instrument(call.span));
    }
}

impl NodeLinkActor {
    /// Whether the node is still there, and where it was.
    fn is_wanted(&self) -> bool {
        self.roster.upgrade().is_some_and(|roster| roster.has(&self.place))
    }

    fn probe(&self) {
        let Ok(slot) = Window::enter(&self.link, &self.clock, self.clock.monotonic()) else {
            return;
        };
        let (node, leaders, map) = (self.place.node, self.leaders.clone(), self.map.clone());
        let (port, roster, settings) = (self.port.clone(), self.roster.clone(), self.settings.clone());
        let call = move |body| {
            let asked = port.call(NodeCall {
                class: Class::Admin,
                left: PROBE_INTERVAL,
                model_epoch: ModelEpoch(0),
                body,
            });
            async move { Ok::<_, CallError>(asked.await?.reply) }
        };
        let calling = call(RequestBody::Status);
        actix_rt::spawn(async move {
            let result = calling.await;
            slot.leave(&result);
            if let Ok(ReplyBody::Status(status)) = result {
                status.replicas.iter().for_each(|r| map.learn(&r.descriptor));
                let known = map.load();
                let led = status.replicas.iter().filter(|r| r.role == ReplicaRole::Leader);
                // Replicas that a recovery left behind may have a leader of their own, until they are removed.
                let led = led.filter(|r| known.may_lead(&r.descriptor, node));
                led.for_each(|r| leaders.learn(r.shard, node));
                if settings.lacks(status.settings)
                    && let Ok(ReplyBody::Settings(newer)) = call(RequestBody::Settings).await
                {
                    settings.learn(newer);
                }
                let Some(roster) = roster.upgrade().filter(|roster| status.directory > roster.version()) else {
                    return;
                };
                if let Ok(ReplyBody::Directory(directory)) = call(RequestBody::Directory).await {
                    roster.learn(directory);
                }
            }
        });
    }
}

/// A place in the window; given back however the call ends.
struct Window {
    link: SharedLink,
    clock: Arc<dyn Clock>,
    since: Monotonic,
    end: CallEnd,
}

impl Window {
    fn enter(link: &SharedLink, clock: &Arc<dyn Clock>, now: Monotonic) -> Result<Window, CallError> {
        link.lock().begin(now)?;
        Ok(Window {
            link: link.clone(),
            clock: clock.clone(),
            since: now,
            end: CallEnd::Neutral,
        })
    }

    fn leave<T>(mut self, result: &Result<T, CallError>) {
        let took = self.clock.monotonic().since(self.since);
        self.end = CallEnd::of(result, took);
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        let now = self.clock.monotonic();
        self.link.lock().end(now, now.since(self.since), self.end);
    }
}

/// A node as the rest of the coordinator reaches it.
#[derive(Clone)]
pub(crate) struct NodeLink {
    pub(crate) addr: Addr<NodeLinkActor>,
    pub(crate) link: SharedLink,
}

impl NodeLink {
    /// Calls the node. Dropping the future cancels the call.
    pub(crate) async fn call(&self, call: NodeCall) -> Result<Exchange, CallError> {
        let (reply, answer) = oneshot::channel();
        let call = Traced::new(call);
        self.addr.try_send(Send { call, reply }).map_err(|error| match error {
            actix::dev::SendError::Full(_) => CallError::WindowFull,
            actix::dev::SendError::Closed(_) => CallError::ShuttingDown,
        })?;
        answer.await.unwrap_or(Err(CallError::ShuttingDown))
    }

    pub(crate) fn view(&self, now: Monotonic) -> LinkView {
        self.link.lock().view(now)
    }
}
