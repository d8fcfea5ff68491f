//! The seam to clock, randomness, disk, network and spawning. Everything below the API takes an [`Env`] and touches the
//! world through it alone, so that the same code runs in production and in the deterministic simulator.
//!
//! Timers are not here: code uses `tokio::time`, which works in every arbiter, in every [`Spawn::worker`] and, with
//! paused time, in the simulator.

mod clock;
pub mod conformance;
mod disk;
mod entropy;
mod net;
mod production;
mod span;
mod spawn;
mod token_bucket;
pub mod watch;

use std::fmt;
use std::sync::Arc;

pub use clock::{Clock, Monotonic};
pub use disk::{DirEntry, Disk, DiskFile, DiskLock, DiskSpace, OpenMode};
pub use entropy::Entropy;
pub use net::{BoxStream, Listener, Net, Stream};
pub use production::raise_open_files;
pub use span::span;
pub use spawn::{Priority, Spawn, Task, WorkerError, WorkerHandle};
pub use token_bucket::TokenBucket;

/// The world of one process (or of one simulated host). Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Env {
    /// Monotonic and calendar time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Files.
    pub disk: Arc<dyn Disk>,
    /// Plain TCP; TLS is put on top by the caller.
    pub net: Arc<dyn Net>,
    /// Threads.
    pub spawn: Arc<dyn Spawn>,
}

impl Env {
    /// The real machine, with a compute pool of `compute_threads` threads (at least one).
    ///
    /// # Errors
    /// The operating system refused to start the pool's threads.
    pub fn production(compute_threads: usize) -> std::io::Result<Env> {
        production::env(compute_threads)
    }
}

impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Env").finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "lib_test.rs"]
mod tests;
