//! Every section of `cluster.toml`. A key is declared here and nowhere else.

pub(crate) mod cluster;
pub(crate) mod events;
pub(crate) mod feed;
pub(crate) mod network;
pub(crate) mod replication;
pub(crate) mod rules;
pub(crate) mod search;
pub(crate) mod storage;
