//! The sending side of the Raft stream from this node to another.
//!
//! One queue, one connection, one order. What was handed to a connection is never sent again, so messages may be lost when it
//! breaks, and are never repeated or reordered: Raft asks for exactly that.

mod confirm;
mod queue;
mod sender;

pub(crate) use confirm::{CONFIRM_EVERY, CONFIRMATION};
pub use queue::{DropReason, RaftSendError};
pub use sender::{RaftLinkState, RaftSender, RaftSenderOptions, RaftSenderStatus};
