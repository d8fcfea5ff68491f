//! One connection of a class: opened by the first call that needs it, shared by all that follow, opened again after it broke.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use covey_env::{Entropy, Monotonic, watch};
use covey_shared::wire::Class;
use futures::FutureExt;
use futures::future::BoxFuture;
use tarpc::client::{self, Channel, NewClient};
use tokio_util::codec::Framed;

use super::{Link, LinkState};
use crate::backoff::Backoff;
use crate::dial::{ConnectError, dial};
use crate::error::CallError;
use crate::framing::{Answer, ClientCodec, Payload, WRITE_BUFFER};
use crate::handshake::Hello;
use crate::names;

pub(super) type Calls = Channel<Payload, Answer>;

pub(super) struct Slot {
    class: Class,
    inner: Mutex<Inner>,
}

struct Inner {
    state: State,
    /// Which attempt `state` belongs to: the end of an older connection must not touch a newer one.
    attempt: u64,
    backoff: Option<Backoff>,
    /// Since when the open connection owes an answer.
    silent_since: Option<Monotonic>,
}

enum State {
    Idle,
    /// The receiver ends when the attempt does.
    Connecting(watch::Receiver<()>),
    Live(Calls),
    Backoff {
        until: Monotonic,
        error: Arc<ConnectError>,
    },
}

impl Slot {
    pub(super) fn new(class: Class) -> Slot {
        let inner = Inner {
            state: State::Idle,
            attempt: 0,
            backoff: None,
            silent_since: None,
        };
        Slot {
            class,
            inner: Mutex::new(inner),
        }
    }

    /// No code panics while it holds the lock.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn state(&self, link: &Link) -> LinkState {
        match &self.lock().state {
            State::Idle => LinkState::Idle,
            State::Connecting(_) => LinkState::Connecting,
            State::Live(_) => LinkState::Connected,
            State::Backoff { until, .. } if link.env.clock.monotonic() < *until => LinkState::Backoff,
            State::Backoff { .. } => LinkState::Idle,
        }
    }

    /// A call was sent.
    pub(super) fn asked(&self, now: Monotonic) {
        self.lock().silent_since.get_or_insert(now);
    }

    /// A call was answered.
    pub(super) fn heard(&self) {
        self.lock().silent_since = None;
    }

    /// After a call that was not answered in time: a connection from which nothing came for as long as it takes to open one is
    /// not used any more. The peer may be gone without a word, and TCP would notice after a quarter of an hour.
    pub(super) fn give_up_if_silent(&self, link: &Link) {
        let mut inner = self.lock();
        let now = link.env.clock.monotonic();
        let silent = inner
            .silent_since
            .is_some_and(|since| now.since(since) >= link.options.connect_timeout);
        if silent && matches!(inner.state, State::Live(_)) {
            // Calls that still wait keep it open until they end.
            inner.state = State::Idle;
            inner.silent_since = None;
        }
    }

    /// The open connection, after opening it if needed. Fails at once during the pause after a failed attempt. The attempt
    /// runs as a task of its own: callers with short deadlines must not keep it from ever succeeding.
    pub(super) async fn channel(self: &Arc<Slot>, link: &Arc<Link>) -> Result<Calls, CallError> {
        let mut joined = false;
        loop {
            let (done, attempt) = {
                let mut inner = self.lock();
                match &inner.state {
                    State::Live(calls) => return Ok(calls.clone()),
                    State::Connecting(done) => (done.clone(), None),
                    // A caller that waited for the attempt gets its error, however short the pause is.
                    State::Backoff { until, error } if joined || link.env.clock.monotonic() < *until => {
                        return Err(refused(link, error));
                    }
                    State::Idle if joined => return Err(CallError::Closed { node: link.peer.node }),
                    State::Backoff { .. } | State::Idle => self.start(&mut inner, link),
                }
            };
            if let Some(attempt) = attempt {
                // Not under the lock: a runtime that is going down drops the task at once, and that takes the lock.
                link.env.spawn.task(attempt).detach();
            }
            joined = true;
            // Nobody says anything: the attempt's task ends, which is what is waited for.
            done.closed().await;
        }
    }

    fn start(self: &Arc<Slot>, inner: &mut Inner, link: &Arc<Link>) -> (watch::Receiver<()>, Option<Attempt>) {
        let (ended, done) = watch::channel(());
        inner.attempt += 1;
        inner.state = State::Connecting(done.clone());
        let connection = Connection {
            slot: Arc::downgrade(self),
            attempt: inner.attempt,
        };
        // Weak: a connection nobody can call over any more must end, although its task runs.
        (done, Some(connection.run(Arc::downgrade(link), ended).boxed()))
    }
}

type Attempt = BoxFuture<'static, ()>;

fn refused(link: &Link, error: &Arc<ConnectError>) -> CallError {
    let (node, address) = (link.peer.node, link.address.clone());
    match &**error {
        ConnectError::Refused(refusal) => CallError::Refused {
            node,
            address,
            refusal: *refusal,
        },
        _ => CallError::Connect {
            node,
            address,
            source: error.clone(),
        },
    }
}

/// The task of one connection. However it ends, even with its runtime, the slot becomes usable again.
struct Connection {
    slot: Weak<Slot>,
    attempt: u64,
}

impl Connection {
    async fn run(self, link: Weak<Link>, ended: watch::Sender<()>) {
        let Some((opened, max_frame, in_flight)) = self.open(&link).await else {
            return;
        };
        let mut framed = Framed::new(opened, ClientCodec::new(max_frame));
        framed.set_backpressure_boundary(WRITE_BUFFER);
        let mut config = client::Config::default();
        // The window admits no more than this, so sending never waits here.
        config.max_in_flight_requests = in_flight;
        config.pending_request_buffer = in_flight;
        let NewClient { client, dispatch } = client::new(config, framed);
        self.update(|inner| {
            inner.state = State::Live(client);
            inner.backoff = None;
            inner.silent_since = None;
        });
        drop(ended);
        if let Err(error) = dispatch.await {
            tracing::debug!(error = &error as &dyn std::error::Error, "a connection ended");
        }
    }

    async fn open(&self, link: &Weak<Link>) -> Option<(covey_env::BoxStream, usize, usize)> {
        let (slot, link) = (self.slot.upgrade()?, link.upgrade()?);
        let options = &link.options;
        let hello = Hello {
            cluster: options.cluster,
            class: slot.class,
            sender: options.sender,
            receiver: link.peer.node,
        };
        match dial(&link.env, &link.peer.address, hello, options.connect_timeout).await {
            Ok(stream) => Some((stream, options.max_frame, options.in_flight.max(1))),
            Err(error) => {
                self.failed(&link, slot.class, error);
                None
            }
        }
    }

    fn failed(&self, link: &Link, class: Class, error: ConnectError) {
        let entropy: &dyn Entropy = &*link.env.entropy;
        let (min, max) = (link.options.backoff_min, link.options.backoff_max);
        self.update(|inner| {
            let backoff = inner.backoff.get_or_insert_with(|| Backoff::new(min, max));
            let pause = backoff.next(entropy);
            tracing::debug!(
                node = link.peer.node.0,
                address = &*link.address,
                class = names::class(class),
                error = &error as &dyn std::error::Error,
                "cannot connect; next attempt in {pause:?} at the earliest"
            );
            inner.state = State::Backoff {
                until: link.env.clock.monotonic().plus(pause),
                error: Arc::new(error),
            };
        });
    }

    fn update(&self, change: impl FnOnce(&mut Inner)) {
        if let Some(slot) = self.slot.upgrade() {
            let mut inner = slot.lock();
            if inner.attempt == self.attempt {
                change(&mut inner);
            }
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.update(|inner| {
            if matches!(inner.state, State::Connecting(_) | State::Live(_)) {
                inner.state = State::Idle;
            }
        });
    }
}
