//! Whether all replicas of a shard hold the same.
//!
//! A leader puts a mark into the log ([`rounds`]). Each replica hashes its records as they are right behind it, on a thread of
//! its own ([`worker`]). The leader collects the hashes, and puts the one that most have found into the log: a replica with
//! another one, also one that comes back and replays, knows then that it is damaged, and is built anew from a snapshot.

mod hashes;
mod majority;
mod rounds;
mod worker;

pub(crate) use hashes::{Hashes, Job};
pub(crate) use rounds::Rounds;
pub(crate) use worker::HashWorker;
