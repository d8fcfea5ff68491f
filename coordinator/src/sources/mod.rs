//! Recall channels: where candidates come from. One per file, and all that are lists in one; their order is in `feed/pipeline.rs`.

pub(crate) mod following;
pub(crate) mod in_network;
pub(crate) mod interests;
pub(crate) mod lists;
mod nearest;
pub(crate) mod out_of_network;
pub(crate) mod similar_to_recent;
pub(crate) mod subscribed;
mod turns;
