//! A stream of Raft messages from one node.

use std::collections::btree_map::Entry;
use std::sync::{Arc, MutexGuard, PoisonError};

use covey_env::Monotonic;
use covey_shared::codec::{self, CodecError};
use covey_shared::ids::NodeId;
use covey_shared::wire::RaftFrame;
use futures::StreamExt;
use futures::future::{AbortHandle, Abortable};
use thiserror::Error;
use tokio::io::AsyncWriteExt;
use tokio::sync::Mutex;
use tokio_util::codec::FramedRead;

use super::accept::Accepted;
use super::{RaftHandler, Shared, count, shutdown_begins};
use crate::framing::lengths;
use crate::raft::{CONFIRM_EVERY, CONFIRMATION};

/// Which stream of a node is the newest, and which one delivers.
pub(super) struct Turn {
    /// Ends the newest stream.
    newest: AbortHandle,
    /// Held while delivering: a successor waits until nothing of its predecessor can arrive any more.
    delivering: Arc<Mutex<()>>,
}

#[derive(Debug, Error)]
enum StreamError {
    #[error("the stream broke")]
    Read(#[source] std::io::Error),
    #[error("a frame does not decode")]
    Decode(#[source] CodecError),
}

/// Hands the frames of a node over until the connection ends, is replaced by a newer one of the same node, is silent for too
/// long, or the process shuts down.
pub(super) async fn receive(shared: &Shared, accepted: Accepted) {
    let sender = accepted.hello.sender;
    let handler = shared
        .handlers
        .raft
        .clone()
        .expect("the handshake refuses Raft streams without a handler");
    let (abort, registration) = AbortHandle::new_pair();
    let delivering = take_turn(shared, sender, abort.clone());
    let address = accepted.address.clone();
    let delivery = async {
        let _turn = delivering.lock().await;
        deliver(shared, accepted, handler).await
    };
    let mut closing = shared.closing.clone();
    tokio::select! {
        biased;
        () = shutdown_begins(&mut closing) => {}
        ended = Abortable::new(delivery, registration) => match ended {
            Ok(Ok(())) => {}
            Ok(Err(error)) => report(shared, &address, &error),
            Err(_) => tracing::debug!(node = sender.0, "a newer stream of the node took over"),
        }
    }
    let mut streams = locked(shared);
    // A replaced stream is not the newest any more and must leave the entry alone. Its handle is aborted, ours is not.
    if !abort.is_aborted() {
        streams.remove(&sender);
    }
}

fn locked(shared: &Shared) -> MutexGuard<'_, std::collections::BTreeMap<NodeId, Turn>> {
    shared.streams.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends the stream that the node had before. At most one entry per connection, so the map is bounded as those are.
fn take_turn(shared: &Shared, sender: NodeId, abort: AbortHandle) -> Arc<Mutex<()>> {
    match locked(shared).entry(sender) {
        Entry::Occupied(mut turn) => {
            let turn = turn.get_mut();
            std::mem::replace(&mut turn.newest, abort).abort();
            turn.delivering.clone()
        }
        Entry::Vacant(free) => {
            let turn = free.insert(Turn {
                newest: abort,
                delivering: Arc::default(),
            });
            turn.delivering.clone()
        }
    }
}

async fn deliver(shared: &Shared, accepted: Accepted, handler: RaftHandler) -> Result<(), StreamError> {
    let mut frames = FramedRead::new(accepted.stream, lengths(shared.options.max_frame));
    let mut confirmed = None::<Monotonic>;
    // Silence ends it: a live leader sends heartbeats all the time.
    while let Ok(Some(frame)) = tokio::time::timeout(shared.options.idle_timeout, frames.next()).await {
        let bytes = frame.map_err(StreamError::Read)?;
        let frame: RaftFrame = codec::decode(&bytes).map_err(StreamError::Decode)?;
        count(&shared.counters.raft_frames);
        let now = shared.env.clock.monotonic();
        if confirmed.is_none_or(|at| now.since(at) >= CONFIRM_EVERY) {
            // The sender reads all the time: a byte has room unless nothing arrives there.
            let confirmation = frames.get_mut().write_all(&CONFIRMATION);
            match tokio::time::timeout(shared.options.idle_timeout, confirmation).await {
                Ok(written) => written.map_err(StreamError::Read)?,
                Err(_) => return Ok(()),
            }
            confirmed = Some(now);
        }
        handler(accepted.hello.sender, frame).await;
    }
    Ok(())
}

fn report(shared: &Shared, address: &str, error: &StreamError) {
    match error {
        StreamError::Read(broken) if broken.kind() != std::io::ErrorKind::InvalidData => {
            tracing::debug!(
                peer = address,
                error = broken as &dyn std::error::Error,
                "a Raft stream ended"
            );
        }
        _ => {
            count(&shared.counters.malformed);
            shared.complain(address, "closed a Raft stream that broke the protocol", Some(error));
        }
    }
}
