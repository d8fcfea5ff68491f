//! From a new connection to what it is for.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use covey_env::{BoxStream, Listener, Task};
use covey_shared::ids::NodeId;
use covey_shared::wire::Class;
use futures::FutureExt;
use futures::stream::{FuturesUnordered, StreamExt};

use super::{Shared, calls, count, raft, shutdown_begins};
use crate::handshake::{self, HandshakeError, Hello, Refusal};

/// Pause after a failed accept: usually no file descriptors are left, and trying at once would only burn CPU.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// An accepted connection whose peer has introduced itself.
pub(super) struct Accepted {
    pub(super) stream: BoxStream,
    pub(super) address: Arc<str>,
    pub(super) hello: Hello,
}

/// Accepts until the shutdown, then waits for the connections. Dropping it drops them.
pub(super) async fn run(shared: Arc<Shared>, mut listener: Box<dyn Listener>) {
    let mut connections: FuturesUnordered<Task> = FuturesUnordered::new();
    let mut closing = shared.closing.clone();
    loop {
        tokio::select! {
            biased;
            () = shutdown_begins(&mut closing) => break,
            _ = connections.next(), if !connections.is_empty() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, address)) if connections.len() < shared.options.max_connections => {
                    connections.push(shared.env.spawn.task(connection(shared.clone(), stream, address.into()).boxed()));
                }
                Ok((_, address)) => {
                    count(&shared.counters.connections_over_limit);
                    shared.complain(&address, "closed a connection: there are too many", None);
                }
                Err(error) => {
                    shared.complain("", "cannot accept connections", Some(&error));
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
        shared.counters.connections.store(connections.len(), Ordering::Relaxed);
    }
    // No one should find a port that nobody accepts from.
    drop(listener);
    while connections.next().await.is_some() {}
    shared.counters.connections.store(0, Ordering::Relaxed);
}

async fn connection(shared: Arc<Shared>, mut stream: BoxStream, address: Arc<str>) {
    let timeout = shared.options.handshake_timeout;
    let hello = match tokio::time::timeout(timeout, greet(&shared, &mut stream)).await {
        Ok(Ok(hello)) => hello,
        Ok(Err(error)) => {
            count(&shared.counters.bad_handshakes);
            return shared.complain(&address, "refused a connection", Some(&error));
        }
        Err(_) => {
            count(&shared.counters.bad_handshakes);
            return shared.complain(
                &address,
                "closed a connection that did not introduce itself in time",
                None,
            );
        }
    };
    let accepted = Accepted { stream, address, hello };
    match hello.class {
        Class::Raft => raft::receive(&shared, accepted).await,
        Class::Query | Class::Write | Class::Bulk | Class::Admin => calls::serve(shared, accepted).await,
    }
}

/// Reads the hello and answers it.
async fn greet(shared: &Shared, stream: &mut BoxStream) -> Result<Hello, HandshakeError> {
    let checked = match handshake::read_hello(stream).await {
        Ok(hello) => check(shared, &hello).map(|()| hello).map_err(HandshakeError::Refused),
        Err(error) => Err(error),
    };
    let answer = match &checked {
        Ok(_) => Ok(shared.options.node),
        Err(HandshakeError::Refused(refusal)) => Err(*refusal),
        Err(HandshakeError::NotCovey) => Err(Refusal::Malformed),
        // Nobody is left to be answered.
        Err(HandshakeError::Io(_)) => return checked,
    };
    let sent = handshake::write_answer(stream, answer).await;
    let hello = checked?;
    sent?;
    Ok(hello)
}

fn check(shared: &Shared, hello: &Hello) -> Result<(), Refusal> {
    let options = &shared.options;
    let anyone = NodeId(0);
    if *shared.closing.borrow() {
        return Err(Refusal::ShuttingDown);
    }
    if hello.cluster != options.cluster {
        return Err(Refusal::WrongCluster);
    }
    if hello.receiver != anyone && hello.receiver != options.node {
        return Err(Refusal::WrongNode { actual: options.node });
    }
    // A Raft stream needs a name: its successor has to replace it.
    if hello.class == Class::Raft && (hello.sender == anyone || shared.handlers.raft.is_none()) {
        return Err(Refusal::NotServed);
    }
    Ok(())
}
