//! What the operating system says about this process.

use std::io;

/// Memory and CPU of this process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProcessStats {
    /// Resident memory in bytes, mapped files included.
    pub resident_bytes: u64,
    /// CPU time of all threads since the start, in microseconds.
    pub cpu_us: u64,
}

/// Reads them. Costs some ten microseconds: for a status call or a metrics scrape, not for every request.
///
/// # Errors
/// `/proc` is not mounted, or not Linux's.
pub fn process_stats() -> io::Result<ProcessStats> {
    let cpu = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    let cpu_us = u64::try_from(cpu.tv_sec).unwrap_or(0) * 1_000_000 + u64::try_from(cpu.tv_nsec).unwrap_or(0) / 1000;
    Ok(ProcessStats {
        resident_bytes: resident_bytes(&read_status()?)?,
        cpu_us,
    })
}

/// `/proc` is no disk: it has no content that a simulation could lose, and its files have no length to read by offset.
#[allow(
    clippy::disallowed_methods,
    reason = "a view of the kernel, not a file of the project"
)]
fn read_status() -> io::Result<String> {
    std::fs::read_to_string("/proc/self/status")
}

fn resident_bytes(status: &str) -> io::Result<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|rest| rest.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok());
    let unknown = || {
        io::Error::new(
            io::ErrorKind::InvalidData,
            "/proc/self/status has no readable VmRSS line",
        )
    };
    Ok(kibibytes.ok_or_else(unknown)? * 1024)
}

#[cfg(test)]
#[path = "process_test.rs"]
mod tests;
