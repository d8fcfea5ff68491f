//! Opening a connection to a node.

use std::io;
use std::time::Duration;

use covey_env::{BoxStream, Env};
use covey_shared::ids::NodeId;
use thiserror::Error;

use crate::handshake::{self, HandshakeError, Hello, Refusal};

/// A node and where it listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its id; 0 = whoever listens there, for tools that know only an address.
    pub node: NodeId,
    /// `host:port`.
    pub address: String,
}

/// Why a connection could not be opened.
#[derive(Debug, Error)]
pub enum ConnectError {
    /// The network says no: refused, no route, unknown host.
    #[error("cannot connect")]
    Network(#[source] io::Error),
    /// No connection, or no answer to the handshake, in time.
    #[error("no answer within {waited:?}")]
    Timeout {
        /// How long was waited.
        waited: Duration,
    },
    /// It closed the connection without an answer: it is overloaded, or not a Covey node.
    #[error("it closed the connection during the handshake")]
    HungUp(#[source] io::Error),
    /// Something else listens there.
    #[error("what listens there is not a Covey node")]
    NotCovey,
    /// It said no.
    #[error("it refuses the connection")]
    Refused(#[source] Refusal),
}

/// Connects and shakes hands, all within `timeout`.
pub(crate) async fn dial(env: &Env, address: &str, hello: Hello, timeout: Duration) -> Result<BoxStream, ConnectError> {
    let attempt = async {
        let stream = env.net.connect(address, timeout).await;
        let mut stream = stream.map_err(|error| match error.kind() {
            io::ErrorKind::TimedOut => ConnectError::Timeout { waited: timeout },
            _ => ConnectError::Network(error),
        })?;
        match handshake::introduce(&mut stream, hello).await {
            Ok(_) => Ok(stream),
            Err(HandshakeError::Refused(refusal)) => Err(ConnectError::Refused(refusal)),
            Err(HandshakeError::NotCovey) => Err(ConnectError::NotCovey),
            Err(HandshakeError::Io(error)) => Err(ConnectError::HungUp(error)),
        }
    };
    let in_time = tokio::time::timeout(timeout, attempt).await;
    in_time.unwrap_or(Err(ConnectError::Timeout { waited: timeout }))
}
