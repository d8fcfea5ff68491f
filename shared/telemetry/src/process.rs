//! What the operating system says about this process.

use std::io;

/// Memory and CPU of this process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProcessStats {
    /// Resident memory in bytes, mapped files included.
    pub resident_bytes: u64,
    /// Of these, in pages without a file behind them: heap and stacks. 0 where the kernel does not tell them apart.
    pub anonymous_bytes: u64,
    /// Of these, in pages of files: the program itself and mapped rows. The system takes them back when it needs room. 0 as
    /// above.
    pub file_bytes: u64,
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
    let status = read_status()?;
    Ok(ProcessStats {
        resident_bytes: bytes_of("VmRSS:", &status)?,
        anonymous_bytes: bytes_of("RssAnon:", &status).unwrap_or(0),
        file_bytes: bytes_of("RssFile:", &status).unwrap_or(0),
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

fn bytes_of(name: &str, status: &str) -> io::Result<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kibibytes = line.and_then(|rest| rest.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok());
    let unknown = || {
        let text = format!("/proc/self/status has no readable {name} line");
        io::Error::new(io::ErrorKind::InvalidData, text)
    };
    Ok(kibibytes.ok_or_else(unknown)? * 1024)
}

#[cfg(test)]
#[path = "process_test.rs"]
mod tests;
