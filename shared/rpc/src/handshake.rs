//! The first bytes of every connection, in both directions. Fixed layouts, so that nothing has to be allocated for a
//! stranger; integers little-endian.
//!
//! ```text
//! hello   "COVEY\0"  version u16  cluster u64  class u8  sender u64  receiver u64        33 bytes
//! answer  "COVEY\0"  version u16  code u8  detail u64                                    17 bytes
//! ```
//! A later version keeps the first 8 bytes and may change what follows: an old server refuses by them alone.

use std::io;

use bytes::{Buf, BufMut};
use covey_shared::ids::{ClusterId, NodeId};
use covey_shared::wire::{Class, OLDEST_WIRE_VERSION, WIRE_VERSION};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

const MAGIC: [u8; 6] = *b"COVEY\0";
const PREFIX_LEN: usize = 8;
const HELLO_LEN: usize = 33;
const ANSWER_LEN: usize = 17;

/// Who connects, to whom, and what for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hello {
    pub(crate) cluster: ClusterId,
    pub(crate) class: Class,
    /// 0 = not a node: a coordinator or a tool.
    pub(crate) sender: NodeId,
    /// 0 = whoever listens there.
    pub(crate) receiver: NodeId,
}

/// Why a node refuses a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// What was sent is no valid handshake.
    #[error("it did not understand the handshake")]
    Malformed,
    /// It speaks only older protocols.
    #[error("it speaks the protocol only up to version {newest}: upgrade it first")]
    Version {
        /// Newest version that it knows.
        newest: u16,
    },
    /// It speaks only newer protocols.
    #[error("it speaks the protocol only from version {oldest} on: upgrade this process")]
    TooOld {
        /// Oldest version that it understands.
        oldest: u16,
    },
    /// It belongs to another cluster.
    #[error("it belongs to another cluster: check the cluster's name and the address")]
    WrongCluster,
    /// Another node listens at this address.
    #[error("node {actual} listens at this address: check the addresses of the nodes")]
    WrongNode {
        /// Who it is.
        actual: NodeId,
    },
    /// It does not serve this class of connections.
    #[error("it does not serve this class of connections")]
    NotServed,
    /// It is shutting down.
    #[error("it is shutting down")]
    ShuttingDown,
    /// A reason that only a newer release knows.
    #[error("its reason {code} is unknown to this release")]
    Unknown {
        /// The reason's number.
        code: u8,
    },
}

/// Why a handshake did not come to an end.
#[derive(Debug, Error)]
pub(crate) enum HandshakeError {
    #[error("not a Covey handshake")]
    NotCovey,
    #[error("refused: {0}")]
    Refused(Refusal),
    #[error("the connection broke during the handshake")]
    Io(#[from] io::Error),
}

impl Hello {
    fn to_bytes(self) -> [u8; HELLO_LEN] {
        let mut bytes = [0; HELLO_LEN];
        let mut out = &mut bytes[..];
        out.put_slice(&MAGIC);
        out.put_u16_le(WIRE_VERSION);
        out.put_u64_le(self.cluster.0);
        out.put_u8(class_code(self.class));
        out.put_u64_le(self.sender.0);
        out.put_u64_le(self.receiver.0);
        bytes
    }
}

/// Reads the hello of a connecting peer. The caller sets the deadline, and sends the refusal.
pub(crate) async fn read_hello<S: AsyncRead + Unpin>(stream: &mut S) -> Result<Hello, HandshakeError> {
    let mut prefix = [0; PREFIX_LEN];
    stream.read_exact(&mut prefix).await?;
    let mut prefix = prefix.strip_prefix(&MAGIC).ok_or(HandshakeError::NotCovey)?;
    let version = prefix.get_u16_le();
    if version == 0 {
        return Err(HandshakeError::Refused(Refusal::Malformed));
    }
    if version > WIRE_VERSION {
        return Err(HandshakeError::Refused(Refusal::Version { newest: WIRE_VERSION }));
    }
    if version < OLDEST_WIRE_VERSION {
        let oldest = OLDEST_WIRE_VERSION;
        return Err(HandshakeError::Refused(Refusal::TooOld { oldest }));
    }
    let mut rest = [0; HELLO_LEN - PREFIX_LEN];
    stream.read_exact(&mut rest).await?;
    let mut rest = &rest[..];
    let cluster = ClusterId(rest.get_u64_le());
    let class = class_of(rest.get_u8()).ok_or(HandshakeError::Refused(Refusal::NotServed))?;
    Ok(Hello {
        cluster,
        class,
        sender: NodeId(rest.get_u64_le()),
        receiver: NodeId(rest.get_u64_le()),
    })
}

/// Answers a hello: accepted by `Ok(own id)`, or refused.
pub(crate) async fn write_answer<S>(stream: &mut S, answer: Result<NodeId, Refusal>) -> io::Result<()>
where
    S: AsyncWrite + Unpin,
{
    stream.write_all(&answer_bytes(answer)).await?;
    stream.flush().await
}

/// Sends `hello` and waits for the answer: the id of the node that accepted.
pub(crate) async fn introduce<S>(stream: &mut S, hello: Hello) -> Result<NodeId, HandshakeError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    stream.write_all(&hello.to_bytes()).await?;
    stream.flush().await?;
    let mut answer = [0; ANSWER_LEN];
    stream.read_exact(&mut answer).await?;
    parse_answer(&answer)?.map_err(HandshakeError::Refused)
}

fn answer_bytes(answer: Result<NodeId, Refusal>) -> [u8; ANSWER_LEN] {
    let (code, detail) = match answer {
        Ok(node) => (0, node.0),
        Err(Refusal::Malformed) => (1, 0),
        Err(Refusal::Version { newest }) => (2, u64::from(newest)),
        Err(Refusal::WrongCluster) => (3, 0),
        Err(Refusal::WrongNode { actual }) => (4, actual.0),
        Err(Refusal::NotServed) => (5, 0),
        Err(Refusal::ShuttingDown) => (6, 0),
        Err(Refusal::TooOld { oldest }) => (7, u64::from(oldest)),
        Err(Refusal::Unknown { code }) => (code, 0),
    };
    let mut bytes = [0; ANSWER_LEN];
    let mut out = &mut bytes[..];
    out.put_slice(&MAGIC);
    out.put_u16_le(WIRE_VERSION);
    out.put_u8(code);
    out.put_u64_le(detail);
    bytes
}

fn parse_answer(bytes: &[u8; ANSWER_LEN]) -> Result<Result<NodeId, Refusal>, HandshakeError> {
    let mut rest = bytes.strip_prefix(&MAGIC).ok_or(HandshakeError::NotCovey)?;
    let _version = rest.get_u16_le();
    let (code, detail) = (rest.get_u8(), rest.get_u64_le());
    Ok(match code {
        0 => Ok(NodeId(detail)),
        1 => Err(Refusal::Malformed),
        2 => Err(Refusal::Version {
            newest: u16::try_from(detail).unwrap_or(u16::MAX),
        }),
        3 => Err(Refusal::WrongCluster),
        4 => Err(Refusal::WrongNode { actual: NodeId(detail) }),
        5 => Err(Refusal::NotServed),
        6 => Err(Refusal::ShuttingDown),
        7 => Err(Refusal::TooOld {
            oldest: u16::try_from(detail).unwrap_or(u16::MAX),
        }),
        code => Err(Refusal::Unknown { code }),
    })
}

fn class_code(class: Class) -> u8 {
    match class {
        Class::Raft => 0,
        Class::Query => 1,
        Class::Write => 2,
        Class::Bulk => 3,
        Class::Admin => 4,
    }
}

fn class_of(code: u8) -> Option<Class> {
    [Class::Raft, Class::Query, Class::Write, Class::Bulk, Class::Admin]
        .into_iter()
        .find(|class| class_code(*class) == code)
}

#[cfg(test)]
#[path = "handshake_test.rs"]
mod tests;
