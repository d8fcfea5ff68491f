//! CPU time of the calling thread: on a busy machine wall time says little.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// The CPU time this thread has used.
pub fn now() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let nanos = u32::try_from(time.tv_nsec).expect("nanoseconds are below a thousand million");
    Duration::new(u64::try_from(time.tv_sec).expect("CPU time is not negative"), nanos)
}

/// What `work` returned, and the CPU seconds it took.
pub fn seconds<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let start = now();
    let value = work();
    (value, (now() - start).as_secs_f64())
}
