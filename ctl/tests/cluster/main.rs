//! Covey as it runs: three real nodes and a coordinator, as processes on loopback. Run it by `./dev test`.
#![allow(
    clippy::disallowed_methods,
    reason = "these tests start real processes: real time, real files, real sockets"
)]

mod calls;
mod crashes;
mod damage;
mod feeds;
mod hostile;
mod joining;
mod last_resort;
mod load;
mod moves;
mod operations;
mod pages;
mod place;
mod process;
mod rebuild;
mod refusals;
mod replicas;
mod scrub;
mod settings;
mod trace;
mod transfer;
mod words;
mod world;
