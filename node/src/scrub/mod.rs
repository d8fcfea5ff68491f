//! The scrubber: reads the files of all sealed vectors again, slowly, and has other replicas make good what is damaged.
//!
//! One turn: [`schedule`] says which shard is due → [`scrubber`] walks its files at `storage.scrub_rate` → [`heal`] asks the
//! other members for the rows that are damaged → the shard's apply worker, the only one that writes vectors, takes over
//! what has the right checksum → the maintenance copies the folder away from its bad place. [`Scrubs`] shows how far it is.

mod heal;
mod schedule;
mod scrubber;
mod scrubs;

pub(crate) use scrubber::{Scrubber, ScrubberDeps};
pub(crate) use scrubs::Scrubs;
