//! Feed actors: each serves feeds on a thread of its own, so that scoring does not delay the threads of the API.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use actix::{Actor, Addr, Context, Handler, Message};
use covey_api::v1::GetFeedReply;
use covey_telemetry::Traced;
use tokio::sync::oneshot;
use tracing::Instrument;

use crate::cluster::Threads;
use crate::feed::{FeedError, FeedRequest, FeedService};
use crate::request::RequestContext;

type FeedResult = Result<GetFeedReply, FeedError>;

/// Asks for one feed. Dropping the receiver of the reply cancels it.
#[derive(Message)]
#[rtype(result = "()")]
struct Serve {
    request: Traced<FeedRequest>,
    context: RequestContext,
    reply: oneshot::Sender<FeedResult>,
}

struct FeedActor {
    service: Arc<FeedService>,
}

impl Actor for FeedActor {
    type Context = Context<Self>;
}

impl Handler<Serve> for FeedActor {
    type Result = ();

    fn handle(&mut self, message: Serve, _: &mut Self::Context) {
        let service = self.service.clone();
        let Serve {
            request,
            context,
            mut reply,
        } = message;
        let Traced { message, span } = request;
        let work = async move {
            let result = tokio::select! {
                biased;
                () = reply.closed() => return,
                result = service.feed(message, &context) => result,
            };
            // The client may have left in this very moment.
            drop(reply.send(result));
        };
        actix_rt::spawn(work.instrument(span));
    }
}

/// All feed actors of the process, asked in turn.
pub(crate) struct FeedWorkers {
    service: Arc<FeedService>,
    addrs: Vec<Addr<FeedActor>>,
    turn: AtomicUsize,
}

impl FeedWorkers {
    /// Starts one actor per element of `threads`, which is not empty.
    pub(crate) fn start(service: Arc<FeedService>, threads: &[Threads], mailbox: usize) -> FeedWorkers {
        let start = |threads: &Threads| {
            let service = service.clone();
            threads.start(FeedActor { service }, mailbox)
        };
        FeedWorkers {
            addrs: threads.iter().map(start).collect(),
            turn: AtomicUsize::new(0),
            service,
        }
    }

    /// What makes the feeds.
    pub(crate) fn service(&self) -> &FeedService {
        &self.service
    }

    /// One feed; refused when the actor whose turn it is has a full mailbox.
    pub(crate) async fn feed(&self, request: FeedRequest, context: &RequestContext) -> FeedResult {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % self.addrs.len();
        let (reply, answer) = oneshot::channel();
        let serve = Serve {
            request: Traced::new(request),
            context: context.clone(),
            reply,
        };
        let busy = || FeedError::Unavailable {
            component: "feed actor".into(),
            retry_after_ms: 50,
        };
        self.addrs[turn].try_send(serve).map_err(|_| busy())?;
        answer.await.map_err(|_| busy())?
    }
}
