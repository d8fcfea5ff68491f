//! The task that carries the queue to the peer.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use covey_env::{BoxStream, Env, Monotonic, Task};
use covey_shared::codec;
use covey_shared::ids::{ClusterId, NodeId};
use covey_shared::wire::{Class, RaftFrame, RaftMessage};
use futures::FutureExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt, WriteHalf};
use tokio::sync::Notify;

use super::confirm::Owed;
use super::queue::{DropReason, FRAME_BASE, RaftQueue, RaftSendError, encoded_size};
use crate::backoff::Backoff;
use crate::dial::{Peer, dial};
use crate::handshake::Hello;
use crate::log_limit::LogLimit;

/// Messages of one frame, in bytes. Small enough that a frame takes milliseconds, large enough to batch.
const BATCH: usize = 1 << 20;

/// How a node sends Raft messages.
#[derive(Clone, Debug)]
pub struct RaftSenderOptions {
    /// The cluster of this process.
    pub cluster: ClusterId,
    /// This node, ≥ 1.
    pub sender: NodeId,
    /// Largest frame in bytes; the receiver's limit.
    pub max_frame: usize,
    /// Bytes that wait to be sent.
    pub queue_bytes: usize,
    /// Time to open the connection, handshake included.
    pub connect_timeout: Duration,
    /// Time in which a frame must be taken over by the network, and a confirmation come from the peer; else the connection counts as dead.
    pub stall_timeout: Duration,
    /// Shortest pause before connecting again.
    pub backoff_min: Duration,
    /// Longest pause before connecting again.
    pub backoff_max: Duration,
}

impl RaftSenderOptions {
    /// 4 MiB of queue, and the pauses of `[rpc]` in `cluster.toml`.
    pub fn new(cluster: ClusterId, sender: NodeId) -> RaftSenderOptions {
        RaftSenderOptions {
            cluster,
            sender,
            max_frame: codec::MAX_MESSAGE,
            queue_bytes: 4 << 20,
            connect_timeout: Duration::from_secs(1),
            stall_timeout: Duration::from_secs(5),
            backoff_min: Duration::from_millis(10),
            backoff_max: Duration::from_millis(500),
        }
    }
}

/// State of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RaftLinkState {
    /// Being opened, for the first time or after it broke; messages wait.
    Connecting,
    /// Open.
    Connected,
    /// The last attempt failed; messages are refused until one succeeds.
    Down,
}

/// A stream's state, for status pages.
#[derive(Clone, Debug)]
pub struct RaftSenderStatus {
    /// The receiving node.
    pub peer: Peer,
    /// The connection.
    pub state: RaftLinkState,
    /// Messages that wait.
    pub queued: usize,
    /// Bytes that wait.
    pub queued_bytes: usize,
    /// Messages handed to the network so far.
    pub sent: u64,
    /// Messages dropped so far, and reported to the caller or discarded with a connection.
    pub dropped: u64,
    /// Connections opened so far.
    pub connections: u64,
}

/// Sends to one node. Cheap to clone; the stream ends with the last clone. Its task runs on the runtime that started it.
#[derive(Clone)]
pub struct RaftSender {
    handle: Arc<Handle>,
}

struct Handle {
    shared: Arc<Shared>,
    _task: Task,
}

struct Shared {
    env: Env,
    peer: Peer,
    options: RaftSenderOptions,
    inner: Mutex<Inner>,
    /// There is something to send.
    filled: Notify,
    complaints: LogLimit,
}

struct Inner {
    queue: RaftQueue,
    state: RaftLinkState,
    sent: u64,
    dropped: u64,
    connections: u64,
}

impl RaftSender {
    /// A stream to `peer`, connecting at once.
    pub fn start(env: Env, peer: Peer, mut options: RaftSenderOptions) -> RaftSender {
        options.max_frame = options.max_frame.min(codec::MAX_MESSAGE);
        let inner = Inner {
            queue: RaftQueue::new(options.queue_bytes),
            state: RaftLinkState::Connecting,
            sent: 0,
            dropped: 0,
            connections: 0,
        };
        let shared = Arc::new(Shared {
            env,
            peer,
            options,
            inner: Mutex::new(inner),
            filled: Notify::new(),
            complaints: LogLimit::default(),
        });
        let _task = shared.env.spawn.task(run(shared.clone()).boxed());
        RaftSender {
            handle: Arc::new(Handle { shared, _task }),
        }
    }

    /// Queues a message; never waits. Order is kept.
    ///
    /// # Errors
    /// The message was dropped; see [`RaftSendError`].
    pub fn send(&self, message: RaftMessage) -> Result<(), RaftSendError> {
        let shared = &*self.handle.shared;
        let (shard, to, size) = (message.shard, message.to, encoded_size(&message));
        let mut inner = shared.lock();
        let reason = if size + FRAME_BASE > shared.options.max_frame {
            DropReason::TooLarge
        } else if inner.state == RaftLinkState::Down {
            DropReason::Down
        } else if inner.queue.push(message, size) {
            drop(inner);
            shared.filled.notify_one();
            return Ok(());
        } else {
            DropReason::QueueFull
        };
        inner.dropped += 1;
        Err(RaftSendError { shard, to, reason })
    }

    /// State for status pages.
    pub fn status(&self) -> RaftSenderStatus {
        let shared = &*self.handle.shared;
        let inner = shared.lock();
        RaftSenderStatus {
            peer: shared.peer.clone(),
            state: inner.state,
            queued: inner.queue.len(),
            queued_bytes: inner.queue.bytes(),
            sent: inner.sent,
            dropped: inner.dropped,
            connections: inner.connections,
        }
    }
}

impl std::fmt::Debug for RaftSender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RaftSender").field("status", &self.status()).finish()
    }
}

impl Shared {
    /// No code panics while it holds the lock.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn connected(&self) {
        let mut inner = self.lock();
        inner.state = RaftLinkState::Connected;
        inner.connections += 1;
    }

    /// What waits is old news by the time the peer is back; Raft sends what is due then.
    fn down(&self) {
        let mut inner = self.lock();
        inner.state = RaftLinkState::Down;
        let discarded = inner.queue.clear();
        inner.dropped += discarded as u64;
    }

    fn count(&self, sent: bool, messages: u64) {
        let mut inner = self.lock();
        if sent {
            inner.sent += messages;
        } else {
            inner.dropped += messages;
        }
    }

    fn complain(&self, what: &str, error: &(dyn std::error::Error + 'static)) {
        if let Some(suppressed) = self.complaints.allow(self.env.clock.monotonic()) {
            let (node, address) = (self.peer.node.0, &*self.peer.address);
            tracing::warn!(node, address, suppressed, error, "{what}");
        }
    }
}

/// Connects, sends, and connects again, until the last handle is dropped.
async fn run(shared: Arc<Shared>) {
    let options = &shared.options;
    let hello = Hello {
        cluster: options.cluster,
        class: Class::Raft,
        sender: options.sender,
        receiver: shared.peer.node,
    };
    let mut backoff = Backoff::new(options.backoff_min, options.backoff_max);
    loop {
        match dial(&shared.env, &shared.peer.address, hello, options.connect_timeout).await {
            Ok(stream) => {
                let opened = shared.env.clock.monotonic();
                shared.connected();
                let Err(error) = carry(&shared, stream).await;
                shared.complain("lost the Raft stream to a node; connecting again", &error);
                shared.lock().state = RaftLinkState::Connecting;
                // One that is closed right after the handshake counts as a failure, or two nodes that both claim the same
                // id would replace each other as fast as they can.
                if shared.env.clock.monotonic().since(opened) > options.backoff_max {
                    backoff.reset();
                }
            }
            Err(error) => {
                shared.down();
                shared.complain("cannot open the Raft stream to a node", &error);
            }
        }
        tokio::time::sleep(backoff.next(&*shared.env.entropy)).await;
    }
}

/// Sends frames until the connection fails.
async fn carry(shared: &Shared, stream: BoxStream) -> io::Result<std::convert::Infallible> {
    let (clock, stall_timeout) = (&shared.env.clock, shared.options.stall_timeout);
    let (mut confirmations, mut stream) = tokio::io::split(stream);
    let (mut owed, mut read) = (Owed::default(), [0; 64]);
    loop {
        let left = owed.left(clock.monotonic(), stall_timeout);
        // What has come is looked at before the time that was left for it.
        if let Some(heard) = confirmations.read(&mut read).now_or_never() {
            owed.confirmed(end_or(heard?, clock.monotonic())?);
        } else if left == Some(Duration::ZERO) {
            return Err(timed_out("the peer confirms nothing any more"));
        }
        let frame = shared.lock().queue.next_frame(BATCH.min(shared.options.max_frame));
        if let Some(frame) = frame {
            write(shared, &mut stream, &frame).await?;
            owed.sent(clock.monotonic());
            continue;
        }
        tokio::select! {
            biased;
            () = shared.filled.notified() => {}
            heard = confirmations.read(&mut read) => owed.confirmed(end_or(heard?, clock.monotonic())?),
            () = tokio::time::sleep(left.unwrap_or_default()), if left.is_some() => {}
        }
    }
}

/// The time, unless what was read is the end.
fn end_or(bytes: usize, now: Monotonic) -> io::Result<Monotonic> {
    match bytes {
        0 => Err(io::Error::new(
            io::ErrorKind::ConnectionAborted,
            "the peer closed the stream",
        )),
        _ => Ok(now),
    }
}

async fn write(shared: &Shared, stream: &mut WriteHalf<BoxStream>, frame: &RaftFrame) -> io::Result<()> {
    let bytes = framed(frame);
    let writing = async {
        stream.write_all(&bytes).await?;
        stream.flush().await
    };
    let written = tokio::time::timeout(shared.options.stall_timeout, writing)
        .await
        .unwrap_or_else(|_| Err(timed_out("the network takes no more data")));
    shared.count(written.is_ok(), frame.messages.len() as u64);
    written
}

fn timed_out(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, why)
}

/// The frame behind its length, in one piece: two writes would be two packets.
fn framed(frame: &RaftFrame) -> Vec<u8> {
    let body = codec::encode(frame).expect("frames are cut below the limit of the codec");
    let mut bytes = Vec::with_capacity(4 + body.len());
    let length = u32::try_from(body.len()).expect("frames are cut below 4 GiB");
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(&body);
    bytes
}

#[cfg(test)]
#[path = "stream_test.rs"]
mod tests;
