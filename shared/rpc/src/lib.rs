//! Calls and framed streams between the processes of a cluster, over the network of an [`covey_env::Env`].
//!
//! One port per node. Every connection begins with a handshake that names cluster, protocol version, class and both nodes;
//! the class decides what follows: calls (tarpc, multiplexed, with deadlines and cancellation; [`NodeClient`]), or the one
//! ordered stream of Raft messages from a node to another ([`RaftSender`]). [`Server`] answers both.
//!
//! Everything runs as tasks of the runtime that starts it, which may be single-threaded: an arbiter, or a simulated host.
//! TLS will wrap the byte stream in two places, `dial` and the server's accept loop, and nowhere else.
//!
//! The envelope of a call is our own, not tarpc's serde form: tarpc adds a deadline that it read from the network to the
//! clock, and a hostile one makes that addition panic. Ours is a number of milliseconds, clamped on arrival.

mod backoff;
mod client;
mod dial;
mod error;
mod framing;
mod handshake;
mod log_limit;
mod names;
mod raft;
mod server;

pub use client::{ClientOptions, Exchange, LinkState, NodeClient, NodeClientStatus};
pub use dial::{ConnectError, Peer};
pub use error::CallError;
pub use handshake::Refusal;
pub use raft::{DropReason, RaftLinkState, RaftSendError, RaftSender, RaftSenderOptions, RaftSenderStatus};
pub use server::{
    CallContext, CallHandler, ClassPermits, Handlers, RaftHandler, ServeError, ServeOptions, Server, ServerStats,
};

#[cfg(test)]
mod testing;
