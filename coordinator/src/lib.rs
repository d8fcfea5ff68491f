//! A stateless coordinator: the API, the feed pipeline, fan-out and merge. Any number of them run; each can be killed at
//! any time.
//!
//! Reading the folders in this order is the life of a request: [`api`] takes it, [`feed`] or [`ingest`] carries it out,
//! [`cluster`] asks the nodes.

mod api;
pub mod cluster;
pub mod feed;
mod filters;
mod hydrators;
pub mod ingest;
mod ranking;
mod request;
mod rules;
mod scorers;
mod seal;
mod side_effects;
mod sources;
mod startup;
mod visibility;

pub use request::RequestContext;
pub use seal::{SealError, Sealer};
pub use startup::{Coordinator, CoordinatorParts, StartError, node_ports};
