//! Replies as text. Everything here is a pure function from a message to a string.

pub(crate) mod answer;
pub(crate) mod audit;
pub(crate) mod builds;
pub(crate) mod cards;
pub(crate) mod explain;
pub(crate) mod memory;
pub(crate) mod nodes;
pub(crate) mod operations;
mod scrub;
pub(crate) mod settings;
pub(crate) mod shard;
pub(crate) mod shards;
pub(crate) mod status;
pub(crate) mod text;

#[cfg(test)]
#[path = "mod_test.rs"]
mod tests;
