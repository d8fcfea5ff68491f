//! The real machine. The only place of the project that touches clocks, files, sockets and threads directly.
#![allow(clippy::disallowed_methods, reason = "this is the place those methods are banned to")]

mod disk;
mod net;
mod pool;
mod spawn;

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rand::RngCore;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::{Clock, Entropy, Env, Monotonic};

pub(crate) fn env(compute_threads: usize) -> io::Result<Env> {
    Ok(Env {
        clock: Arc::new(SystemClock { start: Instant::now() }),
        entropy: Arc::new(SystemEntropy),
        disk: Arc::new(disk::SystemDisk),
        net: Arc::new(net::SystemNet),
        spawn: Arc::new(spawn::SystemSpawn::new(compute_threads)?),
    })
}

/// Allows this process as many open files as the system lets it have: each folder of vectors keeps one open. Returns how
/// many; `None`: any number.
///
/// # Errors
/// The system refuses.
pub fn raise_open_files() -> io::Result<Option<u64>> {
    let limit = getrlimit(Resource::Nofile);
    let all = Rlimit {
        current: limit.maximum,
        ..limit
    };
    setrlimit(Resource::Nofile, all)?;
    Ok(limit.maximum)
}

struct SystemClock {
    start: Instant,
}

impl Clock for SystemClock {
    fn monotonic(&self) -> Monotonic {
        Monotonic(self.start.elapsed())
    }

    fn unix_ms(&self) -> u64 {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .expect("the calendar is set to after 1970");
        u64::try_from(since.as_millis()).expect("the calendar is set to before the year 500 million")
    }

    fn rpc_deadline(&self, left: Duration) -> Instant {
        Instant::now() + left
    }
}

struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn next_u64(&self) -> u64 {
        rand::rng().next_u64()
    }
}
