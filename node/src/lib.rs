//! A node of the cluster: shard replicas, their log, stores and searches.
//!
//! The life of a write, top to bottom: `server` takes the call → `raft` orders it → `log_writer` makes it durable →
//! `apply` changes the store → `server` answers. The life of a read: `server` → `shard` (is the replica new enough? is
//! there a permit?) → the search pool on the published view.

mod apply;
mod board;
mod checked_file;
mod checkpointer;
mod completions;
mod disk_room;
mod disk_stalls;
mod kept;
mod log_writer;
mod maintenance_actor;
mod nodes;
mod operations;
mod outbox;
mod outbox_actor;
mod peers;
mod production;
mod question;
mod raft;
mod replicas;
mod scrub;
mod server;
pub mod set_aside;
mod settings;
mod shard;
mod snapshot;
mod startup;
mod verify;

pub use production::serve;
pub use startup::{Node, NodeParts, Observer, StartError, StartReport, Threads};
