//! covey, the command line: demo, world, load, search, feed, status.
#![forbid(unsafe_code)]
#![allow(
    clippy::disallowed_methods,
    reason = "a tool that people start: it reads files and clocks itself, and no simulator runs it"
)]

pub mod args;
pub mod client;
pub mod commands;
mod demo;
mod evaluate;
pub mod load;
mod progress;
pub mod record;
mod render;
pub mod world;
