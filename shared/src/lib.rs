//! Ids, slots, records, wire messages and codecs shared by every part of the cluster.
//!
//! Architecture invariant: this crate knows neither actix nor tokio nor a disk. It is what a node, a coordinator and
//! the command line agree on, and nothing else.

pub mod codec;
pub mod command;
pub mod directory;
pub mod embed;
pub mod ids;
pub mod layout;
pub mod members;
pub mod metadata;
pub mod model;
pub mod score;
pub mod session;
pub mod settings;
pub mod slots;
pub mod text;
pub mod wire;
